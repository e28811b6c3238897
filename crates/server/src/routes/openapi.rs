//! What the OpenAPI document says beside what it gets from the handlers.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Contact, ContentBuilder, Info, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::agent::error::AgentErrorBody;
use crate::http::error::ErrorBody;

/// The errors that every endpoint may answer with.
const COMMON: [(&str, &str); 7] = [
    (
        "400",
        "A parameter or field is missing or can't be taken; the error names it",
    ),
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
const OF_BODIES: [(&str, &str); 3] = [
    ("413", "The request is too large"),
    (
        "415",
        "The body has another type than the one that is read here",
    ),
    ("502", "No AI provider gave an answer"),
];
/// Errors of requests that may have an `Idempotency-Key`.
const OF_KEYS: [(&str, &str); 2] = [
    (
        "409",
        "The first request with this `Idempotency-Key` is still being done",
    ),
    (
        "422",
        "The `Idempotency-Key` was sent with another request before; and in the Platform API, a parameter or field is missing \
         or can't be taken",
    ),
];
/// What the groups of operations begin with, and what they are.
const DIALECTS: [(&str, &str); 3] = [
    (
        "Tenant API",
        "Bots, knowledge, conversations, with a tenant's key.",
    ),
    (
        "Platform API",
        "A bot's models, channels, agent loops and webhooks, with a tenant's key. Fields that can't be taken are 422.",
    ),
    ("Agent API", "One bot, with its own key."),
];

/// What holds for every operation of a dialect.
pub struct Described {
    /// Where the dialect stands.
    pub prefix: &'static str,
    /// What its operations' ids begin with.
    pub names: &'static str,
    /// The schema of its errors.
    pub error: &'static str,
    /// The security schemes that open it.
    pub schemes: &'static [&'static str],
    /// Whether an `Idempotency-Key` is read.
    pub keyed: bool,
}

/// The document to start from.
pub fn base() -> OpenApi {
    let mut info = Info::new("Botwright", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Bots that answer visitors from your own knowledge. The Tenant API and the Platform API beside it stand under `/api/v1`; the \
         Agent API, of one bot, under `/v1` with a key of that bot (`Authorization: Bearer tb_pk_...`). In the first two every answer is `{\"success\": true, \"data\": …}`, every \
         error `{\"success\": false, \"error\": …, \"message\": …}`. Send your key as `X-API-Key`, or as a bearer \
         token. A POST with an `Idempotency-Key` can be repeated: it gives the first answer again and does nothing twice."
            .to_owned(),
    );
    info.contact = None::<Contact>;
    let components = ComponentsBuilder::new()
        .schema(ErrorBody::name(), ErrorBody::schema())
        .schema(AgentErrorBody::name(), AgentErrorBody::schema())
        .security_scheme(
            "api_key",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
        )
        .security_scheme(
            "bot_key",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
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

/// Groups the operations by dialect: in their order for readers of tags, and as groups for those who know these.
pub fn group(document: &mut OpenApi) {
    let operations = document.paths.paths.values().flat_map(|item| {
        [&item.get, &item.delete, &item.post, &item.put, &item.patch]
            .into_iter()
            .flatten()
    });
    let names: BTreeSet<String> = operations
        .flat_map(|operation| operation.tags.iter().flatten().cloned())
        .collect();
    let (mut tags, mut groups) = (Vec::new(), Vec::new());
    for (dialect, description) in DIALECTS {
        let own: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(dialect))
            .cloned()
            .collect();
        tags.extend(own.iter().map(|name| {
            TagBuilder::new()
                .name(name)
                .description(Some(description))
                .build()
        }));
        groups.push(json!({ "name": dialect, "tags": own }));
    }
    document.tags = Some(tags);
    let groups = ExtensionsBuilder::new().add("x-tagGroups", Value::from(groups));
    document.extensions = Some(groups.build());
}

/// Adds to each operation under a dialect's prefix what holds for all of them.
pub fn describe(document: &mut OpenApi, dialect: &Described) {
    for (path, item) in &mut document.paths.paths {
        let below = path.strip_prefix(dialect.prefix);
        if !below.is_some_and(|rest| rest.starts_with('/')) {
            continue;
        }
        if dialect.keyed
            && let Some(operation) = &mut item.post
        {
            complete(operation, dialect, &OF_KEYS);
            let key = ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some(
                    "Repeats the request safely: the first answer comes again",
                ))
                .schema(Some(String::schema()));
            operation
                .parameters
                .get_or_insert_default()
                .push(RefOr::T(key.build()));
        }
        let bringing = [&mut item.post, &mut item.put, &mut item.patch]
            .into_iter()
            .flatten();
        bringing.for_each(|operation| complete(operation, dialect, &OF_BODIES));
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
            complete(operation, dialect, &COMMON);
            name(operation, dialect);
            let scheme = |name: &&str| SecurityRequirement::new::<_, _, String>(*name, []);
            operation.security = Some(dialect.schemes.iter().map(scheme).collect());
        });
    }
}

fn complete(operation: &mut Operation, dialect: &Described, errors: &[(&str, &str)]) {
    for (status, description) in errors {
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(dialect.error)))
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
fn name(operation: &mut Operation, dialect: &Described) {
    operation.operation_id = operation.summary.as_deref().map(|summary| {
        let name = summary.to_lowercase().replace(' ', "_");
        format!("{}{name}", dialect.names)
    });
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = "Done".to_owned();
        }
    }
}
