//! `/hooks`: where platforms send what visitors write. What opens it is the platform's own proof, and what it answers is
//! for the platform; so it is no part of any API.

use actix_web::http::header;
use actix_web::web::{Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, route};
use application::channels::{Hooked, hooked, receive};
use domain::bots::ChannelType;
use domain::channels::Inbound;

use crate::http::body::{self, SizeLimit};
use crate::http::error::{ApiError, ApiResult};
use crate::http::params;
use crate::state::State;

/// The largest request; the platforms' are far smaller.
const LIMIT: SizeLimit = SizeLimit {
    bytes: 1024 * 1024,
    told: "1 MB",
};
/// The largest mail: gateways send attachments along, as much as the mail may have (Postmark's 35 MB).
const MAIL_LIMIT: SizeLimit = SizeLimit {
    bytes: 36 * 1024 * 1024,
    told: "36 MB",
};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(hook);
}

#[route("/hooks/{channel_id}", method = "GET", method = "POST")]
async fn hook(
    state: Data<State>,
    channel_id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> ApiResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    let payload = payload.into_inner();
    let channel = hooked(&state.app, id).await?;
    let limit = match channel.kind() {
        ChannelType::Email => MAIL_LIMIT,
        _ => LIMIT,
    };
    let body = body::read(&request, payload, limit).await?;
    let inbound = Inbound {
        method: request.method().as_str().to_owned(),
        query: query(&request),
        headers: headers(&request),
        body: body.into(),
        received_at: state.app.clock.now(),
    };
    match receive(&state.app, &channel, &inbound).await? {
        Hooked::Taken(None) => Ok(HttpResponse::Ok().finish()),
        Hooked::Taken(Some(answer)) => Ok(HttpResponse::Ok()
            .content_type(header::ContentType::plaintext())
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(answer)),
        Hooked::Unsigned => Err(ApiError::UnsignedHook),
        Hooked::Malformed => Err(ApiError::BadBody(
            "The request is not what the platform is documented to send".to_owned(),
        )),
        Hooked::Closed => Err(ApiError::ClosedHook),
    }
}

/// The query's names and values; what can't be read proves nothing.
fn query(request: &HttpRequest) -> Vec<(String, String)> {
    let read = actix_web::web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    read.map(actix_web::web::Query::into_inner)
        .unwrap_or_default()
}

fn headers(request: &HttpRequest) -> Vec<(String, String)> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter();
    headers
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}
