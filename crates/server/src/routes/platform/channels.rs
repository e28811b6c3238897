//! Channels: the platforms that a bot talks on.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use application::App;
use application::channels::{Change, Create, hook_path, hook_url};
use domain::Result;
use domain::channels::{Channel, ChannelCredentials, ChannelSettings, read_kind};
use domain::text::required;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::{JsonBody, given, not_null};
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::routes::platform::body::{Json, Query};
use crate::routes::tenant::envelope;
use crate::state::State;

/// A channel. Its credentials are never shown.
#[derive(Serialize, ToSchema)]
pub struct ChannelView {
    id: Uuid,
    bot_id: Uuid,
    /// `webchat`, `telegram`, `whatsapp`, `messenger`, `slack` or `email`.
    #[serde(rename = "type")]
    #[schema(example = "telegram")]
    kind: &'static str,
    #[schema(example = "Our Telegram bot")]
    name: String,
    /// As they were set, with the defaults filled in.
    #[schema(value_type = Object)]
    settings: Value,
    /// `connected`, `disconnected` or `error` (it could not be connected).
    #[schema(example = "connected")]
    status: &'static str,
    /// Why it is not as it should be.
    reason: Option<String>,
    /// The account, as the platform named it when it was last connected.
    #[schema(example = "@shop_bot")]
    account: Option<String>,
    /// Where the platform sends its messages, on this server.
    #[schema(example = "/hooks/0190163d-8694-739b-aea5-966c26f8ad91")]
    hook_path: String,
    /// The same as a whole address. Null: the operator has not set the server's public address.
    #[schema(example = "https://bots.example.com/hooks/0190163d-8694-739b-aea5-966c26f8ad91")]
    hook_url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl ChannelView {
    fn new(app: &App, channel: Channel) -> Self {
        Self {
            id: channel.id.0,
            bot_id: channel.bot_id.0,
            kind: channel.kind().as_str(),
            settings: channel.settings.to_json(),
            status: channel.status.as_str(),
            hook_path: hook_path(channel.id),
            hook_url: hook_url(app, channel.id),
            name: channel.name,
            reason: channel.reason,
            account: channel.account,
            created_at: channel.created_at,
            updated_at: channel.updated_at,
        }
    }
}

/// Which page of a bot's channels.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListChannels {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// A channel to be made. Null counts as absent.
#[derive(Deserialize, ToSchema)]
pub struct CreateChannel {
    /// `webchat`, `telegram`, `whatsapp`, `messenger`, `slack` or `email`
    #[serde(rename = "type")]
    #[schema(required, nullable = false, example = "telegram")]
    kind: Option<String>,
    /// Its name (1 to 200 characters)
    #[schema(required, nullable = false, example = "Our Telegram bot")]
    name: Option<String>,
    /// What the type needs and may be shown, such as `phone_number_id` of WhatsApp
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// What the type needs and may not be shown, such as `bot_token` of Telegram. Stored encrypted, never shown
    #[schema(value_type = Option<Object>)]
    credentials: Option<Value>,
}

impl JsonBody for CreateChannel {}

impl CreateChannel {
    fn read(self, id: Uuid) -> Result<Create> {
        let kind = read_kind(&required("type", self.kind)?)?;
        Ok(Create {
            id: id.into(),
            name: required("name", self.name)?,
            settings: ChannelSettings::read(kind, &self.settings.unwrap_or_default())?,
            credentials: ChannelCredentials::read(kind, &self.credentials.unwrap_or_default())?,
        })
    }
}

/// A change to a channel: only the fields given change. With other settings or credentials, it has to be connected again.
#[derive(Deserialize, ToSchema)]
pub struct UpdateChannel {
    /// New name
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// New settings, all of them
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    settings: Option<Option<Value>>,
    /// New credentials, all of them; they must come along when a mail server changes
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    credentials: Option<Option<Value>>,
}

impl JsonBody for UpdateChannel {}

impl UpdateChannel {
    fn read(self) -> Result<Change> {
        Ok(Change {
            name: self.name.map(|name| required("name", name)).transpose()?,
            settings: not_null("settings", self.settings)?,
            credentials: not_null("credentials", self.credentials)?,
        })
    }
}

/// List channels
///
/// Newest first.
#[utoipa::path(tag = "Platform API: Channels", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ListChannels), responses((status = 200, body = envelope::Listed<ChannelView>)))]
#[get("/bots/{bot_id}/channels")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    query: Query<ListChannels>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let bot = params::bot_id(&bot_id)?;
    let found = application::channels::list(&state.app, &caller.0, bot, page).await?;
    let view = |channel| ChannelView::new(&state.app, channel);
    Ok(envelope::listed(found, page, view))
}

/// Create channel
///
/// It is to be connected next.
#[utoipa::path(tag = "Platform API: Channels", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), request_body = CreateChannel, responses((status = 201, body = envelope::Data<ChannelView>)))]
#[post("/bots/{bot_id}/channels")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    id: OperationId,
    body: Json<CreateChannel>,
) -> PlatformResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let command = body.0.read(id.0)?;
    let made = application::channels::create(&state.app, &caller.0, bot, command).await?;
    let view = ChannelView::new(&state.app, made);
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Get channel
#[utoipa::path(tag = "Platform API: Channels", params(("channel_id" = String, Path, description = "Unique identifier of the channel")), responses((status = 200, body = envelope::Data<ChannelView>)))]
#[get("/channels/{channel_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    channel_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    let found = application::channels::get(&state.app, &caller.0, id).await?;
    let view = ChannelView::new(&state.app, found);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Update channel
#[utoipa::path(tag = "Platform API: Channels", params(("channel_id" = String, Path, description = "Unique identifier of the channel")), request_body = UpdateChannel, responses((status = 200, body = envelope::Data<ChannelView>)))]
#[patch("/channels/{channel_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    channel_id: Path<String>,
    body: Json<UpdateChannel>,
) -> PlatformResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    let change = body.0.read()?;
    let changed = application::channels::change(&state.app, &caller.0, id, change).await?;
    let view = ChannelView::new(&state.app, changed);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Delete channel
///
/// Its conversations stay.
#[utoipa::path(tag = "Platform API: Channels", params(("channel_id" = String, Path, description = "Unique identifier of the channel")), responses((status = 200, body = envelope::Done)))]
#[delete("/channels/{channel_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    channel_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    application::channels::delete(&state.app, &caller.0, id).await?;
    Ok(envelope::done("Channel deleted successfully"))
}

/// Connect channel
///
/// Tries the credentials, and has the platform send its messages here where that can be asked of it. What came of it is
/// the channel's `status`, with the reason. May be done again at any time.
#[utoipa::path(tag = "Platform API: Channels", params(("channel_id" = String, Path, description = "Unique identifier of the channel")), responses((status = 200, body = envelope::Data<ChannelView>)))]
#[post("/channels/{channel_id}/connect")]
pub(super) async fn connect(
    state: Data<State>,
    caller: Caller,
    channel_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    let tried = application::channels::connect(&state.app, &caller.0, id).await?;
    let view = ChannelView::new(&state.app, tried);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Disconnect channel
///
/// Nothing more is taken or answered; what waits goes on if it is connected again within a day.
#[utoipa::path(tag = "Platform API: Channels", params(("channel_id" = String, Path, description = "Unique identifier of the channel")), responses((status = 200, body = envelope::Data<ChannelView>)))]
#[post("/channels/{channel_id}/disconnect")]
pub(super) async fn disconnect(
    state: Data<State>,
    caller: Caller,
    channel_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::channel_id(&channel_id)?;
    let left = application::channels::disconnect(&state.app, &caller.0, id).await?;
    let view = ChannelView::new(&state.app, left);
    Ok(envelope::data(StatusCode::OK, view))
}
