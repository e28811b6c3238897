//! The server's routes and middleware, put together.

use actix_web::web::{Data, ServiceConfig};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt;

use crate::routes::{self, Methods, agent, hooks, openapi, operations, tenant};

/// The description of every API, as `/openapi.json` shows it.
pub fn description() -> OpenApi {
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(openapi::base())
        .configure(tenant::configure)
        .configure(agent::configure);
    let (_, mut document) = app.split_for_parts();
    for dialect in [tenant::DESCRIBED, agent::DESCRIBED] {
        openapi::describe(&mut document, &dialect);
    }
    openapi::group(&mut document);
    document
}

/// What is made of the description once, for all workers: of the tree itself each would keep megabytes.
#[derive(Clone)]
pub struct Described {
    /// As JSON.
    text: Data<operations::Description>,
    methods: Data<Methods>,
}

impl Described {
    /// Makes it.
    ///
    /// # Errors
    /// Where the description is no JSON: a fault of the program.
    pub fn new() -> serde_json::Result<Self> {
        let description = description();
        Ok(Self {
            text: Data::new(operations::Description::of(&description)?),
            methods: Data::new(Methods::of(&description)),
        })
    }
}

/// Adds all routes.
pub fn configure(config: &mut ServiceConfig, described: Described) {
    config.app_data(described.methods).app_data(described.text);
    let mut collected = utoipa_actix_web::service_config::ServiceConfig::new(config);
    tenant::configure(&mut collected);
    agent::configure(&mut collected);
    hooks::configure(config);
    operations::configure(config);
    config.default_service(actix_web::web::to(routes::nowhere));
}
