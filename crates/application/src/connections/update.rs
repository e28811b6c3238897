use domain::actors::Actor;
use domain::connections::{Connection, ConnectionChanges};
use domain::{ConnectionId, Error, Resource, Result};
use validator::Validate;

use super::{get, held_back, model, propose, seal};
use crate::App;

/// Changes the fields given. It counts as new after that: what it failed at before is forgotten, and a gated bot answers
/// by it once its evaluation has not fallen with it.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "connections.update", skip_all)]
pub async fn update(
    app: &App,
    actor: &Actor,
    id: ConnectionId,
    changes: ConnectionChanges,
) -> Result<Connection> {
    changes.validate()?;
    let mut connection = get(app, actor, id).await?;
    // A key that was given for one address is not sent to another one.
    if let Some(base_url) = &changes.base_url
        && *base_url != connection.base_url
        && connection.credential.is_some()
        && changes.credential.is_none()
    {
        return Err(Error::invalid(
            "api_key",
            "The 'api_key' field must come along when 'base_url' changes; null for none.",
        ));
    }
    connection.name = changes.name.unwrap_or(connection.name);
    connection.base_url = changes.base_url.unwrap_or(connection.base_url);
    connection.model = changes.model.unwrap_or(connection.model);
    connection.enabled = changes.enabled.unwrap_or(connection.enabled);
    connection.updated_at = app.clock.now();
    if let Some(credential) = changes.credential {
        connection.credential = match credential {
            Some(credential) => Some(seal(app, &connection, &credential)?),
            None => None,
        };
    }
    model(app, &connection)?;
    let waits = held_back(app, &mut connection).await?;
    let kept = app.connections.update(&connection).await?;
    let kept = kept.ok_or(Error::NotFound(Resource::Connection))?;
    if waits {
        propose(app, &kept).await?;
    }
    Ok(kept)
}
