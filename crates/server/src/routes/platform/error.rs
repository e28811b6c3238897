//! Errors of the Platform API: as those beside it, but for fields that can't be taken, which are 422 here.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use domain::Error;

use crate::http::error::ApiError;

/// Why a request was not done.
#[derive(Debug)]
pub struct PlatformError(ApiError);

/// What a handler answers.
pub type PlatformResult<T> = Result<T, PlatformError>;

impl<E: Into<ApiError>> From<E> for PlatformError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for PlatformError {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            ApiError::Missing { .. }
            | ApiError::Domain(Error::Missing { .. } | Error::Invalid { .. }) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            other => other.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.0.error_response();
        *response.status_mut() = self.status_code();
        response
    }
}
