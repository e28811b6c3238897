//! Conversations, as far as the Platform API adds to them. Each goes by its id or by its session id.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get};
use application::{bots, conversations};
use domain::conversations::ConversationFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::params;
use crate::routes::platform::body::Query;
use crate::routes::tenant::conversations::{ConversationView, ListConversations, MessageView};
use crate::routes::tenant::envelope;
use crate::state::State;

/// Which page of a conversation's messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListMessages {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// List conversations of a bot
#[utoipa::path(tag = "Platform API: Conversations", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ListConversations), responses((status = 200, body = envelope::Listed<ConversationView>)))]
#[get("/bots/{bot_id}/conversations")]
pub(super) async fn of_bot(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    query: Query<ListConversations>,
) -> PlatformResult<HttpResponse> {
    let (filter, page) = query.0.read()?;
    let bot = bots::get(&state.app, &caller.0, params::bot_id(&bot_id)?).await?;
    let filter = ConversationFilter {
        bot_id: Some(bot.id),
        ..filter
    };
    let found = conversations::list(&state.app, &caller.0, filter, page).await?;
    Ok(envelope::listed(found, page, ConversationView::from))
}

/// Get messages
///
/// Oldest first.
#[utoipa::path(tag = "Platform API: Conversations", params(("session_id" = String, Path, description = "Unique session identifier, or the id of the conversation"), ListMessages), responses((status = 200, body = envelope::Listed<MessageView>)))]
#[get("/conversations/{session_id}/messages")]
pub(super) async fn messages(
    state: Data<State>,
    caller: Caller,
    session_id: Path<String>,
    query: Query<ListMessages>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let found = conversations::messages(&state.app, &caller.0, &session_id, page).await?;
    Ok(envelope::listed(found, page, MessageView::from))
}

/// Delete conversation
///
/// With all its messages. This cannot be undone; the month's usage stays as it is.
#[utoipa::path(tag = "Platform API: Conversations", params(("session_id" = String, Path, description = "Unique session identifier, or the id of the conversation")), responses((status = 200, body = envelope::Done)))]
#[delete("/conversations/{session_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    session_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    conversations::delete(&state.app, &caller.0, &session_id).await?;
    Ok(envelope::done(
        "Conversation deleted successfully".to_owned(),
    ))
}
