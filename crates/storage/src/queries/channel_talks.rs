//! What conversations do with their side in a channel: write there, show what waits, and go with it. The queue is `inbox`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::channels::inbox::{Waiting, channel_of};
use domain::channels::{ChannelStatus, InboundMessage, Sender};
use domain::conversations::Post;
use domain::{BotId, Error, Result, TenantId};

use super::engine::Conn;
use super::inbox::{WaitingRow, make_due};
use super::{json, of_json};
use crate::fault::Fault;
use crate::schema::{
    channel_conversations as conversations, channel_messages as messages, channels,
};
use crate::types::{Json, Moment, key};

/// Has what the bot says on its own sent where its conversation is held, if that is in a channel of its.
pub(super) async fn send(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    session_id: &str,
    post: &Post,
) -> Result<(), Fault> {
    let unreachable = |problem: &str| Err(Error::invalid("conversation_id", problem).into());
    let Some(channel) = channel_of(session_id) else {
        return Ok(());
    };
    let status: Option<String> = channels::table
        .find((key(tenant), key(channel)))
        .filter(channels::bot_id.eq(key(bot)))
        .select(channels::status)
        .first(conn)
        .await
        .optional()?;
    match status.as_deref() {
        None => return Ok(()),
        Some(status) if status == ChannelStatus::Connected.as_str() => {}
        Some(_) => return unreachable("The channel of this conversation is not connected."),
    }
    let row = || conversations::table.find((key(tenant), key(channel), session_id));
    // Ours until the commit, as for what comes in.
    let reply: Option<Option<Json>> = diesel::update(row())
        .set(conversations::leases.eq(conversations::leases))
        .returning(conversations::reply)
        .get_result(conn)
        .await
        .optional()?;
    let Some(Some(reply)) = reply else {
        return unreachable("The visitor has written nothing in this channel for a week.");
    };
    let message = InboundMessage {
        id: String::new(),
        conversation: String::new(),
        from: Sender::default(),
        text: post.text.clone(),
        opening: false,
        sent_at: None,
        reply: of_json(reply)?,
    };
    diesel::insert_into(messages::table)
        .values((
            messages::tenant_id.eq(key(tenant)),
            messages::channel_id.eq(key(channel)),
            messages::session_id.eq(session_id),
            messages::id.eq(key(post.message_id)),
            messages::platform_id.eq(format!("own:{}", post.message_id)),
            messages::is_own.eq(true),
            messages::content.eq(json(&message)?),
            messages::received_at.eq(Moment(post.at)),
        ))
        .execute(conn)
        .await?;
    make_due(conn, tenant, key(channel), session_id, post.at).await
}

/// The rows of a conversation of one of a bot's channels.
macro_rules! of_session {
    ($table:ident, $tenant:expr, $bot:expr, $session_id:expr) => {
        $table::tenant_id
            .eq(key($tenant))
            .and(
                $table::channel_id.eq_any(
                    channels::table
                        .filter(channels::tenant_id.eq(key($tenant)))
                        .filter(channels::bot_id.eq(key($bot)))
                        .select(channels::id),
                ),
            )
            .and($table::session_id.eq($session_id))
    };
}

/// What waits in a conversation of one of a bot's channels, whichever it is.
pub(super) async fn waiting_of(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    session_id: &str,
) -> Result<Vec<Waiting>, Fault> {
    let rows: Vec<WaitingRow> = messages::table
        .filter(of_session!(messages, tenant, bot, session_id))
        .filter(messages::content.is_not_null())
        .order(messages::seq)
        .select(WaitingRow::as_select())
        .load(conn)
        .await?;
    let waiting: Vec<_> = rows
        .into_iter()
        .map(WaitingRow::read)
        .collect::<Result<_, _>>()?;
    Ok(waiting.into_iter().flatten().collect())
}

/// Erases what came for a conversation of one of a bot's channels. Who holds it holds nothing from then on.
pub(super) async fn erase(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    session_id: &str,
) -> Result<(), Fault> {
    diesel::delete(conversations::table)
        .filter(of_session!(conversations, tenant, bot, session_id))
        .execute(conn)
        .await?;
    Ok(())
}
