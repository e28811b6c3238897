//! `/bots`, as far as the Platform API adds to it.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch};

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::routes::platform::body::Json;
use crate::routes::tenant::bots::{UpdateBot, UpdatedBot, change};
use crate::routes::tenant::envelope;
use crate::state::State;

/// Amend bot
#[utoipa::path(tag = "Platform API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot to update")), request_body = UpdateBot, responses((status = 200, body = envelope::Data<UpdatedBot>)))]
#[patch("/bots/{bot_id}")]
pub(super) async fn amend(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    body: Json<UpdateBot>,
) -> PlatformResult<HttpResponse> {
    Ok(change(&state, &caller, &bot_id, body.0).await?)
}
