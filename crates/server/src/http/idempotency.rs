//! `Idempotency-Key`: a repeated POST gets the first answer and does nothing twice.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse};
use application::idempotency;
use domain::actors::Actor;
use domain::idempotency::{Admission, RecordedAnswer};
use domain::knowledge::UPLOAD_MAX;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::body::{self, SizeLimit};
use super::error::ApiError;
use crate::state::State;

/// A body is read whole to be compared: the largest one there is (an upload), and its framing.
const BODY_LIMIT: SizeLimit = SizeLimit {
    bytes: UPLOAD_MAX + FRAMING,
    told: "10 MB",
};
const FRAMING: usize = 64 * 1024;
/// An answer larger than this is not kept; none of a POST is.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// The id for what a request makes. A repeated request gets the first one's.
pub struct OperationId(pub Uuid);

impl FromRequest for OperationId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let kept = request.extensions().get::<Kept>().map(|kept| kept.0);
        let fresh = || {
            request
                .app_data::<Data<State>>()
                .map(|state| state.app.ids.uuid())
        };
        let id = kept.or_else(fresh).ok_or_else(|| {
            ApiError::Domain(domain::Error::internal("the server's state is missing"))
        });
        ready(id.map(Self))
    }
}

#[derive(Clone, Copy)]
struct Kept(Uuid);

/// Marks an answer that holds a secret: it is not kept, and a repeated request is done again.
pub struct Secret;

/// Middleware, behind authentication.
pub async fn once(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let key = request.headers().get("idempotency-key").cloned();
    let actor = request.extensions().get::<Arc<Actor>>().cloned();
    let (Some(key), Some(actor), &Method::POST) = (key, actor, request.method()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let key = key.to_str().unwrap_or_default().to_owned();
    let payload = request.take_payload();
    let body = body::read(request.request(), payload, BODY_LIMIT).await?;
    let fingerprint = fingerprint(&request, &body);
    match idempotency::begin(&state.app, &actor, &key, fingerprint)
        .await
        .map_err(ApiError::from)?
    {
        Admission::Replay(answer) => Ok(request
            .into_response(replayed(answer))
            .map_into_boxed_body()),
        Admission::Proceed { operation_id } => {
            request.extensions_mut().insert(Kept(operation_id));
            request.set_payload(Payload::from(body));
            let response = next.call(request).await?;
            Ok(keep(&state, &actor, &key, response).await)
        }
    }
}

/// Over all that makes a request that request. A multipart body is compared with its boundary: clients that
/// repeat a request send the same bytes.
fn fingerprint(request: &ServiceRequest, body: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [
        request.path().as_bytes(),
        request.query_string().as_bytes(),
        body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn replayed(answer: RecordedAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, answer.content_type))
        .insert_header(("idempotency-replayed", "true"))
        .body(answer.body)
}

/// Reads an answer whole and keeps it before it goes out: what a client has seen is what it sees again.
async fn keep(
    state: &State,
    actor: &Actor,
    key: &str,
    response: ServiceResponse<impl MessageBody>,
) -> ServiceResponse {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let is_secret = response.extensions().contains::<Secret>();
    let body = match to_bytes_limited(body, ANSWER_LIMIT).await {
        Ok(Ok(body)) => body,
        _ => Bytes::new(),
    };
    let content_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let answer = RecordedAnswer {
        status: response.status().as_u16(),
        content_type: content_type.to_owned(),
        body: body.to_vec(),
    };
    let kept = if is_secret {
        idempotency::abandon(&state.app, actor, key).await
    } else {
        idempotency::finish(&state.app, actor, key, &answer).await
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "the answer to a keyed request was not kept");
    }
    ServiceResponse::new(request, response.set_body(body).map_into_boxed_body())
}
