//! `/bots`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use application::bots;
use domain::Result;
use domain::bots::{Bot, BotChanges, BotFilter, BotRole, ChannelType, NewBot, Personality};
use domain::language::Language;
use domain::text::required;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{envelope, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody, given, not_null};
use crate::http::error::{ApiError, ApiResult};
use crate::http::idempotency::OperationId;
use crate::http::params::{self, Query};
use crate::state::State;

/// A bot.
#[derive(Serialize, ToSchema)]
pub struct BotView {
    id: Uuid,
    #[schema(example = "Customer Support Bot")]
    name: String,
    #[schema(schema_with = words::channel_type)]
    channel_type: &'static str,
    description: Option<String>,
    welcome_message: Option<String>,
    /// The prompt in force: the one given, or one composed from name, role, personality and language.
    system_prompt: String,
    is_active: bool,
    /// Whether it answers where a message names no bot.
    is_default: bool,
    /// Whether changes wait for an evaluation.
    evaluation_gate: bool,
    #[schema(schema_with = words::language)]
    language: &'static str,
    #[schema(schema_with = words::or_null::personality)]
    personality: Option<&'static str>,
    #[schema(schema_with = words::or_null::bot_role)]
    bot_role: Option<&'static str>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Bot> for BotView {
    fn from(bot: Bot) -> Self {
        Self {
            id: bot.id.0,
            system_prompt: bot.prompt(),
            name: bot.name,
            channel_type: bot.channel_type.as_str(),
            description: bot.description,
            welcome_message: bot.welcome_message,
            is_active: bot.is_active,
            is_default: bot.is_default,
            evaluation_gate: bot.evaluation_gate,
            language: bot.language.as_str(),
            personality: bot.personality.map(Personality::as_str),
            bot_role: bot.bot_role.map(BotRole::as_str),
            created_at: bot.created_at,
            updated_at: bot.updated_at,
        }
    }
}

/// A bot that was just made.
#[derive(Serialize, ToSchema)]
pub struct CreatedBot {
    #[serde(flatten)]
    bot: BotView,
    #[schema(example = "Bot created successfully")]
    message: &'static str,
}

/// A bot that was just changed.
#[derive(Serialize, ToSchema)]
pub struct UpdatedBot {
    id: Uuid,
    name: String,
    #[schema(example = "Bot updated successfully")]
    message: &'static str,
    /// The evaluation that decides on what the bot is told, where that waits for one
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_id: Option<Uuid>,
}

/// Which bots, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListBots {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Filter by channel type (webchat, whatsapp, etc.)
    #[param(schema_with = words::channel_type)]
    channel_type: Option<String>,
    /// Filter by active status
    #[param(value_type = Option<bool>)]
    is_active: Option<String>,
}

/// A bot to be made. Null counts as absent.
#[derive(Deserialize, ToSchema)]
pub struct CreateBot {
    /// Name of the bot (1 to 200 characters)
    #[schema(required, nullable = false)]
    name: Option<String>,
    /// Channel type
    #[schema(required, schema_with = words::channel_type)]
    channel_type: Option<String>,
    /// Description of the bot's purpose
    description: Option<String>,
    /// Initial message shown to users
    welcome_message: Option<String>,
    /// AI system prompt for bot behavior
    system_prompt: Option<String>,
    /// Whether the bot is active (default: true)
    is_active: Option<bool>,
    /// Primary language (default: en)
    #[schema(schema_with = words::or_null::language)]
    language: Option<String>,
    /// Bot personality
    #[schema(schema_with = words::or_null::personality)]
    personality: Option<String>,
    /// Bot role
    #[schema(schema_with = words::or_null::bot_role)]
    bot_role: Option<String>,
}

impl JsonBody for CreateBot {}

/// A change to a bot: only the fields given change, and null clears an optional one.
#[derive(Deserialize, ToSchema)]
pub struct UpdateBot {
    /// New name for the bot
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// New description
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// New welcome message
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    welcome_message: Option<Option<String>>,
    /// New system prompt; null: composed again
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    system_prompt: Option<Option<String>>,
    /// New active status
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    is_active: Option<Option<bool>>,
    /// New primary language
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = words::or_null::language)]
    language: Option<Option<String>>,
    /// New bot personality
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = words::or_null::personality)]
    personality: Option<Option<String>>,
    /// New bot role
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = words::or_null::bot_role)]
    bot_role: Option<Option<String>>,
    /// Whether changes of what the bot is told and of what it knows are made only if its evaluation does not fall
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    evaluation_gate: Option<Option<bool>>,
}

impl JsonBody for UpdateBot {}

impl CreateBot {
    fn read(self) -> Result<NewBot> {
        Ok(NewBot {
            name: required("name", self.name)?,
            channel_type: ChannelType::read(
                "channel_type",
                &required("channel_type", self.channel_type)?,
            )?,
            description: self.description,
            welcome_message: self.welcome_message,
            system_prompt: self
                .system_prompt
                .filter(|prompt| !prompt.trim().is_empty()),
            is_active: self.is_active.unwrap_or(true),
            language: self
                .language
                .map_or(Ok(Language::En), |word| Language::read("language", &word))?,
            personality: self
                .personality
                .map(|word| Personality::read("personality", &word))
                .transpose()?,
            bot_role: self
                .bot_role
                .map(|word| BotRole::read("bot_role", &word))
                .transpose()?,
        })
    }
}

impl UpdateBot {
    fn read(self) -> Result<BotChanges> {
        Ok(BotChanges {
            name: self.name.map(|name| required("name", name)).transpose()?,
            description: self.description,
            welcome_message: self.welcome_message,
            system_prompt: self
                .system_prompt
                .map(|prompt| prompt.filter(|prompt| !prompt.trim().is_empty())),
            is_active: not_null("is_active", self.is_active)?,
            language: not_null("language", self.language)?
                .map(|word| Language::read("language", &word))
                .transpose()?,
            personality: cleared_or_read(self.personality, |word| {
                Personality::read("personality", word)
            })?,
            bot_role: cleared_or_read(self.bot_role, |word| BotRole::read("bot_role", word))?,
            evaluation_gate: not_null("evaluation_gate", self.evaluation_gate)?,
        })
    }
}

fn cleared_or_read<T>(
    field: Option<Option<String>>,
    read: impl Fn(&str) -> Result<T>,
) -> Result<Option<Option<T>>> {
    field
        .map(|word| word.map(|word| read(&word)).transpose())
        .transpose()
}

/// List all bots
#[utoipa::path(tag = "Tenant API: Bots", params(ListBots), responses((status = 200, body = envelope::Listed<BotView>)))]
#[get("/bots")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListBots>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let page = params::page(query.page.as_deref(), query.per_page.as_deref())?;
    let filter = BotFilter {
        channel_type: query
            .channel_type
            .map(|word| ChannelType::read("channel_type", &word))
            .transpose()?,
        is_active: params::truth("is_active", query.is_active.as_deref())?,
    };
    let bots = bots::list(&state.app, &caller.0, filter, page).await?;
    Ok(envelope::listed(bots, page, BotView::from))
}

/// Get specific bot
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), responses((status = 200, body = envelope::Data<BotView>)))]
#[get("/bots/{bot_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let bot = bots::get(&state.app, &caller.0, params::bot_id(&bot_id)?).await?;
    Ok(envelope::data(StatusCode::OK, BotView::from(bot)))
}

/// Create new bot
#[utoipa::path(tag = "Tenant API: Bots", request_body = CreateBot, responses((status = 201, body = envelope::Data<CreatedBot>), (status = 403)))]
#[post("/bots")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    body: Json<CreateBot>,
) -> ApiResult<HttpResponse> {
    let new = body.0.read().map_err(ApiError::when("creating a bot"))?;
    let bot = bots::create(&state.app, &caller.0, id.0.into(), new).await?;
    Ok(envelope::data(
        StatusCode::CREATED,
        CreatedBot {
            bot: bot.into(),
            message: "Bot created successfully",
        },
    ))
}

/// Update bot
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot to update")), request_body = UpdateBot, responses((status = 200, body = envelope::Data<UpdatedBot>)))]
#[put("/bots/{bot_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    body: Json<UpdateBot>,
) -> ApiResult<HttpResponse> {
    Ok(change(&state, &caller, &bot_id, body.0).await?)
}

/// Changes a bot, in either dialect.
pub(in crate::routes) async fn change(
    state: &State,
    caller: &Caller,
    bot_id: &str,
    body: UpdateBot,
) -> Result<HttpResponse> {
    let id = params::bot_id(bot_id)?;
    let (bot, evaluation) = bots::update(&state.app, &caller.0, id, body.read()?).await?;
    let view = UpdatedBot {
        id: bot.id.0,
        name: bot.name,
        message: match evaluation {
            None => "Bot updated successfully",
            Some(_) => "Bot updated; its prompt changes if its evaluation does not fall",
        },
        evaluation_id: evaluation.map(Uuid::from),
    };
    Ok(envelope::data(StatusCode::OK, view))
}

/// Delete bot
///
/// All conversations, messages, and knowledge of the bot are deleted with it. This cannot be undone.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot to delete")), responses((status = 200, body = envelope::Done)))]
#[delete("/bots/{bot_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let bot = bots::delete(&state.app, &caller.0, params::bot_id(&bot_id)?).await?;
    Ok(envelope::done(format!(
        "Bot '{}' deleted successfully",
        bot.name
    )))
}
