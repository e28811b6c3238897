//! Around every request: its id, its span, its line in the log, its place in the metrics; a panic becomes an
//! answer, and what was begun is finished, also when the client has gone.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpResponse, ResponseError};
use percent_encoding::percent_decode_str;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument;

use super::dialects::Dialect;
use super::error::ApiError;
use crate::state::State;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware.
pub async fn observe(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let id = request_id(&state, &request);
    let method = request.method().clone();
    let dialect = Dialect::of(request.path());
    // The pattern, not the path: a path may hold a visitor's name.
    let route = request
        .match_pattern()
        .unwrap_or_else(|| "unknown".to_owned());
    let span = tracing::info_span!("request", id = %id.to_str().unwrap_or_default(), %method, route, tenant = tracing::field::Empty, status = tracing::field::Empty);
    let token = state.tasks.token();
    let result = if state.is_draining() {
        Err(ApiError::ShuttingDown.into())
    } else if percent_decode_str(request.uri().path())
        .decode_utf8()
        .is_err()
    {
        // Else they would be mended, and two names become one.
        Err(ApiError::BadPath.into())
    } else {
        // In a task of its own: dropping this future (the client hung up) does not stop it.
        let task = actix_web::rt::spawn(next.call(request).instrument(span.clone()));
        task.await.unwrap_or_else(|_| {
            Err(ApiError::Domain(domain::Error::internal("a request handler panicked")).into())
        })
    };
    let (status, result) = match result {
        Ok(response) => {
            let mut response = dialect.retell(response);
            response.headers_mut().insert(REQUEST_ID, id);
            (
                response.status(),
                Ok(response.map_body(|_, body| {
                    BoxBody::new(Held {
                        body: BoxBody::new(body),
                        _token: token,
                    })
                })),
            )
        }
        Err(error) => {
            let error = dialect.retell_error(error);
            let status = error.as_response_error().status_code();
            (status, Err(Identified { error, id }.into()))
        }
    };
    let took = began.elapsed();
    span.record("status", status.as_u16());
    state
        .metrics
        .request(method.as_str(), &route, status.as_u16(), took);
    span.in_scope(|| tracing::info!(target: "botwright::access", took_ms = took.as_secs_f64() * 1000.0, "{}", status.as_u16()));
    result
}

/// The client's id, if it is one that can stand in a log, or a new one.
fn request_id(state: &State, request: &ServiceRequest) -> HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        value.len() <= 128
            && value
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
    });
    given
        .cloned()
        .or_else(|| HeaderValue::try_from(state.app.ids.uuid().to_string()).ok())
        .unwrap_or(HeaderValue::from_static("none"))
}

/// An answer's body that keeps the server from stopping until it has gone out.
struct Held {
    body: BoxBody,
    _token: TaskTrackerToken,
}

impl MessageBody for Held {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// An error with the request's id on its answer.
#[derive(Debug)]
struct Identified {
    error: Error,
    id: HeaderValue,
}

impl std::fmt::Display for Identified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Identified {
    fn status_code(&self) -> actix_web::http::StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        response.headers_mut().insert(REQUEST_ID, self.id.clone());
        response
    }
}
