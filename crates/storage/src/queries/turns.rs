//! A turn: the visitor's message in, the bot's answer in. What runs most often, and so in few statements.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::bots::Bot;
use domain::conversations::{ConversationStatus, Incoming, Post, Received, Reply};
use domain::events::{Event, EventKind};
use domain::knowledge::KnowledgeState;
use domain::learning::ANSWER_WITHIN;
use domain::messages::{Author, Message, MessageType, Utterance};
use domain::{ConversationId, Error, MessageId, Resource, TenantId, Timestamp};
use serde_json::{Value, json};

use super::bots::{self, BotRow};
use super::conversations::{Locked, set_status};
use super::engine::{Conn, together};
use super::knowledge_index::StateRow;
use super::statistics::{self, Counted};
use super::usage::{self, Taken};
use super::{Runs, agent_loops, channel_talks, end_users, leads, messages, outbox};
use crate::fault::{Fault, Meaning};
use crate::schema::{bots as bot_table, conversations};
use crate::types::{Json, Key, Moment, key};

/// See [`domain::conversations::Conversations::receive`].
pub(super) async fn receive(
    conn: &mut Conn,
    tenant: TenantId,
    incoming: &Incoming,
) -> Result<Received, Fault> {
    match conversation_and_bot(conn, tenant, &incoming.session_id).await? {
        Some(found) => resume(conn, tenant, incoming, found).await,
        None => begin(conn, tenant, incoming).await,
    }
}

type Found = (ConversationId, Bot, KnowledgeState);

async fn conversation_and_bot(
    conn: &mut Conn,
    tenant: TenantId,
    session_id: &str,
) -> Result<Option<Found>, Fault> {
    let found: Option<(Key, BotRow, StateRow)> = conversations::table
        .inner_join(
            bot_table::table.on(bot_table::tenant_id
                .eq(conversations::tenant_id)
                .and(bot_table::id.eq(conversations::bot_id))),
        )
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::session_id.eq(session_id))
        .select((
            conversations::id,
            BotRow::as_select(),
            StateRow::as_select(),
        ))
        .first(conn)
        .await
        .optional()?;
    found
        .map(|(id, bot, knowledge)| Ok((id.0.into(), bot.try_into()?, knowledge.into())))
        .transpose()
}

/// The time of a message, given while its conversation is held: never before that of the message before it, although
/// requests that came side by side read the clock in another order than they were stored in.
macro_rules! not_before_the_last {
    ($at:expr) => {
        case_when(
            conversations::last_message_at.gt(Moment($at)),
            conversations::last_message_at,
        )
        .otherwise(Moment($at))
    };
}

/// A message to a conversation that is there.
async fn resume(
    conn: &mut Conn,
    tenant: TenantId,
    incoming: &Incoming,
    (id, bot, knowledge): Found,
) -> Result<Received, Fault> {
    if let Some(named) = incoming.bot_id.filter(|&named| named != bot.id) {
        if bots::resolve(conn, tenant, Some(named)).await?.is_none() {
            return Err(Error::NotFound(Resource::Bot).into());
        }
        return Err(Error::invalid(
            "bot_id",
            "The 'bot_id' field must be the bot of this conversation, which has begun with another one.",
        )
        .into());
    }
    if !bot.is_active {
        return Err(Error::BotInactive.into());
    }
    let shard = usage::shard(&incoming.limits, id);
    // From here on the conversation is ours until the commit.
    let locked = diesel::update(conversations::table.find((key(tenant), key(id))))
        .set((
            conversations::last_seq.eq(conversations::last_seq + 1),
            conversations::last_author.eq(Author::User.as_str()),
            conversations::last_message_at.eq(not_before_the_last!(incoming.at)),
            conversations::usage_shard.eq(shard),
            conversations::learn_due.eq(Moment(incoming.at + ANSWER_WITHIN)),
        ))
        .returning(Locked::as_returning())
        .get_result(conn)
        .await
        .optional()?
        // Deleted a moment ago: the message begins a new one.
        .ok_or(Fault::Again)?;
    let message = Message {
        created_at: locked.last_message_at.0,
        ..visitors_message(incoming, id, locked.last_seq)
    };
    set_status(conn, tenant, &locked, ConversationStatus::Active, None).await?;
    keep_contact(conn, tenant, incoming, &message).await?;
    let taken = Taken {
        conversations: 0,
        messages: 1,
    };
    let ((), (), (), history, has_events, starts_loops) = together!(
        conn,
        messages::insert(conn, tenant, &message),
        usage::take(conn, tenant, shard, &taken, &incoming.limits, incoming.at),
        statistics::count_messages(conn, tenant, key(bot.id), id, message.created_at, 1),
        messages::before(conn, tenant, id, message.seq, incoming.history),
        publish(conn, tenant, &bot, incoming, &message),
        trigger(conn, tenant, &bot, incoming, &message),
    )?;
    Ok(Received {
        message,
        bot,
        knowledge,
        history,
        has_events,
        starts_loops,
    })
}

/// A first message.
async fn begin(conn: &mut Conn, tenant: TenantId, incoming: &Incoming) -> Result<Received, Fault> {
    let (bot, knowledge) = bots::resolve(conn, tenant, incoming.bot_id)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    if !bot.is_active {
        return Err(Error::BotInactive.into());
    }
    let id = incoming.new_ids.conversation;
    let greeting = bot
        .welcome_message
        .as_deref()
        .filter(|text| !text.is_empty());
    let greeting = greeting.map(|text| welcome(incoming, id, text));
    let mut history: Vec<_> = greeting.iter().map(Utterance::from).collect();
    let message = visitors_message(incoming, id, history.len() as i64 + 1);
    let counted = insert_conversation(conn, tenant, incoming, &bot, message.seq).await?;
    if let Some(greeting) = &greeting {
        messages::insert(conn, tenant, greeting).await?;
    }
    let taken = Taken {
        conversations: 1,
        messages: message.seq,
    };
    let shard = usage::shard(&incoming.limits, id);
    let stored = message.seq as i32;
    let ((), (), (), (), has_events, starts_loops) = together!(
        conn,
        messages::insert(conn, tenant, &message),
        usage::take(conn, tenant, shard, &taken, &incoming.limits, incoming.at),
        statistics::enter(conn, tenant, &counted, ConversationStatus::Active),
        statistics::count_messages(conn, tenant, key(bot.id), id, incoming.at, stored),
        publish(conn, tenant, &bot, incoming, &message),
        trigger(conn, tenant, &bot, incoming, &message),
    )?;
    keep_contact(conn, tenant, incoming, &message).await?;
    history.truncate(incoming.history as usize);
    Ok(Received {
        message,
        bot,
        knowledge,
        history,
        has_events,
        starts_loops,
    })
}

/// Tells the tenant's endpoints that a visitor's message came. The conversation is ours meanwhile, so that its events
/// have the order of its messages.
async fn publish(
    conn: &mut impl Runs,
    tenant: TenantId,
    bot: &Bot,
    incoming: &Incoming,
    message: &Message,
) -> Result<bool, Fault> {
    let event = || Event::message_received(tenant, bot.id, &incoming.session_id, message);
    outbox::publish(conn, tenant, EventKind::MessageReceived, event).await
}

/// Has the bot's loops begin that listen for visitors' messages.
async fn trigger(
    conn: &mut impl Runs,
    tenant: TenantId,
    bot: &Bot,
    incoming: &Incoming,
    message: &Message,
) -> Result<bool, Fault> {
    let event = || Event::message_received(tenant, bot.id, &incoming.session_id, message);
    agent_loops::trigger(conn, tenant, bot.id, EventKind::MessageReceived, event).await
}

/// The conversation with its person, before its messages. Answers by what it is counted.
async fn insert_conversation(
    conn: &mut Conn,
    tenant: TenantId,
    incoming: &Incoming,
    bot: &Bot,
    last_seq: i64,
) -> Result<Counted, Fault> {
    let (id, at) = (incoming.new_ids.conversation, Moment(incoming.at));
    let channel = incoming.channel.unwrap_or(bot.channel_type).as_str();
    let end_user = end_users::keep(
        conn,
        tenant,
        key(bot.id),
        channel,
        incoming.new_ids.end_user,
        &incoming.end_user,
        incoming.at,
    )
    .await
    .or_missing(Resource::Bot)?;
    let made = diesel::insert_into(conversations::table)
        .values((
            conversations::tenant_id.eq(key(tenant)),
            conversations::id.eq(key(id)),
            conversations::bot_id.eq(key(bot.id)),
            conversations::session_id.eq(incoming.session_id.as_str()),
            conversations::channel.eq(channel),
            conversations::status.eq(ConversationStatus::Active.as_str()),
            conversations::end_user_id.eq(end_user),
            conversations::tags.eq(Json(json!({}))),
            conversations::last_seq.eq(last_seq),
            conversations::last_author.eq(Author::User.as_str()),
            conversations::last_message_at.eq(at),
            conversations::usage_shard.eq(usage::shard(&incoming.limits, id)),
            conversations::started_at.eq(at),
            conversations::created_at.eq(at),
            conversations::learn_due.eq(Moment(incoming.at + ANSWER_WITHIN)),
        ))
        .on_conflict((conversations::tenant_id, conversations::session_id))
        .do_nothing()
        .execute(conn)
        .await
        .or_missing(Resource::Bot)?;
    if made == 0 {
        // Another first message was faster: this one is the second.
        return Err(Fault::Again);
    }
    Ok(Counted {
        id,
        bot: key(bot.id),
        channel: channel.to_owned(),
        started_at: incoming.at,
    })
}

/// See [`domain::conversations::Conversations::reply`].
pub(super) async fn reply(
    conn: &mut Conn,
    tenant: TenantId,
    reply: &Reply,
) -> Result<Message, Fault> {
    let place: Option<(i64, Moment, Key, i32)> =
        diesel::update(conversations::table.find((key(tenant), key(reply.conversation_id))))
            .set((
                conversations::last_seq.eq(conversations::last_seq + 1),
                conversations::last_author.eq(Author::Bot.as_str()),
                conversations::last_message_at.eq(not_before_the_last!(reply.at)),
                conversations::learn_due.eq(Moment(reply.at)),
            ))
            .returning((
                conversations::last_seq,
                conversations::last_message_at,
                conversations::bot_id,
                conversations::usage_shard,
            ))
            .get_result(conn)
            .await
            .optional()?;
    let (seq, at, bot, shard) = place.ok_or(Error::NotFound(Resource::Conversation))?;
    let message = Message {
        metadata: reply.metadata.clone(),
        reply_to: Some(reply.reply_to),
        ..words(
            reply.message_id,
            reply.conversation_id,
            seq,
            Author::Bot,
            &reply.text,
            at.0,
        )
    };
    together!(
        conn,
        messages::insert(conn, tenant, &message),
        usage::spend(conn, tenant, shard, reply.received_at, reply.at),
        statistics::count_messages(conn, tenant, bot, reply.conversation_id, at.0, 1),
    )?;
    Ok(message)
}

/// See [`domain::conversations::Conversations::post`].
pub(super) async fn post(
    conn: &mut Conn,
    tenant: TenantId,
    post: &Post,
) -> Result<Option<Message>, Fault> {
    let place: Option<(i64, Moment, Key, String)> =
        diesel::update(conversations::table.find((key(tenant), key(post.conversation_id))))
            .set((
                conversations::last_seq.eq(conversations::last_seq + 1),
                conversations::last_author.eq(Author::Bot.as_str()),
                conversations::last_message_at.eq(not_before_the_last!(post.at)),
            ))
            .returning((
                conversations::last_seq,
                conversations::last_message_at,
                conversations::bot_id,
                conversations::session_id,
            ))
            .get_result(conn)
            .await
            .optional()?;
    let Some((seq, at, bot, session_id)) = place else {
        return Ok(None);
    };
    let message = Message {
        metadata: post.metadata.clone(),
        ..words(
            post.message_id,
            post.conversation_id,
            seq,
            Author::Bot,
            &post.text,
            at.0,
        )
    };
    messages::insert(conn, tenant, &message).await?;
    channel_talks::send(conn, tenant, bot.0.into(), &session_id, post).await?;
    usage::count_message(conn, tenant, &post.limits, post.at).await?;
    statistics::count_messages(conn, tenant, bot, post.conversation_id, at.0, 1).await?;
    Ok(Some(message))
}

/// The address that came with a message.
async fn keep_contact(
    conn: &mut Conn,
    tenant: TenantId,
    incoming: &Incoming,
    message: &Message,
) -> Result<(), Fault> {
    let Some(contact) = &incoming.contact else {
        return Ok(());
    };
    let name = incoming.end_user.user_name.as_deref();
    let (conversation, at) = (message.conversation_id, message.created_at);
    leads::keep(conn, tenant, conversation, contact, name, at).await
}

fn visitors_message(incoming: &Incoming, conversation: ConversationId, seq: i64) -> Message {
    let id = incoming.message_id;
    words(
        id,
        conversation,
        seq,
        Author::User,
        &incoming.text,
        incoming.at,
    )
}

fn welcome(incoming: &Incoming, conversation: ConversationId, text: &str) -> Message {
    let id = incoming.new_ids.welcome;
    words(id, conversation, 1, Author::Bot, text, incoming.at)
}

fn words(
    id: MessageId,
    conversation_id: ConversationId,
    seq: i64,
    author: Author,
    text: &str,
    at: Timestamp,
) -> Message {
    Message {
        id,
        conversation_id,
        seq,
        author,
        message_type: MessageType::Text,
        payload: json!({ "text": text }),
        text: text.to_owned(),
        metadata: Value::Object(serde_json::Map::new()),
        reply_to: None,
        feedback: None,
        created_at: at,
    }
}
