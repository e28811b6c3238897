//! The Agent API, under `/v1`: one bot, and what hangs on it, for whoever has a key of that bot.

mod analytics;
mod chat;
mod conversations;
pub mod error;
mod events;
mod insights;
mod integrations;
mod knowledge;
mod lists;
mod orders;
mod people;
mod profile;
mod words;

use actix_web::middleware::from_fn;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use super::openapi::Described;
use crate::http::authentication;

/// Where the API stands.
pub const PREFIX: &str = "/v1";

/// What the OpenAPI document says of it.
pub const DESCRIBED: Described = Described {
    prefix: PREFIX,
    names: "agent_",
    error: "AgentErrorBody",
    schemes: &["bot_key"],
    keyed: false,
};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let routes = scope(PREFIX)
        .service(profile::get)
        .service(chat::send)
        .service(conversations::list)
        .service(conversations::get)
        .service(conversations::list_messages)
        .service(conversations::feedback)
        .service(events::record)
        .service(self::analytics::get)
        .service(self::analytics::get_revenue)
        .service(orders::record)
        .service(orders::list)
        .service(self::insights::get_sentiment)
        .service(self::insights::list_intents)
        .service(self::insights::list_products)
        .service(self::insights::list_questions)
        .service(people::list_customers)
        .service(people::list_leads)
        .service(people::keep_lead)
        .service(people::list_emails)
        .service(knowledge::list)
        .service(integrations::list)
        .wrap(from_fn(authentication::bot));
    config.service(routes);
}
