//! What was learned from visitors' messages, written. `insights` reads it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::insights::Product;
use domain::language::Language;
use domain::learning::{
    Due, EXEMPLAR_MAX, KeptExemplar, KeptGroup, Learning, Lesson, Memory, Place, Unread,
    UnreadConversation, UnreadMessage,
};
use domain::messages::Author;
use domain::{BotId, ConversationId, Result, TenantId, Timestamp};
use uuid::Uuid;

use super::engine::{Conn, Store};
use super::lessons::keep;
use super::{count, json, number, of_json, run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::functions::{coalesce_null, substr};
use crate::schema::{
    bot_learning as memories, bots, conversations, learned_messages as learned,
    learned_questions as questions, messages,
};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Learning for Store {
    async fn due(&self, now: Timestamp, most: u32) -> Result<Option<Due>> {
        run!(self.read("learning.due", Scope::System), [], |conn| due(
            conn, now, most
        ))
    }

    async fn unread(&self, due: &Due, most: u32) -> Result<Option<Unread>> {
        run!(self.read("learning.unread", due.tenant_id), [due], |conn| {
            unread(conn, &due, most)
        })
    }

    async fn memory(&self, tenant: TenantId, bot: BotId, most: u32) -> Result<Option<Memory>> {
        run!(self.read("learning.memory", tenant), [], |conn| memory(
            conn, tenant, bot, most
        ))
    }

    async fn keep(&self, lesson: &Lesson) -> Result<bool> {
        run!(
            self.write("learning.keep", lesson.tenant_id),
            [lesson],
            |conn| keep(conn, &lesson)
        )
    }

    async fn products(&self, tenant: TenantId, bot: BotId) -> Result<Option<Vec<Product>>> {
        run!(self.read("learning.products", tenant), [], |conn| async {
            Ok(look(conn, tenant, bot).await?.map(|look| look.products))
        })
    }

    async fn set_products(
        &self,
        tenant: TenantId,
        bot: BotId,
        products: &[Product],
    ) -> Result<bool> {
        run!(
            self.write("learning.set_products", tenant),
            [products],
            |conn| set_products(conn, tenant, bot, &products)
        )
    }

    async fn mark_again(&self, most: u32) -> Result<bool> {
        run!(
            self.write("learning.mark_again", Scope::System),
            [],
            |conn| mark_again(conn, most)
        )
    }
}

async fn due(conn: &mut Conn, now: Timestamp, most: u32) -> Result<Option<Due>, Fault> {
    let found: Vec<(Key, Key, Key)> = conversations::table
        .filter(conversations::learn_due.le(Moment(now)))
        .order(conversations::learn_due.desc())
        .limit(most.into())
        .select((
            conversations::tenant_id,
            conversations::bot_id,
            conversations::id,
        ))
        .load(conn)
        .await?;
    Ok(found.as_slice().first().map(|&(tenant, bot, _)| Due {
        tenant_id: tenant.0.into(),
        bot_id: bot.0.into(),
        conversations: found
            .iter()
            .filter(|(of, with, _)| (*of, *with) == (tenant, bot))
            .map(|(_, _, id)| id.0.into())
            .collect(),
    }))
}

/// What is known of a bot without its groups.
struct Look {
    version: i64,
    language: Language,
    products: Vec<Product>,
}

async fn look(conn: &mut Conn, tenant: TenantId, bot: BotId) -> Result<Option<Look>, Fault> {
    let row: Option<(String, Option<i64>, Option<Json>)> = bots::table
        .left_join(
            memories::table.on(memories::tenant_id
                .eq(bots::tenant_id)
                .and(memories::bot_id.eq(bots::id))),
        )
        .filter(bots::tenant_id.eq(key(tenant)))
        .filter(bots::id.eq(key(bot)))
        .select((
            bots::language,
            memories::version.nullable(),
            memories::products.nullable(),
        ))
        .first(conn)
        .await
        .optional()?;
    let look = |(language, version, products): (String, Option<i64>, Option<Json>)| {
        Ok(Look {
            version: version.unwrap_or_default(),
            language: word(Language::parse, &language)?,
            products: products.map(of_json).transpose()?.unwrap_or_default(),
        })
    };
    row.map(look).transpose()
}

async fn unread(conn: &mut Conn, due: &Due, most: u32) -> Result<Option<Unread>, Fault> {
    let Some(look) = look(conn, due.tenant_id, due.bot_id).await? else {
        return Ok(None);
    };
    let mut unread = Unread {
        version: look.version,
        language: look.language,
        conversations: Vec::new(),
    };
    let mut room = most as usize;
    for &id in &due.conversations {
        if room == 0 {
            break;
        }
        if let Some(found) = unread_of(conn, due.tenant_id, id, room).await? {
            room -= found.messages.len();
            unread.conversations.push(found);
        }
    }
    Ok(Some(unread))
}

async fn unread_of(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConversationId,
    most: usize,
) -> Result<Option<UnreadConversation>, Fault> {
    let places: Option<(i64, i64)> = conversations::table
        .find((key(tenant), key(id)))
        .select((conversations::learned_seq, conversations::last_seq))
        .first(conn)
        .await
        .optional()?;
    let Some((read_to, last_seq)) = places else {
        return Ok(None);
    };
    let after = || {
        messages::table
            .filter(messages::tenant_id.eq(key(tenant)))
            .filter(messages::conversation_id.eq(key(id)))
            .filter(messages::seq.gt(read_to))
    };
    let mut rows: Vec<(i64, Key, String, Moment)> = after()
        .filter(messages::author.eq(Author::User.as_str()))
        .order(messages::seq)
        .limit(number(most).saturating_add(1))
        .select((
            messages::seq,
            messages::id,
            messages::text,
            messages::created_at,
        ))
        .load(conn)
        .await?;
    let has_more = rows.len() > most;
    rows.truncate(most);
    let ids: Vec<_> = rows.iter().map(|(_, id, _, _)| Some(*id)).collect();
    let answers: Vec<(Option<Key>, Json)> = after()
        .filter(messages::reply_to.eq_any(ids))
        .select((messages::reply_to, messages::metadata))
        .load(conn)
        .await?;
    // By the answer's receipt.
    let mut answered: BTreeMap<Key, bool> = BTreeMap::new();
    for (question, metadata) in answers {
        if let Some(question) = question {
            answered.insert(question, metadata.0["grounded"] == true);
        }
    }
    let known: Vec<i64> = learned::table
        .filter(learned::tenant_id.eq(key(tenant)))
        .filter(learned::conversation_id.eq(key(id)))
        .filter(learned::seq.gt(read_to))
        .select(learned::seq)
        .load(conn)
        .await?;
    let known: BTreeSet<i64> = known.into_iter().collect();
    let messages = rows.into_iter().map(|(seq, id, text, at)| UnreadMessage {
        seq,
        text,
        said_at: at.0,
        is_known: known.contains(&seq),
        answered: answered.get(&id).copied(),
    });
    Ok(Some(UnreadConversation {
        id,
        read_to,
        last_seq,
        messages: messages.collect(),
        has_more,
    }))
}

async fn memory(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    most: u32,
) -> Result<Option<Memory>, Fault> {
    let Some(look) = look(conn, tenant, bot).await? else {
        return Ok(None);
    };
    let mut rows: Vec<(Key, Moment, Key, i64, String, Option<i64>)> = questions::table
        .inner_join(
            messages::table.on(messages::tenant_id
                .eq(questions::tenant_id)
                .and(messages::conversation_id.eq(questions::conversation_id))
                .and(messages::seq.eq(questions::seq))),
        )
        .filter(questions::tenant_id.eq(key(tenant)))
        .filter(questions::bot_id.eq(key(bot)))
        .filter(questions::exemplar_count.is_not_null())
        .order(questions::group_id.desc())
        .limit(most.into())
        .select((
            questions::group_id,
            messages::created_at,
            questions::conversation_id,
            questions::seq,
            substr(messages::text, 1, EXEMPLAR_MAX),
            questions::exemplar_count,
        ))
        .load(conn)
        .await?;
    // A group's id tells when it was opened.
    rows.sort_by_key(|(group, at, conversation, seq, _, _)| (*group, *at, *conversation, *seq));
    let mut groups: Vec<KeptGroup> = Vec::new();
    for (group, _, conversation, seq, text, counted) in rows {
        let exemplar = KeptExemplar {
            place: Place {
                conversation_id: conversation.0.into(),
                seq,
            },
            text,
            count: count(counted.unwrap_or_default()),
        };
        match groups.last_mut() {
            Some(last) if last.id.0 == group.0 => last.exemplars.push(exemplar),
            _ => groups.push(KeptGroup {
                id: group.0.into(),
                exemplars: vec![exemplar],
            }),
        }
    }
    Ok(Some(Memory {
        version: look.version,
        language: look.language,
        products: look.products,
        groups,
    }))
}

/// The groups that questions of a conversation stand for.
pub(super) async fn represented(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
) -> Result<Vec<Key>, Fault> {
    let groups = questions::table
        .filter(questions::tenant_id.eq(key(tenant)))
        .filter(questions::conversation_id.eq(key(conversation)))
        .filter(questions::exemplar_count.is_not_null())
        .select(questions::group_id)
        .distinct()
        .load(conn)
        .await?;
    Ok(groups)
}

/// Has readers read a bot's memory anew, for messages are gone. Of groups that have lost all questions that stood for
/// them, another one does from now on.
pub(super) async fn forget(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Key,
    groups: Vec<Key>,
) -> Result<(), Fault> {
    for group in groups {
        let left: Option<(Key, i64, Option<i64>)> = questions::table
            .filter(questions::tenant_id.eq(key(tenant)))
            .filter(questions::bot_id.eq(bot))
            .filter(questions::group_id.eq(group))
            .order((
                questions::exemplar_count.is_null(),
                questions::conversation_id,
                questions::seq,
            ))
            .select((
                questions::conversation_id,
                questions::seq,
                questions::exemplar_count,
            ))
            .first(conn)
            .await
            .optional()?;
        if let Some((conversation, seq, None)) = left {
            diesel::update(questions::table.find((key(tenant), conversation, seq)))
                .set(questions::exemplar_count.eq(1))
                .execute(conn)
                .await?;
        }
    }
    diesel::update(memories::table.find((key(tenant), bot)))
        .set(memories::version.eq(memories::version + 1))
        .execute(conn)
        .await?;
    Ok(())
}

async fn set_products(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    products: &[Product],
) -> Result<bool, Fault> {
    if look(conn, tenant, bot).await?.is_none() {
        return Ok(false);
    }
    let (products, from_the_first) = (json(&products)?, Key(Uuid::nil()));
    diesel::insert_into(memories::table)
        .values((
            memories::tenant_id.eq(key(tenant)),
            memories::bot_id.eq(key(bot)),
            memories::version.eq(1),
            memories::products.eq(products.clone()),
            memories::again_after.eq(from_the_first),
        ))
        .on_conflict((memories::tenant_id, memories::bot_id))
        .do_update()
        .set((
            memories::version.eq(memories::version + 1),
            memories::products.eq(products),
            memories::again_after.eq(from_the_first),
        ))
        .execute(conn)
        .await
        .or_gone()?;
    Ok(true)
}

async fn mark_again(conn: &mut Conn, most: u32) -> Result<bool, Fault> {
    // In words, so that the engines know the index on just these rows.
    let waits = || sql::<Bool>("again_after IS NOT NULL");
    let next: Option<(Key, Key, Option<Key>)> = memories::table
        .filter(waits())
        .order((memories::tenant_id, memories::bot_id))
        .select((memories::tenant_id, memories::bot_id, memories::again_after))
        .first(conn)
        .await
        .optional()?;
    let Some((tenant, bot, after)) = next else {
        return Ok(false);
    };
    let after = after.unwrap_or(Key(Uuid::nil()));
    let part: Vec<(Key, Moment)> = conversations::table
        .filter(conversations::tenant_id.eq(tenant))
        .filter(conversations::bot_id.eq(bot))
        .filter(conversations::id.gt(after))
        .order(conversations::id)
        .limit(most.into())
        .select((conversations::id, conversations::last_message_at))
        .load(conn)
        .await?;
    for (id, spoke_at) in &part {
        diesel::update(conversations::table.find((tenant, *id)))
            .set((
                conversations::learned_seq.eq(0),
                // One that is due anyway, or waits for an answer, keeps its time.
                conversations::learn_due
                    .eq(coalesce_null(conversations::learn_due, Some(*spoke_at))),
            ))
            .execute(conn)
            .await?;
    }
    let is_last = part.len() < most as usize;
    let reached = part.last().filter(|_| !is_last).map(|(id, _)| *id);
    // A catalogue that came meanwhile begins from the first again.
    diesel::update(memories::table.find((tenant, bot)))
        .filter(memories::again_after.eq(after))
        .set(memories::again_after.eq(reached))
        .execute(conn)
        .await?;
    Ok(true)
}
