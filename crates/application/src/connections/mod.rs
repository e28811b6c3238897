//! What can be done with the connections of bots to their owners' models, which clients know as integrations.

mod answer;
mod create;
mod delete;
mod get;
mod test;
mod update;

pub(crate) use answer::{record, usable};
pub use create::create;
pub use delete::delete;
pub use get::{get, list};
pub use test::{Tested, test};
pub use update::update;

use std::sync::Arc;

use domain::Result;
use domain::answers::AnswerModel;
use domain::connections::{CREDENTIAL, Connection, Credential};
use domain::secrets::SecretContext;
use domain::trials::Change;

use crate::App;
use crate::evaluations::gate;

/// Where the credential of a connection is kept.
fn place(connection: &Connection) -> SecretContext {
    SecretContext {
        tenant_id: connection.tenant_id,
        row: connection.id.0,
        purpose: CREDENTIAL,
    }
}

fn seal(app: &App, connection: &Connection, credential: &Credential) -> Result<Vec<u8>> {
    app.secrets
        .seal(&place(connection), credential.reveal().as_bytes())
}

/// Of a gated bot, a connection is kept as one that is not used, and used once the bot's evaluation has not fallen with
/// it. Answers whether it waits for that.
async fn held_back(app: &App, connection: &mut Connection) -> Result<bool> {
    let waits =
        connection.enabled && gate::is_gated(app, connection.tenant_id, connection.bot_id).await?;
    connection.enabled &= !waits;
    Ok(waits)
}

async fn propose(app: &App, connection: &Connection) -> Result<()> {
    let change = Change::EnableConnection {
        connection_id: connection.id,
    };
    gate::propose(app, connection.tenant_id, connection.bot_id, change)
        .await
        .map(|_| ())
}

/// The model that a connection leads to.
fn model(app: &App, connection: &Connection) -> Result<Arc<dyn AnswerModel>> {
    let credential = match &connection.credential {
        Some(sealed) => {
            let clear = app.secrets.open(&place(connection), sealed)?;
            Some(Credential::from_bytes(clear)?)
        }
        None => None,
    };
    app.models.model(connection, credential.as_ref())
}
