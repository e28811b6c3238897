use std::time::Duration;

use domain::Result;

use crate::App;

/// Conversations marked in one transaction, so that the store's writer is never held for long.
const BATCH: u32 = 200;

/// Marks the conversations, of all tenants, whose visitors have been silent for `silence` after the bot
/// spoke. Answers how many.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "conversations.abandon", skip_all)]
pub async fn abandon(app: &App, silence: Duration) -> Result<u32> {
    let now = app.clock.now();
    let mut all = 0;
    loop {
        let marked = app.conversations.abandon(now - silence, BATCH, now).await?;
        all += marked;
        if marked < BATCH {
            return Ok(all);
        }
    }
}
