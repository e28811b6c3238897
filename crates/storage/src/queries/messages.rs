use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::messages::{Author, Feedback, Message, MessageType, Utterance};
use domain::paging::{Page, PageRequest};
use domain::{ConversationId, MessageId, TenantId};

use super::engine::Conn;
use super::{Runs, count, optional_word, statistics, word};
use crate::fault::{Fault, Meaning};
use crate::schema::messages;
use crate::types::{Json, Key, Moment, key};

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages, check_for_backend(super::engine::Db))]
struct MessageRow {
    id: Key,
    conversation_id: Key,
    seq: i64,
    author: String,
    message_type: String,
    payload: Json,
    text: String,
    metadata: Json,
    reply_to: Option<Key>,
    feedback: Option<String>,
    created_at: Moment,
}

impl TryFrom<MessageRow> for Message {
    type Error = Fault;

    fn try_from(row: MessageRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            conversation_id: row.conversation_id.0.into(),
            seq: row.seq,
            author: word(Author::parse, &row.author)?,
            message_type: word(MessageType::parse, &row.message_type)?,
            payload: row.payload.0,
            text: row.text,
            metadata: row.metadata.0,
            reply_to: row.reply_to.map(|id| id.0.into()),
            feedback: optional_word(Feedback::parse, row.feedback.as_deref())?,
            created_at: row.created_at.0,
        })
    }
}

/// Keeps a message at its place.
pub(super) async fn insert(
    conn: &mut impl Runs,
    tenant: TenantId,
    message: &Message,
) -> Result<(), Fault> {
    diesel::insert_into(messages::table)
        .values((
            messages::tenant_id.eq(key(tenant)),
            messages::conversation_id.eq(key(message.conversation_id)),
            messages::seq.eq(message.seq),
            messages::id.eq(key(message.id)),
            messages::author.eq(message.author.as_str()),
            messages::message_type.eq(message.message_type.as_str()),
            messages::payload.eq(Json(message.payload.clone())),
            messages::text.eq(message.text.as_str()),
            messages::metadata.eq(Json(message.metadata.clone())),
            messages::reply_to.eq(message.reply_to.map(key)),
            messages::feedback.eq(message.feedback.map(Feedback::as_str)),
            messages::created_at.eq(Moment(message.created_at)),
        ))
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

/// All messages of a conversation, oldest first.
pub(super) async fn all(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
) -> Result<Vec<Message>, Fault> {
    let rows = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(conversation)))
        .order(messages::seq)
        .select(MessageRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// A page of a conversation's messages, oldest first.
pub(super) async fn page(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
    page: PageRequest,
) -> Result<Page<Message>, Fault> {
    let of_it = || {
        messages::table
            .filter(messages::tenant_id.eq(key(tenant)))
            .filter(messages::conversation_id.eq(key(conversation)))
    };
    let total: i64 = of_it().count().get_result(conn).await?;
    let rows = of_it()
        .order(messages::seq)
        .limit(page.limit())
        .offset(page.offset())
        .select(MessageRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Message::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}

/// How many messages of a conversation there are of each day that has any.
pub(super) async fn by_day(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
) -> Result<BTreeMap<i32, i32>, Fault> {
    let times: Vec<Moment> = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(conversation)))
        .select(messages::created_at)
        .load(conn)
        .await?;
    let mut days = BTreeMap::new();
    for time in times {
        *days.entry(statistics::day(time.0)).or_default() += 1;
    }
    Ok(days)
}

/// The first messages of a conversation, oldest first.
pub(super) async fn first(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
    most: u32,
) -> Result<Vec<Message>, Fault> {
    let rows = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(conversation)))
        .order(messages::seq)
        .limit(i64::from(most))
        .select(MessageRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// One message.
pub(super) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: MessageId,
) -> Result<Option<Message>, Fault> {
    let row = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::id.eq(key(id)))
        .select(MessageRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Message::try_from).transpose()
}

/// Keeps what the person thought of a bot's message.
pub(super) async fn set_feedback(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
    id: MessageId,
    feedback: Option<Feedback>,
) -> Result<Option<Message>, Fault> {
    diesel::update(messages::table)
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(conversation)))
        .filter(messages::id.eq(key(id)))
        .filter(messages::author.eq(Author::Bot.as_str()))
        .set(messages::feedback.eq(feedback.map(Feedback::as_str)))
        .returning(MessageRow::as_returning())
        .get_result(conn)
        .await
        .optional()?
        .map(Message::try_from)
        .transpose()
}

/// What was said last before a place, oldest first.
pub(super) async fn before(
    conn: &mut impl Runs,
    tenant: TenantId,
    conversation: ConversationId,
    seq: i64,
    most: u32,
) -> Result<Vec<Utterance>, Fault> {
    if most == 0 || seq == 1 {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String)> = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(conversation)))
        .filter(messages::seq.lt(seq))
        .order(messages::seq.desc())
        .limit(i64::from(most))
        .select((messages::author, messages::text))
        .load(conn)
        .await?;
    let said = rows.into_iter().rev().map(|(author, text)| {
        let author = word(Author::parse, &author)?;
        Ok(Utterance { author, text })
    });
    said.collect()
}

/// A message and the first answer to it.
pub(super) async fn turn(
    conn: &mut Conn,
    tenant: TenantId,
    id: MessageId,
) -> Result<Option<(Message, Option<Message>)>, Fault> {
    let Some(message) = find(conn, tenant, id).await? else {
        return Ok(None);
    };
    // Looked for within the conversation, soon after the message: an index on `reply_to` would cost every
    // message of every conversation.
    let answer = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(message.conversation_id)))
        .filter(messages::seq.gt(message.seq))
        .filter(messages::reply_to.eq(key(message.id)))
        .order(messages::seq)
        .select(MessageRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(Some((message, answer.map(Message::try_from).transpose()?)))
}
