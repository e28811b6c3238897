//! The Platform API: its resources stand beside those of the Tenant API, under the same prefix and in the same envelope.

mod agent_loops;
mod body;
mod bots;
mod channels;
mod conversations;
mod customers;
mod error;
mod executions;
mod integrations;
mod products;
mod webhooks;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes to those of the prefix.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(bots::amend)
        .service(conversations::of_bot)
        .service(conversations::messages)
        .service(conversations::delete)
        .service(integrations::list)
        .service(integrations::create)
        .service(integrations::get)
        .service(integrations::update)
        .service(integrations::delete)
        .service(integrations::test)
        .service(customers::export_customer)
        .service(customers::erase_customer)
        .service(products::list_products)
        .service(products::replace_products)
        .service(agent_loops::list)
        .service(agent_loops::create)
        .service(agent_loops::get)
        .service(agent_loops::update)
        .service(agent_loops::delete)
        .service(executions::run)
        .service(executions::list)
        .service(executions::get)
        .service(executions::cancel)
        .service(executions::approve)
        .service(executions::reject)
        .service(webhooks::list)
        .service(webhooks::create)
        .service(webhooks::get)
        .service(webhooks::update)
        .service(webhooks::delete)
        .service(webhooks::rotate)
        .service(webhooks::deliveries)
        .service(webhooks::replay)
        .service(webhooks::test)
        .service(self::channels::list)
        .service(self::channels::create)
        .service(self::channels::get)
        .service(self::channels::update)
        .service(self::channels::delete)
        .service(self::channels::connect)
        .service(self::channels::disconnect);
}
