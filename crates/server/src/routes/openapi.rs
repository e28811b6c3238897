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

/// An error that operations answer with.
struct Failure {
    status: &'static str,
    means: &'static str,
    /// Which operations do, beside those whose handlers name the status.
    of: fn(&Traits) -> bool,
}

/// What an operation is like, as far as its errors depend on it.
struct Traits {
    has_ids: bool,
    has_query: bool,
    has_body: bool,
    is_keyed: bool,
    is_platforms: bool,
}

const FAILURES: [Failure; 12] = [
    Failure {
        status: "400",
        means: "It can't be read: the body is no JSON, the path no UTF-8. Outside the Platform API also: a parameter or field \
                is missing or can't be taken; the error names it",
        of: |of| of.has_ids || of.has_body || of.is_keyed || (of.has_query && !of.is_platforms),
    },
    Failure {
        status: "401",
        means: "No key, or one that is unknown, revoked, or of a suspended tenant",
        of: |_| true,
    },
    Failure {
        status: "403",
        means: "The plan's limit is reached, or what is to act is switched off",
        of: |_| false,
    },
    Failure {
        status: "404",
        means: "It does not exist, or belongs to another tenant",
        of: |of| of.has_ids,
    },
    Failure {
        status: "409",
        means: "The first request with this `Idempotency-Key` is still being done, or what it is about is in another state",
        of: |of| of.is_keyed,
    },
    Failure {
        status: "413",
        means: "The request is too large",
        of: |of| of.has_body,
    },
    Failure {
        status: "415",
        means: "The body has another type than the one that is read here",
        of: |of| of.has_body,
    },
    Failure {
        status: "422",
        means: "The `Idempotency-Key` was sent with another request before; and in the Platform API, a parameter or field is \
                missing or can't be taken",
        of: |of| of.is_keyed || (of.is_platforms && (of.has_body || of.has_query)),
    },
    Failure {
        status: "429",
        means: "More requests than the plan's rate; `Retry-After` says when to come again",
        of: |_| true,
    },
    Failure {
        status: "500",
        means: "A fault of the server",
        of: |_| true,
    },
    Failure {
        status: "502",
        means: "No AI provider gave an answer",
        of: |_| false,
    },
    Failure {
        status: "503",
        means: "Too much to do; `Retry-After` says when to come again",
        of: |_| true,
    },
];
/// What the Platform API's groups begin with.
const PLATFORM: &str = "Platform API";
/// What the groups of operations begin with, and what they are.
const DIALECTS: [(&str, &str); 3] = [
    (
        "Tenant API",
        "Bots, knowledge, conversations, with a tenant's key.",
    ),
    (
        PLATFORM,
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
            let key = ParameterBuilder::new()
                .name(IDEMPOTENCY_KEY)
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
            fail(operation, dialect);
            name(operation, dialect);
            let scheme = |name: &&str| SecurityRequirement::new::<_, _, String>(*name, []);
            operation.security = Some(dialect.schemes.iter().map(scheme).collect());
        });
    }
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

impl Traits {
    fn of(operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let parameters: Vec<_> = parameters
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(parameter),
                RefOr::Ref(_) => None,
            })
            .collect();
        let has = |place: ParameterIn| {
            parameters
                .iter()
                .any(|parameter| parameter.parameter_in == place)
        };
        let tags = operation.tags.iter().flatten();
        Self {
            has_ids: has(ParameterIn::Path),
            has_query: has(ParameterIn::Query),
            has_body: operation.request_body.is_some(),
            is_keyed: parameters
                .iter()
                .any(|parameter| parameter.name == IDEMPOTENCY_KEY),
            is_platforms: tags.into_iter().any(|tag| tag.starts_with(PLATFORM)),
        }
    }
}

/// Adds the errors that an operation answers with, and says what those are that its handler names.
fn fail(operation: &mut Operation, dialect: &Described) {
    let traits = Traits::of(operation);
    for Failure { status, means, of } in &FAILURES {
        let responses = &mut operation.responses.responses;
        if !of(&traits) && !responses.contains_key(*status) {
            continue;
        }
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(dialect.error)))
            .build();
        let response = ResponseBuilder::new()
            .description(*means)
            .content("application/json", body)
            .build();
        responses.insert((*status).to_owned(), RefOr::T(response));
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
