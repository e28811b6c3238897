//! Errors as the Agent API tells them. Its document shows none; this is the shape that its peers have.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::error::Told;

/// The body of every error of the Agent API.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentErrorBody {
    /// The status.
    #[schema(example = 404)]
    status_code: u16,
    /// The status in words.
    #[schema(example = "Not Found")]
    error: &'static str,
    /// What is wrong, and what to do.
    #[schema(
        example = "Conversation not found: The requested conversation does not exist or you don't have access"
    )]
    message: String,
}

/// The body that tells an error.
pub fn body(told: &Told) -> AgentErrorBody {
    AgentErrorBody {
        status_code: told.status.as_u16(),
        error: told.status.canonical_reason().unwrap_or("Error"),
        message: format!("{}: {}", told.error, told.message),
    }
}

/// The answer that tells an error.
pub fn response(told: &Told) -> HttpResponse {
    told.head().json(body(told))
}
