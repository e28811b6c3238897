use domain::actors::Actor;
use domain::connections::{Connection, NewConnection};
use domain::{BotId, Clash, ConnectionId, Error, Resource, Result};
use validator::Validate;

use super::{held_back, model, propose, seal};
use crate::App;

/// Connects a bot to a model. It answers by it from then on, and by the operator's where that fails. A gated
/// bot does once its evaluation has not fallen with it.
///
/// # Errors
/// [`Error::Invalid`], for an address that can't be used too; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "connections.create", skip_all)]
pub async fn create(
    app: &App,
    actor: &Actor,
    bot: BotId,
    id: ConnectionId,
    new: NewConnection,
) -> Result<Connection> {
    new.validate()?;
    let now = app.clock.now();
    let mut connection = Connection {
        id,
        tenant_id: actor.tenant_id(),
        bot_id: bot,
        name: new.name,
        kind: new.kind,
        base_url: new.base_url,
        model: new.model,
        credential: None,
        enabled: new.enabled,
        failures: 0,
        error: None,
        failed_at: None,
        created_at: now,
        updated_at: now,
    };
    if let Some(credential) = &new.credential {
        connection.credential = Some(seal(app, &connection, credential)?);
    }
    // What can't be used is refused before it is kept.
    model(app, &connection)?;
    let waits = held_back(app, &mut connection).await?;
    match app.connections.create(&connection).await {
        Ok(()) => {
            if waits {
                propose(app, &connection).await?;
            }
            Ok(connection)
        }
        Err(Error::Conflict(Clash::AlreadyExists)) => app
            .connections
            .find(actor.tenant_id(), id)
            .await?
            .ok_or(Error::NotFound(Resource::Connection)),
        Err(error) => Err(error),
    }
}
