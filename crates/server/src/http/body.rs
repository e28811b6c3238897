//! Reading JSON bodies: bounded, with errors that name the field.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::error::{ApiError, ApiResult};

/// How large a body may be.
#[derive(Clone, Copy)]
pub struct SizeLimit {
    /// The most bytes that are read.
    pub bytes: usize,
    /// The limit as clients are told it.
    pub told: &'static str,
}

/// A type that is read from a JSON body.
pub trait JsonBody: DeserializeOwned {
    /// How large the body may be.
    const LIMIT: SizeLimit = SizeLimit {
        bytes: 1024 * 1024,
        told: "1 MB",
    };
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: JsonBody + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            if !is_json(&request) {
                return Err(ApiError::WrongContentType("application/json"));
            }
            parse(&read(&request, payload, T::LIMIT).await?).map(Json)
        })
    }
}

/// A JSON body, or none at all.
pub struct MaybeJson<T>(pub Option<T>);

impl<T: JsonBody + 'static> FromRequest for MaybeJson<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body = read(&request, payload, T::LIMIT).await?;
            if body.is_empty() {
                return Ok(Self(None));
            }
            if !is_json(&request) {
                return Err(ApiError::WrongContentType("application/json"));
            }
            parse(&body).map(|body| Self(Some(body)))
        })
    }
}

/// A missing type counts as JSON: there is nothing else it could be.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a body of at most `limit` bytes; one that says it is larger is refused unread.
pub async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: SizeLimit,
) -> ApiResult<Bytes> {
    refuse_larger(request, limit)?;
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece
            .map_err(|_| ApiError::BadBody("The body could not be read to its end".to_owned()))?;
        if body.len() + piece.len() > limit.bytes {
            return Err(ApiError::TooLarge(limit.told));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Refuses a request by what its header says of its size.
pub fn refuse_larger(request: &HttpRequest, limit: SizeLimit) -> ApiResult<()> {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit.bytes as u64) {
        Err(ApiError::TooLarge(limit.told))
    } else {
        Ok(())
    }
}

/// Reads JSON, naming the field that does not fit.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    // serde would read a list as an object's fields in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::BadBody(
            "The body must be a JSON object".to_owned(),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        match inner.classify() {
            serde_json::error::Category::Data if path != "." => {
                let problem = inner.to_string();
                // serde_json closes its messages with the place, which says nothing once the field is named.
                let problem = problem.split(" at line ").next().unwrap_or_default();
                ApiError::Domain(domain::Error::invalid(
                    path.clone(),
                    match plain(problem) {
                        Some(problem) => format!("The '{path}' field has a wrong type: {problem}."),
                        None => format!("The '{path}' field has a wrong type or form."),
                    },
                ))
            }
            serde_json::error::Category::Data => {
                ApiError::BadBody("The body must be a JSON object".to_owned())
            }
            _ => ApiError::BadBody(format!(
                "The body is not valid JSON (line {}, column {})",
                inner.line(),
                inner.column()
            )),
        }
    })?;
    reader
        .end()
        .map_err(|_| ApiError::BadBody("The body holds more than one JSON value".to_owned()))?;
    Ok(value)
}

/// What serde says of a type, in the words of JSON; `None` where it names types of ours.
fn plain(problem: &str) -> Option<String> {
    if ["struct ", "enum ", "variant"]
        .iter()
        .any(|word| problem.contains(word))
    {
        return None;
    }
    let Some((said, expected)) = problem.rsplit_once("expected ") else {
        return Some(problem.to_owned());
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        other => other,
    };
    Some(format!("{said}expected {expected}"))
}

/// For `#[serde(default, deserialize_with = "given")]`: tells a field that is null from one that is absent.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A field that may be absent, and not null.
///
/// # Errors
/// [`domain::Error::Missing`].
pub fn not_null<T>(field: &'static str, value: Option<Option<T>>) -> domain::Result<Option<T>> {
    value
        .map(|value| value.ok_or_else(|| domain::Error::missing(field)))
        .transpose()
}
