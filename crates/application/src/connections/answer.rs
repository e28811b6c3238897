//! Answering by a bot's own connections.

use std::sync::Arc;
use std::time::Duration;

use domain::answers::AnswerModel;
use domain::connections::{Connection, ConnectionStatus, FAILURES_MAX};
use domain::events::EventKind;
use domain::{BotId, ConnectionId, Result, TenantId};
use serde_json::json;

use super::model;
use crate::App;
use crate::answering::Failure;
use crate::webhooks::{Happened, publish};

/// How long a connection that counts as failed is left alone.
const REST: Duration = Duration::from_secs(60);

/// A connection that can be asked.
pub(crate) struct Own {
    connection: Connection,
    /// The model that it leads to.
    pub(crate) model: Arc<dyn AnswerModel>,
}

/// The connections that a bot answers by now, in their order; `as_if`: one more, as if it were enabled.
pub(crate) async fn usable(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    as_if: Option<ConnectionId>,
) -> Result<Vec<Own>> {
    let now = app.clock.now();
    let mut usable = Vec::new();
    for mut connection in app.connections.of_bot(tenant, bot).await? {
        connection.enabled |= as_if == Some(connection.id);
        let rests = connection.failed_at.is_some_and(|at| now - at < REST);
        match connection.status() {
            ConnectionStatus::Disabled => continue,
            ConnectionStatus::Failed if rests => continue,
            ConnectionStatus::Active | ConnectionStatus::Failed => {}
        }
        match model(app, &connection) {
            Ok(model) => usable.push(Own { connection, model }),
            Err(error) => failed(app, &connection, &error.to_string()).await,
        }
    }
    Ok(usable)
}

/// Keeps what came of asking a bot's own connections in turn: each of the first failures is one's, and where there are
/// fewer, the next one answered. An answer is not lost where that can't be kept.
pub(crate) async fn record(app: &App, own: &[Own], failures: &[Failure]) {
    for (own, failure) in own.iter().zip(failures) {
        failed(app, &own.connection, &failure.reason).await;
    }
    let Some(Own { connection, .. }) = own.get(failures.len()) else {
        return;
    };
    if connection.failures == 0 {
        return;
    }
    let (tenant, now) = (connection.tenant_id, app.clock.now());
    let recorded = app.connections.record(tenant, connection.id, None, now);
    if let Err(error) = recorded.await {
        tracing::warn!(connection_id = %connection.id, %error, "that an integration works again was not kept");
    }
}

async fn failed(app: &App, connection: &Connection, reason: &str) {
    let (tenant, now) = (connection.tenant_id, app.clock.now());
    let told = format!("It gave no answer: {reason}.");
    let recorded = app
        .connections
        .record(tenant, connection.id, Some(&told), now)
        .await;
    match recorded {
        Ok(Some(FAILURES_MAX)) => {
            tracing::warn!(connection_id = %connection.id, reason, "an integration has failed");
            tell(app, connection, &told).await;
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(connection_id = %connection.id, %error, "a failure of an integration was not kept");
        }
    }
}

async fn tell(app: &App, connection: &Connection, error: &str) {
    let happened = Happened {
        tenant_id: connection.tenant_id,
        bot_id: Some(connection.bot_id),
        kind: EventKind::IntegrationFailed,
        subject: connection.id.0,
        data: json!({
            "bot_id": connection.bot_id.0,
            "integration": {
                "id": connection.id.0,
                "name": connection.name,
                "kind": connection.kind.as_str(),
                "error": error,
            },
        }),
    };
    if let Err(error) = publish(app, happened).await {
        tracing::warn!(connection_id = %connection.id, %error, "that an integration has failed was not told");
    }
}
