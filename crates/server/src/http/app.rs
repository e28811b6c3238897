//! The server's routes and middleware, put together.

use actix_web::web::{Data, ServiceConfig};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt;

use crate::routes::{self, Methods, operations, tenant};

/// The description of every API, as `/openapi.json` shows it.
pub fn description() -> OpenApi {
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(tenant::base())
        .configure(tenant::configure);
    let (_, mut document) = app.split_for_parts();
    tenant::describe(&mut document);
    document
}

/// Adds all routes.
pub fn configure(config: &mut ServiceConfig, description: OpenApi) {
    config.app_data(Data::new(Methods::of(&description)));
    let mut described = utoipa_actix_web::service_config::ServiceConfig::new(config);
    tenant::configure(&mut described);
    operations::configure(config, description);
    config.default_service(actix_web::web::to(routes::nowhere));
}
