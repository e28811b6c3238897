//! What can go wrong with a request, before or in a use case: status, headers, phrase and sentence. What body they
//! go into is each dialect's matter ([`super::dialects`]); the one here is that of `/api/v1`, which also answers for
//! paths outside any API.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use domain::{Clash, Error, Limit, Resource};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Debug)]
pub enum ApiError {
    /// What a use case said.
    Domain(Error),
    /// A required field is absent, null or blank, and what it is required for.
    Missing {
        /// The field.
        field: Cow<'static, str>,
        /// As in "creating a bot".
        doing: &'static str,
    },
    /// The path holds bytes that are no text.
    BadPath,
    /// No credential at all.
    MissingKey,
    /// There is nothing at this path.
    UnknownRoute,
    /// There is something at this path, but not for this method; the methods there are.
    MethodNotAllowed(String),
    /// The body is not JSON, or not of the shape; the sentence says where.
    BadBody(String),
    /// The body is larger than may be; the limit in words.
    TooLarge(&'static str),
    /// The body's type is not the one that is read here; the accepted ones.
    WrongContentType(&'static str),
    /// What came to a channel's hook has no proof that it is the platform's.
    UnsignedHook,
    /// What came to the hook of a channel that is not connected.
    ClosedHook,
    /// The server is going down.
    ShuttingDown,
}

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiError>;

/// The body of every error of `/api/v1`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Always false.
    #[schema(example = false)]
    pub success: bool,
    /// A short, stable phrase.
    #[schema(example = "Bot not found")]
    pub error: Cow<'static, str>,
    /// A sentence that says what to do.
    #[schema(example = "The requested bot does not exist or you don't have access")]
    pub message: Cow<'static, str>,
}

/// An error as a client is told it, before it goes into a dialect's body.
#[derive(Debug)]
pub struct Told {
    /// The status.
    pub status: StatusCode,
    /// A short, stable phrase.
    pub error: Cow<'static, str>,
    /// A sentence that says what to do.
    pub message: Cow<'static, str>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    closes: bool,
}

impl Told {
    /// The answer without its body.
    pub fn head(&self) -> HttpResponseBuilder {
        let mut response = HttpResponseBuilder::new(self.status);
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if self.closes {
            response.force_close();
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(error) => error.fmt(f),
            other => f.write_str(&other.told().error),
        }
    }
}

impl ApiError {
    /// What a use case said, with what a missing field is missing for.
    pub fn when(doing: &'static str) -> impl Fn(Error) -> Self {
        move |error| match error {
            Error::Missing { field } => Self::Missing { field, doing },
            other => Self::Domain(other),
        }
    }

    /// What a client is told, in whatever dialect.
    pub fn told(&self) -> Told {
        let (status, error, message) = self.words();
        Told {
            status,
            error,
            message,
            retry_after: self.retry_after(),
            allow: match self {
                Self::MethodNotAllowed(allow) => Some(allow.clone()),
                _ => None,
            },
            // The rest of the body is not read: the connection can't be used again.
            closes: matches!(self, Self::TooLarge(_) | Self::ShuttingDown),
        }
    }

    /// Status, phrase and sentence.
    fn words(&self) -> (StatusCode, Cow<'static, str>, Cow<'static, str>) {
        let told = |status, error: &'static str, message: &'static str| {
            (status, error.into(), message.into())
        };
        match self {
            Self::Domain(error) => of_domain(error),
            Self::Missing { field, doing } => (
                StatusCode::BAD_REQUEST,
                format!("Missing required field: {field}").into(),
                format!("The '{field}' field is required when {doing}").into(),
            ),
            Self::BadPath => told(
                StatusCode::BAD_REQUEST,
                "Invalid path",
                "The path must be percent-encoded UTF-8",
            ),
            Self::MissingKey => told(
                StatusCode::UNAUTHORIZED,
                "Missing API key",
                "Send your API key in the 'X-API-Key' header, or as a bearer token",
            ),
            Self::UnknownRoute => told(
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such endpoint; see /docs",
            ),
            Self::MethodNotAllowed(allow) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed".into(),
                format!("This endpoint takes {allow}").into(),
            ),
            Self::BadBody(problem) => (
                StatusCode::BAD_REQUEST,
                "Invalid request body".into(),
                problem.clone().into(),
            ),
            Self::TooLarge(limit) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Payload too large".into(),
                format!("The request is larger than the {limit} that are accepted").into(),
            ),
            Self::WrongContentType(accepted) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type".into(),
                format!("Send the body as {accepted}").into(),
            ),
            Self::UnsignedHook => told(
                StatusCode::UNAUTHORIZED,
                "Invalid signature",
                "The platform's signature or secret is missing, wrong or too old",
            ),
            Self::ClosedHook => told(
                StatusCode::GONE,
                "Channel not connected",
                "The channel is not connected, so it takes no messages",
            ),
            Self::ShuttingDown => told(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable",
                "The server is shutting down; try again soon",
            ),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Domain(
                Error::RateLimited { retry_after } | Error::Unavailable { retry_after },
            ) => Some(*retry_after),
            Self::ShuttingDown => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// The body as it is sent, for streams, whose status went out already.
    pub fn body(&self) -> ErrorBody {
        let told = self.told();
        ErrorBody {
            success: false,
            error: told.error,
            message: told.message,
        }
    }

    /// Writes what only operators may see.
    pub fn log(&self) {
        match self {
            Self::Domain(Error::Internal(source)) => {
                let chain = std::iter::successors(source.source(), |error| error.source());
                let causes: Vec<_> = chain.map(ToString::to_string).collect();
                tracing::error!(error = %source, causes = causes.join(": "), "internal error");
            }
            Self::Domain(error @ Error::ProviderFailed(_)) => {
                tracing::warn!(%error, "no provider answered")
            }
            _ => {}
        }
    }
}

fn of_domain(error: &Error) -> (StatusCode, Cow<'static, str>, Cow<'static, str>) {
    let told =
        |status, error: &'static str, message: &'static str| (status, error.into(), message.into());
    match error {
        Error::NotFound(resource) => {
            let noun = match resource {
                Resource::ApiKey => "API key".to_owned(),
                other => other.to_string().to_lowercase(),
            };
            (
                StatusCode::NOT_FOUND,
                format!("{resource} not found").into(),
                format!("The requested {noun} does not exist or you don't have access").into(),
            )
        }
        Error::Missing { field } => (
            StatusCode::BAD_REQUEST,
            format!("Missing required field: {field}").into(),
            format!("The '{field}' field is required").into(),
        ),
        Error::Invalid { field, problem } => (
            StatusCode::BAD_REQUEST,
            format!("Invalid field: {field}").into(),
            problem.clone().into(),
        ),
        Error::Conflict(Clash::IdempotencyKeyReused) => told(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency key reused",
            "This 'Idempotency-Key' was sent with another request before; use a new one",
        ),
        Error::Conflict(Clash::RequestUnderWay) => told(
            StatusCode::CONFLICT,
            "Request under way",
            "The first request with this 'Idempotency-Key' is still being done; try again soon",
        ),
        Error::Conflict(Clash::AlreadyExists) => told(
            StatusCode::CONFLICT,
            "Already exists",
            "Something with this id is there already",
        ),
        Error::Conflict(Clash::NotWaiting) => told(
            StatusCode::CONFLICT,
            "Execution not waiting",
            "This execution does not wait for approval, or not any more",
        ),
        Error::LimitReached(Limit::Bots) => told(
            StatusCode::FORBIDDEN,
            "Bot limit reached for current plan",
            "Upgrade your plan to create more bots",
        ),
        Error::LimitReached(Limit::Conversations) => told(
            StatusCode::FORBIDDEN,
            "Conversation limit reached for current plan",
            "Upgrade your plan to have more conversations this month",
        ),
        Error::LimitReached(Limit::Messages) => told(
            StatusCode::FORBIDDEN,
            "Message limit reached for current plan",
            "Upgrade your plan to send more messages this month",
        ),
        Error::BotInactive => told(
            StatusCode::FORBIDDEN,
            "Bot is inactive",
            "Set the bot's 'is_active' to true to have it answer",
        ),
        Error::Disabled(resource) => (
            StatusCode::FORBIDDEN,
            format!("{resource} is disabled").into(),
            "Set its 'enabled' to true first".into(),
        ),
        Error::Unauthenticated => told(
            StatusCode::UNAUTHORIZED,
            "Invalid API key",
            "API key not found or tenant inactive",
        ),
        Error::RateLimited { .. } => told(
            StatusCode::TOO_MANY_REQUESTS,
            "Rate limit exceeded",
            "Too many requests; wait as long as the 'Retry-After' header says",
        ),
        Error::Unavailable { .. } => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service unavailable",
            "The server has too much to do; nothing was done, try again soon",
        ),
        Error::ProviderFailed(_) => told(
            StatusCode::BAD_GATEWAY,
            "AI provider failed",
            "The AI provider gave no answer; the message is kept, try again later",
        ),
        Error::Internal(_) => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error",
            "Something went wrong on our side; try again",
        ),
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.words().0
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        self.told().head().json(self.body())
    }
}
