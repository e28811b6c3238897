//! Reading query parameters and ids. Parameters come as words and are checked here, so that each error
//! names the parameter and what it takes.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::paging::PageRequest;
use domain::{
    AgentLoopId, ApiKeyId, BotId, ChannelId, ConnectionId, Error, EvaluationId, EventId,
    ExecutionId, MessageId, Resource, Result, SourceId, WebhookId,
};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// Query parameters of a struct whose fields are all `Option<String>`. Unknown parameters are ignored.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = actix_web::web::Query::<T>::from_query(request.query_string());
        std::future::ready(read.map(|query| Self(query.into_inner())).map_err(|_| {
            ApiError::Domain(Error::invalid(
                "query",
                "The query parameters can't be read; is one of them there twice?",
            ))
        }))
    }
}

/// A whole number, if given.
///
/// # Errors
/// [`Error::Invalid`] for anything else.
pub fn number(name: &'static str, value: Option<&str>) -> Result<Option<u32>> {
    value
        .map(|text| {
            u32::from_str(text).map_err(|_| {
                Error::invalid(
                    name,
                    format!("The '{name}' parameter must be a whole number."),
                )
            })
        })
        .transpose()
}

/// A truth value in any case, as common clients send them.
///
/// # Errors
/// [`Error::Invalid`] for anything but true, false, 1 and 0.
pub fn truth(name: &'static str, value: Option<&str>) -> Result<Option<bool>> {
    let Some(text) = value else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => Err(Error::invalid(
            name,
            format!("The '{name}' parameter must be true or false."),
        )),
    }
}

/// Which page.
///
/// # Errors
/// [`Error::Invalid`] as [`PageRequest::new`].
pub fn page(page: Option<&str>, per_page: Option<&str>) -> Result<PageRequest> {
    PageRequest::new(number("page", page)?, number("per_page", per_page)?)
}

/// A bot id that selects: one that can't be any bot's selects nothing, like one of another tenant.
pub fn bot_filter(value: Option<&str>) -> Option<BotId> {
    value.map(|text| BotId::parse(text).unwrap_or(BotId(uuid::Uuid::nil())))
}

/// A bot's id in a path or body.
///
/// # Errors
/// [`Error::NotFound`]: what is no id is nobody's bot.
pub fn bot_id(text: &str) -> Result<BotId> {
    BotId::parse(text).ok_or(Error::NotFound(Resource::Bot))
}

/// An API key's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn key_id(text: &str) -> Result<ApiKeyId> {
    ApiKeyId::parse(text).ok_or(Error::NotFound(Resource::ApiKey))
}

/// A knowledge source's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn source_id(text: &str) -> Result<SourceId> {
    SourceId::parse(text).ok_or(Error::NotFound(Resource::KnowledgeSource))
}

/// A connection's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn connection_id(text: &str) -> Result<ConnectionId> {
    ConnectionId::parse(text).ok_or(Error::NotFound(Resource::Connection))
}

/// A channel's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn channel_id(text: &str) -> Result<ChannelId> {
    ChannelId::parse(text).ok_or(Error::NotFound(Resource::Channel))
}

/// A message's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn message_id(text: &str) -> Result<MessageId> {
    MessageId::parse(text).ok_or(Error::NotFound(Resource::Message))
}

/// An evaluation's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn evaluation_id(text: &str) -> Result<EvaluationId> {
    EvaluationId::parse(text).ok_or(Error::NotFound(Resource::Evaluation))
}

/// A webhook's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn webhook_id(text: &str) -> Result<WebhookId> {
    WebhookId::parse(text).ok_or(Error::NotFound(Resource::Webhook))
}

/// A delivery's id in a path: its event's.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn delivery_id(text: &str) -> Result<EventId> {
    EventId::parse(text).ok_or(Error::NotFound(Resource::Delivery))
}

/// An agent loop's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn agent_loop_id(text: &str) -> Result<AgentLoopId> {
    AgentLoopId::parse(text).ok_or(Error::NotFound(Resource::AgentLoop))
}

/// An execution's id in a path.
///
/// # Errors
/// [`Error::NotFound`], as [`bot_id`].
pub fn execution_id(text: &str) -> Result<ExecutionId> {
    ExecutionId::parse(text).ok_or(Error::NotFound(Resource::Execution))
}
