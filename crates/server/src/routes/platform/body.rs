//! Bodies and query parameters of the Platform API: read as everywhere, refused in its way.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::error::{PlatformError, PlatformResult};
use crate::http::body::{self, JsonBody};
use crate::http::params;

/// A JSON body.
pub struct Json<T>(pub T);

/// A JSON body, or none at all.
pub struct MaybeJson<T>(pub Option<T>);

/// Query parameters.
pub struct Query<T>(pub T);

impl<T: JsonBody + 'static> FromRequest for Json<T> {
    type Error = PlatformError;
    type Future = Pin<Box<dyn Future<Output = PlatformResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = body::Json::from_request(request, payload);
        Box::pin(async move { Ok(Self(read.await?.0)) })
    }
}

impl<T: JsonBody + 'static> FromRequest for MaybeJson<T> {
    type Error = PlatformError;
    type Future = Pin<Box<dyn Future<Output = PlatformResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = body::MaybeJson::from_request(request, payload);
        Box::pin(async move { Ok(Self(read.await?.0)) })
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = PlatformError;
    type Future = std::future::Ready<PlatformResult<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = params::Query::from_request(request, payload).into_inner();
        std::future::ready(read.map(|query| Self(query.0)).map_err(PlatformError::from))
    }
}
