//! Who is asking, and how often: before every route of an API.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use application::rate_limits::Rate;
use domain::actors::{Actor, Scope};

use super::error::ApiError;
use crate::state::State;

/// The one who asks, for handlers.
pub struct Caller(pub Arc<Actor>);

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Absent only where a route stands outside the scope that authenticates: refused, not trusted.
        let actor = request.extensions().get::<Arc<Actor>>().cloned();
        ready(actor.map(Self).ok_or(ApiError::MissingKey))
    }
}

/// Middleware: lets pass who shows a good key of a tenant and keeps to its rate.
pub async fn tenant(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    authenticate(&state, request, next, |scope| scope == Scope::Tenant).await
}

/// Middleware: lets pass who shows a good key of a bot and keeps to its rate.
pub async fn bot(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    authenticate(&state, request, next, |scope| {
        matches!(scope, Scope::Bot(_))
    })
    .await
}

/// Another key than those that open this API is told no more than an unknown one.
async fn authenticate(
    state: &State,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    opens: fn(Scope) -> bool,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // What is nowhere is nowhere for everybody.
    if request.match_pattern().is_none() {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let actor = match credential(request.headers()) {
        None => Err(ApiError::MissingKey),
        Some(credential) => state
            .authenticator
            .authenticate(&state.app, credential)
            .await
            .map_err(ApiError::from),
    };
    let actor = actor?;
    if !opens(actor.scope) {
        return Err(ApiError::Domain(domain::Error::Unauthenticated).into());
    }
    tracing::Span::current().record("tenant", tracing::field::display(actor.tenant_id()));
    let address = state.proxies.client(request.peer_addr(), request.headers());
    let rate = state.rates.admit(&actor, address, state.app.clock.now());
    if let Some(rate) = rate.filter(|rate| !rate.allowed) {
        let error = ApiError::Domain(domain::Error::RateLimited {
            retry_after: rate.reset_after,
        });
        let mut response = request.error_response(error);
        tell(response.headers_mut(), rate);
        return Ok(response);
    }
    request.extensions_mut().insert(actor);
    let mut response = next.call(request).await?;
    if let Some(rate) = rate {
        tell(response.headers_mut(), rate);
    }
    Ok(response.map_into_boxed_body())
}

/// The credential, from whichever header carries it.
fn credential(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok().map(str::trim);
    }
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers-10, and the three headers of
/// its earlier drafts, which are what most clients read.
fn tell(headers: &mut HeaderMap, rate: Rate) {
    let reset = rate.reset_after.as_secs_f64().ceil() as u64;
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(
        "ratelimit-policy",
        format!("\"minute\";q={};w=60", rate.limit),
    );
    set(
        "ratelimit",
        format!("\"minute\";r={};t={reset}", rate.remaining),
    );
    set("ratelimit-limit", rate.limit.to_string());
    set("ratelimit-remaining", rate.remaining.to_string());
    set("ratelimit-reset", reset.to_string());
}
