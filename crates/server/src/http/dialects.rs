//! Which dialect a path speaks, and so in which body an error is told. What is told, and with which status, is
//! [`super::error`]'s matter alone.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, ResponseError};

use super::error::{ApiError, Told};
use crate::routes::agent;

/// A way to tell errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The envelope of `/api/v1`, and of what is no API.
    Tenant,
    /// `/v1`.
    Agent,
}

impl Dialect {
    /// The dialect of a path.
    pub fn of(path: &str) -> Self {
        let below = path.strip_prefix(agent::PREFIX);
        if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            Self::Agent
        } else {
            Self::Tenant
        }
    }

    /// An answer as it is to go out: an error gets this dialect's body, and keeps its headers.
    pub fn retell<B: MessageBody + 'static>(
        self,
        response: ServiceResponse<B>,
    ) -> ServiceResponse<BoxBody> {
        let told = match response.response().error() {
            Some(error) if self == Self::Agent => error.as_error().map(ApiError::told),
            _ => None,
        };
        let Some(told) = told else {
            return response.map_into_boxed_body();
        };
        let retold = agent::error::response(&told);
        let (request, old) = response.into_parts();
        let mut response = ServiceResponse::new(request, retold);
        for (name, value) in old.headers() {
            if !response.headers().contains_key(name) {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response
    }

    /// As [`Dialect::retell`], for an error that no answer was made of yet.
    pub fn retell_error(self, error: Error) -> Error {
        match error.as_error::<ApiError>() {
            Some(problem) if self == Self::Agent => {
                problem.log();
                Retold(problem.told()).into()
            }
            _ => error,
        }
    }
}

/// An error in the body of the Agent API.
#[derive(Debug)]
struct Retold(Told);

impl std::fmt::Display for Retold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.error)
    }
}

impl ResponseError for Retold {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        agent::error::response(&self.0)
    }
}
