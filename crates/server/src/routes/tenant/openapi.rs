//! What the OpenAPI document says beside what it gets from the handlers.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, Contact, ContentBuilder, Info, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::http::error::ErrorBody;

/// The errors that every endpoint may answer with.
const COMMON: [(&str, &str); 6] = [
    (
        "401",
        "No key, or one that is unknown, revoked, or of a suspended tenant",
    ),
    ("403", "The plan's limit is reached, or the bot is inactive"),
    ("404", "It does not exist, or belongs to another tenant"),
    (
        "429",
        "More requests than the plan's rate; `Retry-After` says when to come again",
    ),
    ("500", "A fault of the server"),
    (
        "503",
        "Too much to do; `Retry-After` says when to come again",
    ),
];
/// Errors of requests that bring something.
const OF_BODIES: [(&str, &str); 5] = [
    (
        "409",
        "The first request with this `Idempotency-Key` is still being done",
    ),
    ("413", "The request is too large"),
    (
        "415",
        "The body has another type than the one that is read here",
    ),
    (
        "422",
        "The `Idempotency-Key` was sent with another request before",
    ),
    ("502", "No AI provider gave an answer"),
];

/// The document to start from.
pub fn base() -> OpenApi {
    let mut info = Info::new("Botwright", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Bots that answer visitors from your own knowledge. Every answer is `{\"success\": true, \"data\": …}`, every \
         error `{\"success\": false, \"error\": …, \"message\": …}`. Send your key as `X-API-Key`, or as a bearer \
         token. A POST with an `Idempotency-Key` can be repeated: it gives the first answer again and does nothing twice."
            .to_owned(),
    );
    info.contact = None::<Contact>;
    let components = ComponentsBuilder::new()
        .schema(ErrorBody::name(), ErrorBody::schema())
        .security_scheme(
            "api_key",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
        )
        .security_scheme(
            "bearer",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        )
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build()
}

/// Adds to each operation under the API's prefix what holds for all of them.
pub fn describe(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        if !path.starts_with(super::PREFIX) {
            continue;
        }
        let reading = [&mut item.get, &mut item.delete].into_iter().flatten();
        reading.for_each(|operation| complete(operation, &COMMON));
        let bringing = [&mut item.post, &mut item.put, &mut item.patch]
            .into_iter()
            .flatten();
        bringing.for_each(|operation| {
            complete(operation, &COMMON);
            complete(operation, &OF_BODIES);
        });
        let all = [
            &mut item.get,
            &mut item.delete,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
        ]
        .into_iter()
        .flatten();
        all.for_each(|operation| {
            complete(
                operation,
                &[(
                    "400",
                    "A parameter or field is missing or can't be taken; `error` names it",
                )],
            );
            name(operation);
            operation.security = Some(vec![
                SecurityRequirement::new::<_, _, String>("api_key", []),
                SecurityRequirement::new::<_, _, String>("bearer", []),
            ]);
        });
    }
}

fn complete(operation: &mut Operation, errors: &[(&str, &str)]) {
    for (status, description) in errors {
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .build();
        let response = ResponseBuilder::new()
            .description(*description)
            .content("application/json", body)
            .build();
        operation
            .responses
            .responses
            .entry((*status).to_owned())
            .or_insert(RefOr::T(response));
    }
}

/// What every operation must have and no handler should have to write: an id that no other one has, and a
/// description of its answer.
fn name(operation: &mut Operation) {
    operation.operation_id = operation
        .summary
        .as_deref()
        .map(|summary| summary.to_lowercase().replace(' ', "_"));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = "Done".to_owned();
        }
    }
}
