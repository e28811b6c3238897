//! The models that run a loop.

use std::sync::Arc;

use domain::agent_loops::AgentLoop;
use domain::connections::Connection;
use domain::tool_models::ToolModel;
use domain::{BotId, ConnectionId, Error, Resource, Result, TenantId};

use crate::App;
use crate::connections::{model, usable};

/// A model that may take the next turn.
pub(crate) struct Candidate {
    /// The connection that leads to it; `None`: it is the operator's.
    pub connection: Option<Connection>,
    pub model: Arc<dyn ToolModel>,
}

/// The bot of a loop that is given a bot, a connection, or both, which then belong together.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Missing`] (`bot_id`); [`Error::Invalid`] (`integration_id`).
pub(super) async fn owner(
    app: &App,
    tenant: TenantId,
    bot: Option<BotId>,
    connection: Option<ConnectionId>,
) -> Result<BotId> {
    if let Some(bot) = bot
        && app.bots.find(tenant, bot).await?.is_none()
    {
        return Err(Error::NotFound(Resource::Bot));
    }
    let Some(connection) = connection else {
        return bot.ok_or(Error::missing("bot_id"));
    };
    let found = app.connections.find(tenant, connection).await?;
    let owner = found.ok_or(Error::NotFound(Resource::Connection))?.bot_id;
    match bot {
        Some(bot) if bot != owner => Err(Error::invalid(
            "integration_id",
            "The 'integration_id' field must name an integration of the bot.",
        )),
        _ => Ok(owner),
    }
}

/// Whether there is a model that can run a loop at all.
///
/// # Errors
/// [`Error::Invalid`], naming what to do about it.
pub(crate) async fn check_model(app: &App, agent_loop: &AgentLoop) -> Result<()> {
    let (tenant, bot) = (agent_loop.tenant_id, agent_loop.bot_id);
    if let Some(id) = agent_loop.program.connection_id {
        let missing = || {
            Error::invalid(
                "integration_id",
                "The integration of this loop is gone: choose another one.",
            )
        };
        let connection = app
            .connections
            .find(tenant, id)
            .await?
            .ok_or_else(missing)?;
        return match model(app, &connection)?.tools {
            Some(_) => Ok(()),
            None => Err(Error::invalid(
                "integration_id",
                "The 'integration_id' field must name an integration of kind openai, anthropic or ollama: your own \
                 endpoint can't call tools.",
            )),
        };
    }
    if !app.tool_models.is_empty() {
        return Ok(());
    }
    for connection in app.connections.of_bot(tenant, bot).await? {
        if model(app, &connection).is_ok_and(|model| model.tools.is_some()) {
            return Ok(());
        }
    }
    Err(Error::invalid(
        "bot_id",
        "This bot has no model that calls tools, and quoting its knowledge is not enough for a loop: give it an \
         integration of kind openai, anthropic or ollama, or have the operator set BOTWRIGHT_LLM_PROVIDER.",
    ))
}

/// The models to be asked for the next turn of a loop, in their order: that of its connection alone, or those of its bot
/// and then the operator's.
///
/// # Errors
/// [`Error::Invalid`]: the loop's connection can't be used any more.
pub(crate) async fn candidates(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    connection: Option<ConnectionId>,
) -> Result<Vec<Candidate>> {
    if let Some(id) = connection {
        let Some(connection) = app.connections.find(tenant, id).await? else {
            return Ok(Vec::new());
        };
        let tools = model(app, &connection)?.tools;
        let candidate = tools.map(|model| Candidate {
            connection: Some(connection),
            model,
        });
        return Ok(candidate.into_iter().collect());
    }
    let own = usable(app, tenant, bot, None).await?;
    let own = own.into_iter().filter_map(|own| {
        Some(Candidate {
            model: own.model.tools?,
            connection: Some(own.connection),
        })
    });
    let operators = app.tool_models.iter().map(|model| Candidate {
        connection: None,
        model: Arc::clone(model),
    });
    Ok(own.chain(operators).collect())
}
