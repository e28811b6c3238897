//! For operators and their tools: health, metrics, the API's description.

use actix_web::http::header;
use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError, get};
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::error::ApiError;
use crate::state::State;

/// The description of every API, as JSON.
pub struct Description(Bytes);

impl Description {
    /// Writes it.
    ///
    /// # Errors
    /// Where it is no JSON: a fault of the program.
    pub fn of(document: &OpenApi) -> serde_json::Result<Self> {
        Ok(Self(document.to_json()?.into()))
    }
}

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(alive)
        .service(ready)
        .service(metrics)
        .service(front)
        .service(
            SwaggerUi::new("/docs/{_:.*}")
                .config(Config::from("/openapi.json").try_it_out_enabled(true)),
        )
        .service(openapi)
        .service(docs);
}

/// The description of every API.
#[get("/openapi.json")]
async fn openapi(description: Data<Description>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(header::ContentType::json())
        .body(description.0.clone())
}

/// The process runs.
#[get("/healthz")]
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The process can do its work: the store answers, and the server is not going down.
#[get("/readyz")]
pub async fn ready(state: Data<State>) -> HttpResponse {
    if state.is_draining() {
        return HttpResponse::ServiceUnavailable().json(json!({ "status": "shutting down" }));
    }
    match state.stores.ping().await {
        Ok(()) => {
            HttpResponse::Ok().json(json!({ "status": "ready", "store": state.stores.engine() }))
        }
        Err(error) => {
            tracing::warn!(%error, "the store does not answer");
            HttpResponse::ServiceUnavailable().json(json!({ "status": "store unavailable" }))
        }
    }
}

/// Prometheus' text format, for this machine, or for who shows the operator's token.
#[get("/metrics")]
pub async fn metrics(request: HttpRequest, state: Data<State>) -> HttpResponse {
    if !may_read_metrics(&request, state.metrics_token.as_deref()) {
        return ApiError::UnknownRoute.error_response();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
        .body(state.metrics.render(&state))
}

/// From loopback, unless a proxy on this machine passed the request on for somebody else.
fn may_read_metrics(request: &HttpRequest, token: Option<&str>) -> bool {
    let headers = request.headers();
    if let (Some(token), Some(given)) = (token, headers.get(header::AUTHORIZATION)) {
        // Hashes of equal length are compared, so that the time it takes tells nothing about the token.
        let hash = |text: &[u8]| <sha2::Sha256 as sha2::Digest>::digest(text);
        return hash(given.as_bytes()) == hash(format!("Bearer {token}").as_bytes());
    }
    let proxied = ["forwarded", "x-forwarded-for", "x-real-ip"]
        .iter()
        .any(|name| headers.contains_key(*name));
    !proxied
        && request
            .peer_addr()
            .is_some_and(|peer| peer.ip().is_loopback())
}

/// The front door leads to the API's description, until there is a dashboard.
#[get("/")]
pub async fn front() -> HttpResponse {
    docs_redirect()
}

#[get("/docs")]
pub async fn docs() -> HttpResponse {
    docs_redirect()
}

fn docs_redirect() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}
