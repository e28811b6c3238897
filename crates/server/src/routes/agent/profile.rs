//! `/agent`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::bots::{self, Profile};
use domain::knowledge::SourceCounts;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::state::State;

/// The bot that the key opens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    id: Uuid,
    #[schema(example = "Support")]
    name: String,
    description: Option<String>,
    /// The model that is asked first; `extractive` where answers are quoted from the knowledge without one.
    #[schema(example = "gpt-4o-mini")]
    model: String,
    /// `UNTRAINED` (nothing to answer from), `TRAINING` (something is being read), `TRAINED`, or `FAILED` (nothing
    /// could be read).
    #[schema(example = "TRAINED")]
    training_status: &'static str,
    welcome_message: Option<String>,
    #[schema(example = "en")]
    language: &'static str,
    is_active: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Profile> for Agent {
    fn from(profile: Profile) -> Self {
        let bot = profile.bot;
        Self {
            id: bot.id.0,
            name: bot.name,
            description: bot.description,
            model: profile.model,
            training_status: training_status(profile.sources),
            welcome_message: bot.welcome_message,
            language: bot.language.as_str(),
            is_active: bot.is_active,
            created_at: bot.created_at,
            updated_at: bot.updated_at,
        }
    }
}

const fn training_status(sources: SourceCounts) -> &'static str {
    match sources {
        SourceCounts {
            processing: 1.., ..
        } => "TRAINING",
        SourceCounts { ready: 1.., .. } => "TRAINED",
        SourceCounts { failed: 1.., .. } => "FAILED",
        _ => "UNTRAINED",
    }
}

/// Get agent info
#[utoipa::path(tag = "Agent API", responses((status = 200, body = Agent)))]
#[get("/agent")]
pub(super) async fn get(state: Data<State>, caller: Caller) -> ApiResult<HttpResponse> {
    let profile = bots::profile(&state.app, &caller.0).await?;
    Ok(HttpResponse::Ok().json(Agent::from(profile)))
}
