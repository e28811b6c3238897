//! The Tenant API, under `/api/v1`.

mod analytics;
pub(super) mod bots;
pub(super) mod conversations;
mod embeddings;
pub(super) mod envelope;
mod evaluations;
mod keys;
mod knowledge;
mod receipts;
mod tenants;
mod words;

use actix_web::middleware::from_fn;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use super::openapi::Described;
use super::platform;
use crate::http::{authentication, idempotency};

/// Where the API stands.
pub const PREFIX: &str = "/api/v1";

/// What the OpenAPI document says of it.
pub const DESCRIBED: Described = Described {
    prefix: PREFIX,
    names: "",
    error: "ErrorBody",
    schemes: &["api_key", "bearer"],
    keyed: true,
};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let routes = scope(PREFIX)
        .service(tenants::info)
        .service(tenants::usage)
        .service(bots::list)
        .service(bots::create)
        .service(bots::get)
        .service(bots::update)
        .service(bots::delete)
        .service(keys::create)
        .service(keys::list)
        .service(keys::revoke)
        .service(conversations::list)
        .service(conversations::get)
        .service(conversations::send)
        .service(conversations::end)
        .service(receipts::get)
        .service(embeddings::show)
        .service(embeddings::compare)
        .service(embeddings::switch)
        .service(evaluations::begin)
        .service(evaluations::list)
        .service(evaluations::get)
        .service(analytics::overview)
        .service(analytics::conversations)
        .service(knowledge::list)
        .service(knowledge::create)
        .service(knowledge::get)
        .service(knowledge::update)
        .service(knowledge::delete)
        .service(knowledge::refresh)
        .service(knowledge::events)
        .service(knowledge::upload)
        .service(knowledge::scrape)
        .service(knowledge::search)
        .configure(platform::configure)
        // The last one is the outermost.
        .wrap(from_fn(idempotency::once))
        .wrap(from_fn(authentication::tenant));
    config.service(routes);
}
