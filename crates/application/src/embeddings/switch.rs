use domain::embeddings::EmbeddingState;
use domain::trials::Change;
use domain::{BotId, Error, Result, TenantId};

use super::show;
use crate::App;
use crate::evaluations::gate;

/// Searches a bot by another model from now on, or by words alone (`None`), and answers the state after that. `hold`:
/// stay there, whatever other model is ready later. A gated bot is switched once its evaluation has not fallen with it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] (`model`) for one that has embedded nothing of the bot.
#[tracing::instrument(level = "debug", name = "embeddings.switch", skip_all)]
pub async fn switch(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    model: Option<&str>,
    hold: bool,
) -> Result<EmbeddingState> {
    let state = show(app, tenant, bot).await?;
    if let Some(model) = model {
        check_known(&state, model)?;
    }
    if gate::is_gated(app, tenant, bot).await? {
        let model = model.map(str::to_owned);
        let change = Change::SwitchEmbeddings { model, hold };
        gate::propose(app, tenant, bot, change).await?;
    } else {
        app.embeddings.switch(tenant, bot, model, hold).await?;
    }
    show(app, tenant, bot).await
}

/// Checks that a model has embedded something of a bot.
pub(super) fn check_known(state: &EmbeddingState, model: &str) -> Result<()> {
    if state.models.iter().any(|known| known.model == model) {
        return Ok(());
    }
    let known: Vec<_> = state
        .models
        .iter()
        .map(|known| known.model.as_str())
        .collect();
    let choice = match known.as_slice() {
        [] => "there is none yet".to_owned(),
        known => format!("one of: {}", known.join(", ")),
    };
    Err(Error::invalid(
        "model",
        format!(
            "The 'model' field must be a model that has embedded knowledge of this bot; {choice}."
        ),
    ))
}
