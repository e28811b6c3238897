use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::bots::ChannelType;
use domain::conversations::{
    Conversation, ConversationFilter, ConversationStatus, Conversations, Exchange, Incoming,
    Learned, Post, RECENT_MESSAGES, Received, Reply, Sentiment,
};
use domain::messages::{Feedback, Message};
use domain::paging::{Page, PageRequest};
use domain::{BotId, ConversationId, MessageId, Result, TenantId, Timestamp};

use super::end_users::EndUserRow;
use super::engine::{Conn, Db, Store};
use super::statistics::{self, Counted};
use super::{count, erasures, learning, messages, optional_word, run, turns, usage, word};
use crate::fault::Fault;
use crate::schema::{bots, conversation_products as products, conversations, end_users};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Conversations for Store {
    async fn receive(&self, tenant: TenantId, incoming: &Incoming) -> Result<Received> {
        run!(
            self.write("conversations.receive", tenant),
            [incoming],
            |conn| { turns::receive(conn, tenant, &incoming) }
        )
    }

    async fn reply(&self, tenant: TenantId, reply: &Reply) -> Result<Message> {
        run!(self.write("conversations.reply", tenant), [reply], |conn| {
            turns::reply(conn, tenant, &reply)
        })
    }

    async fn post(&self, tenant: TenantId, post: &Post) -> Result<Option<Message>> {
        run!(self.write("conversations.post", tenant), [post], |conn| {
            turns::post(conn, tenant, &post)
        })
    }

    async fn give_up(&self, tenant: TenantId, received_at: Timestamp) -> Result<()> {
        run!(self.write("conversations.give_up", tenant), [], |conn| {
            usage::release(conn, tenant, received_at)
        })
    }

    async fn find(&self, tenant: TenantId, session_id: &str) -> Result<Option<Conversation>> {
        run!(
            self.read("conversations.find", tenant),
            [session_id],
            |conn| { find(conn, tenant, &session_id) }
        )
    }

    async fn find_by_id(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>> {
        run!(self.read("conversations.find_by_id", tenant), [], |conn| {
            find_by_id(conn, tenant, id)
        })
    }

    async fn delete(&self, tenant: TenantId, id: ConversationId) -> Result<bool> {
        run!(self.write("conversations.delete", tenant), [], |conn| {
            delete(conn, tenant, id)
        })
    }

    async fn message_page(
        &self,
        tenant: TenantId,
        id: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Message>> {
        run!(
            self.read("conversations.message_page", tenant),
            [],
            |conn| messages::page(conn, tenant, id, page)
        )
    }

    async fn messages(&self, tenant: TenantId, id: ConversationId) -> Result<Vec<Message>> {
        run!(self.read("conversations.messages", tenant), [], |conn| {
            messages::all(conn, tenant, id)
        })
    }

    async fn find_turn(
        &self,
        tenant: TenantId,
        id: MessageId,
    ) -> Result<Option<(Message, Option<Message>)>> {
        run!(self.read("conversations.find_turn", tenant), [], |conn| {
            messages::turn(conn, tenant, id)
        })
    }

    async fn find_exchange(&self, tenant: TenantId, answer: MessageId) -> Result<Option<Exchange>> {
        run!(
            self.read("conversations.find_exchange", tenant),
            [],
            |conn| find_exchange(conn, tenant, answer)
        )
    }

    async fn recent(&self, tenant: TenantId, bot: BotId, limit: u32) -> Result<Vec<Vec<Message>>> {
        run!(
            self.read("conversations.recent", tenant),
            [],
            |conn| recent(conn, tenant, bot, limit)
        )
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>> {
        run!(self.read("conversations.list", tenant), [filter], |conn| {
            list(conn, tenant, &filter, page)
        })
    }

    async fn end(
        &self,
        tenant: TenantId,
        session_id: &str,
        at: Timestamp,
    ) -> Result<Option<Conversation>> {
        run!(
            self.write("conversations.end", tenant),
            [session_id],
            |conn| { end(conn, tenant, &session_id, at) }
        )
    }

    async fn set_feedback(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
        message: MessageId,
        feedback: Option<Feedback>,
    ) -> Result<Option<Message>> {
        run!(
            self.write("conversations.set_feedback", tenant),
            [],
            |conn| messages::set_feedback(conn, tenant, conversation, message, feedback)
        )
    }

    async fn learn(&self, tenant: TenantId, id: ConversationId, learned: &Learned) -> Result<bool> {
        run!(
            self.write("conversations.learn", tenant),
            [learned],
            |conn| learn(conn, tenant, id, &learned)
        )
    }

    async fn abandon(&self, silent_since: Timestamp, batch: u32, at: Timestamp) -> Result<u32> {
        run!(
            self.write("conversations.abandon", Scope::System),
            [],
            |conn| { abandon(conn, silent_since, batch, at) }
        )
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations, check_for_backend(Db))]
struct ConversationRow {
    id: Key,
    session_id: String,
    bot_id: Key,
    channel: String,
    status: String,
    tags: Json,
    sentiment: Option<String>,
    purchased: bool,
    started_at: Moment,
    ended_at: Option<Moment>,
    created_at: Moment,
}

type Shown = (ConversationRow, String, EndUserRow);

fn shown((row, bot_name, end_user): Shown) -> Result<Conversation, Fault> {
    Ok(Conversation {
        id: row.id.0.into(),
        session_id: row.session_id,
        bot_id: row.bot_id.0.into(),
        bot_name,
        end_user: end_user.into(),
        channel: word(ChannelType::parse, &row.channel)?,
        status: word(ConversationStatus::parse, &row.status)?,
        tags: row.tags.0,
        sentiment: optional_word(Sentiment::parse, row.sentiment.as_deref())?,
        purchased: row.purchased,
        started_at: row.started_at.0,
        ended_at: row.ended_at.map(|at| at.0),
        created_at: row.created_at.0,
    })
}

/// A conversation with the names that go with it.
macro_rules! with_names {
    () => {
        conversations::table
            .inner_join(
                bots::table.on(bots::tenant_id
                    .eq(conversations::tenant_id)
                    .and(bots::id.eq(conversations::bot_id))),
            )
            .inner_join(
                end_users::table.on(end_users::tenant_id
                    .eq(conversations::tenant_id)
                    .and(end_users::id.eq(conversations::end_user_id))),
            )
            .select((
                ConversationRow::as_select(),
                bots::name,
                EndUserRow::as_select(),
            ))
    };
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    session_id: &str,
) -> Result<Option<Conversation>, Fault> {
    let found: Option<Shown> = with_names!()
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::session_id.eq(session_id))
        .first(conn)
        .await
        .optional()?;
    found.map(shown).transpose()
}

async fn find_by_id(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    let found: Option<Shown> = with_names!()
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::id.eq(key(id)))
        .first(conn)
        .await
        .optional()?;
    found.map(shown).transpose()
}

pub(super) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConversationId,
) -> Result<bool, Fault> {
    let row = || conversations::table.find((key(tenant), key(id)));
    let locked = diesel::update(row())
        .set(conversations::last_seq.eq(conversations::last_seq))
        .returning(Locked::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let Some(locked) = locked else {
        return Ok(false);
    };
    for (day, said) in messages::by_day(conn, tenant, id).await? {
        statistics::uncount_messages(conn, tenant, locked.bot_id, id, day, said).await?;
    }
    statistics::leave(conn, tenant, &locked.counted(), &locked.status).await?;
    let session_id: String = row().select(conversations::session_id).first(conn).await?;
    erasures::erase_words(conn, tenant, locked.bot_id.0.into(), id, &session_id).await?;
    let groups = learning::represented(conn, tenant, id).await?;
    diesel::delete(row()).execute(conn).await?;
    learning::forget(conn, tenant, locked.bot_id, groups).await?;
    Ok(true)
}

async fn find_exchange(
    conn: &mut Conn,
    tenant: TenantId,
    answer: MessageId,
) -> Result<Option<Exchange>, Fault> {
    let Some(answer) = messages::find(conn, tenant, answer).await? else {
        return Ok(None);
    };
    let question = match answer.reply_to {
        Some(id) => messages::find(conn, tenant, id).await?,
        None => None,
    };
    let Some(question) = question else {
        return Ok(None);
    };
    let conversation = find_by_id(conn, tenant, answer.conversation_id).await?;
    Ok(conversation.map(|conversation| Exchange {
        conversation,
        question,
        answer,
    }))
}

async fn recent(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    limit: u32,
) -> Result<Vec<Vec<Message>>, Fault> {
    let newest: Vec<Key> = conversations::table
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::bot_id.eq(key(bot)))
        .order((conversations::created_at.desc(), conversations::id.desc()))
        .limit(i64::from(limit))
        .select(conversations::id)
        .load(conn)
        .await?;
    let mut said = Vec::with_capacity(newest.len());
    for id in newest {
        said.push(messages::first(conn, tenant, id.0.into(), RECENT_MESSAGES).await?);
    }
    Ok(said)
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &ConversationFilter,
    page: PageRequest,
) -> Result<Page<Conversation>, Fault> {
    /// The same conditions for the count and for the page.
    macro_rules! matching {
        ($query:expr) => {{
            let mut query = $query
                .filter(conversations::tenant_id.eq(key(tenant)))
                .into_boxed::<Db>();
            if let Some(bot) = filter.bot_id {
                query = query.filter(conversations::bot_id.eq(key(bot)));
            }
            if let Some(status) = filter.status {
                query = query.filter(conversations::status.eq(status.as_str()));
            }
            if let Some(channel) = filter.channel {
                query = query.filter(conversations::channel.eq(channel.as_str()));
            }
            if let Some(from) = filter.from {
                query = query.filter(conversations::started_at.ge(Moment(from)));
            }
            if let Some(until) = filter.until {
                query = query.filter(conversations::started_at.lt(Moment(until)));
            }
            if let Some(sentiment) = filter.sentiment {
                query = query.filter(conversations::sentiment.eq(sentiment.as_str()));
            }
            if let Some(product) = &filter.product {
                let named = products::table
                    .filter(products::tenant_id.eq(key(tenant)))
                    .filter(products::product.eq(product.to_lowercase()))
                    .select(products::conversation_id);
                query = query.filter(conversations::id.eq_any(named));
            }
            if let Some(purchased) = filter.purchased {
                query = query.filter(conversations::purchased.eq(purchased));
            }
            if let Some(person) = filter.end_user {
                query = query.filter(conversations::end_user_id.eq(key(person)));
            }
            query
        }};
    }
    let total: i64 = matching!(conversations::table)
        .count()
        .get_result(conn)
        .await?;
    let rows: Vec<Shown> = matching!(with_names!())
        .order((conversations::created_at.desc(), conversations::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows.into_iter().map(shown).collect::<Result<_, _>>()?,
        total: count(total),
    })
}

/// A conversation that this transaction has written to, and so holds until its end.
#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations, check_for_backend(Db))]
pub(super) struct Locked {
    id: Key,
    bot_id: Key,
    channel: String,
    status: String,
    started_at: Moment,
    /// The place of its newest message, and when that came.
    pub last_seq: i64,
    pub last_message_at: Moment,
}

impl Locked {
    fn counted(&self) -> Counted {
        Counted {
            id: self.id.0.into(),
            bot: self.bot_id,
            channel: self.channel.clone(),
            started_at: self.started_at.0,
        }
    }
}

/// Moves a conversation to a status, with its statistics. One that has it already is left as it is.
pub(super) async fn set_status(
    conn: &mut Conn,
    tenant: TenantId,
    locked: &Locked,
    status: ConversationStatus,
    ended_at: Option<Timestamp>,
) -> Result<(), Fault> {
    if locked.status == status.as_str() {
        return Ok(());
    }
    diesel::update(conversations::table.find((key(tenant), locked.id)))
        .set((
            conversations::status.eq(status.as_str()),
            conversations::ended_at.eq(ended_at.map(Moment)),
        ))
        .execute(conn)
        .await?;
    let counted = locked.counted();
    statistics::leave(conn, tenant, &counted, &locked.status).await?;
    statistics::enter(conn, tenant, &counted, status).await
}

async fn end(
    conn: &mut Conn,
    tenant: TenantId,
    session_id: &str,
    at: Timestamp,
) -> Result<Option<Conversation>, Fault> {
    // Writes nothing new, but holds the row: both engines know no other way to do that.
    let locked = diesel::update(conversations::table)
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::session_id.eq(session_id))
        .set(conversations::last_seq.eq(conversations::last_seq))
        .returning(Locked::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let Some(locked) = locked else {
        return Ok(None);
    };
    set_status(conn, tenant, &locked, ConversationStatus::Ended, Some(at)).await?;
    find(conn, tenant, session_id).await
}

pub(super) async fn learn(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConversationId,
    learned: &Learned,
) -> Result<bool, Fault> {
    let changed = diesel::update(conversations::table.find((key(tenant), key(id))))
        .set(conversations::sentiment.eq(learned.sentiment.map(Sentiment::as_str)))
        .execute(conn)
        .await?;
    if changed == 0 {
        return Ok(false);
    }
    diesel::delete(products::table)
        .filter(products::tenant_id.eq(key(tenant)))
        .filter(products::conversation_id.eq(key(id)))
        .execute(conn)
        .await?;
    for name in &learned.products {
        diesel::insert_into(products::table)
            .values((
                products::tenant_id.eq(key(tenant)),
                products::conversation_id.eq(key(id)),
                products::product.eq(name.to_lowercase()),
                products::name.eq(name.as_str()),
            ))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    }
    Ok(true)
}

async fn abandon(
    conn: &mut Conn,
    silent_since: Timestamp,
    batch: u32,
    at: Timestamp,
) -> Result<u32, Fault> {
    // In words, so that the engines know the index on just these rows.
    let waiting = || sql::<Bool>("status = 'active' AND last_author = 'bot'");
    let silent: Vec<(Key, Key)> = conversations::table
        .filter(waiting())
        .filter(conversations::last_message_at.lt(Moment(silent_since)))
        .order(conversations::last_message_at)
        .limit(i64::from(batch))
        .select((conversations::tenant_id, conversations::id))
        .load(conn)
        .await?;
    let mut abandoned = 0;
    for (tenant, id) in silent {
        // Looked at again under the lock: the visitor may have written meanwhile.
        let locked = diesel::update(conversations::table.find((tenant, id)))
            .filter(waiting())
            .filter(conversations::last_message_at.lt(Moment(silent_since)))
            .set(conversations::last_seq.eq(conversations::last_seq))
            .returning(Locked::as_returning())
            .get_result(conn)
            .await
            .optional()?;
        if let Some(locked) = locked {
            let status = ConversationStatus::Abandoned;
            set_status(conn, tenant.0.into(), &locked, status, Some(at)).await?;
            abandoned += 1;
        }
    }
    Ok(abandoned)
}
