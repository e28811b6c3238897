//! A lesson, kept: what was learned from in one transaction.

use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::conversations::{Learned, Sentiment};
use domain::insights::SentimentTally;
use domain::learning::{GroupedQuestion, Lesson, ReadConversation, ReadMessage};
use domain::{ConversationId, Resource, TenantId};

use super::conversations::learn;
use super::engine::Conn;
use super::statistics::day;
use super::{count, json, number, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    bot_learning as memories, conversations, learned_mentions as mentions,
    learned_messages as learned, learned_questions as questions,
};
use crate::types::{Key, Moment, key};

/// What turns and deletions write as well, conversations and the memory, is written last and in the order in which
/// they write it.
pub(super) async fn keep(conn: &mut Conn, lesson: &Lesson) -> Result<bool, Fault> {
    if !is_as_it_was(conn, lesson).await? {
        return Ok(false);
    }
    for conversation in &lesson.conversations {
        for message in &conversation.messages {
            keep_message(conn, lesson, conversation.id, message).await?;
        }
    }
    for (place, count) in &lesson.exemplars {
        let (conversation, seq) = (place.conversation_id, place.seq);
        diesel::update(questions::table.find((key(lesson.tenant_id), key(conversation), seq)))
            .set(questions::exemplar_count.eq(number(*count)))
            .execute(conn)
            .await?;
    }
    for conversation in &lesson.conversations {
        keep_conversation(conn, lesson.tenant_id, conversation).await?;
    }
    raise_version(conn, lesson).await
}

/// Whether nothing that the lesson goes by has changed. What changes from here on is seen when it is written.
async fn is_as_it_was(conn: &mut Conn, lesson: &Lesson) -> Result<bool, Fault> {
    let version: Option<i64> = memories::table
        .find((key(lesson.tenant_id), key(lesson.bot_id)))
        .select(memories::version)
        .first(conn)
        .await
        .optional()?;
    if version.unwrap_or_default() != lesson.version {
        return Ok(false);
    }
    for conversation in &lesson.conversations {
        let read_to: Option<i64> = conversations::table
            .find((key(lesson.tenant_id), key(conversation.id)))
            .select(conversations::learned_seq)
            .first(conn)
            .await
            .optional()?;
        if read_to != Some(conversation.was_read_to) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn keep_message(
    conn: &mut Conn,
    lesson: &Lesson,
    conversation: ConversationId,
    message: &ReadMessage,
) -> Result<(), Fault> {
    let place = || (key(lesson.tenant_id), key(conversation), message.seq);
    let (bot, day) = (key(lesson.bot_id), day(message.said_at));
    if message.is_known {
        diesel::delete(mentions::table)
            .filter(mentions::tenant_id.eq(place().0))
            .filter(mentions::conversation_id.eq(place().1))
            .filter(mentions::seq.eq(place().2))
            .execute(conn)
            .await?;
    } else {
        let intent = message.insight.intent.as_ref();
        diesel::insert_into(learned::table)
            .values((
                learned::tenant_id.eq(place().0),
                learned::conversation_id.eq(place().1),
                learned::seq.eq(place().2),
                learned::bot_id.eq(bot),
                learned::day.eq(day),
                learned::sentiment.eq(message.insight.sentiment.label().as_str()),
                learned::score.eq(f64::from(message.insight.sentiment.score())),
                learned::intent.eq(intent.map(|intent| intent.intent.as_str())),
                learned::intent_score.eq(intent.map(|intent| f64::from(intent.score))),
            ))
            .execute(conn)
            .await
            .or_gone()?;
        if let Some(question) = &message.question {
            keep_question(conn, place(), bot, day, question).await?;
        }
    }
    for (product, mention) in message.mentions() {
        diesel::insert_into(mentions::table)
            .values((
                mentions::tenant_id.eq(place().0),
                mentions::conversation_id.eq(place().1),
                mentions::seq.eq(place().2),
                mentions::product.eq(product),
                mentions::product_id.eq(mention.product_id.as_deref()),
                mentions::name.eq(mention.name.as_str()),
                mentions::bot_id.eq(bot),
                mentions::day.eq(day),
                mentions::sentiment.eq(mention.sentiment.label().as_str()),
                mentions::score.eq(f64::from(mention.sentiment.score())),
            ))
            .on_conflict_do_nothing()
            .execute(conn)
            .await
            .or_gone()?;
    }
    Ok(())
}

async fn keep_question(
    conn: &mut Conn,
    (tenant, conversation, seq): (Key, Key, i64),
    bot: Key,
    day: i32,
    question: &GroupedQuestion,
) -> Result<(), Fault> {
    diesel::insert_into(questions::table)
        .values((
            questions::tenant_id.eq(tenant),
            questions::conversation_id.eq(conversation),
            questions::seq.eq(seq),
            questions::bot_id.eq(bot),
            questions::day.eq(day),
            questions::group_id.eq(key(question.group)),
            questions::answered.eq(question.answered),
            questions::exemplar_count.eq(question.is_exemplar.then_some(1)),
        ))
        .execute(conn)
        .await
        .or_gone()?;
    Ok(())
}

/// Keeps how far a conversation is read, and what its messages make of it.
async fn keep_conversation(
    conn: &mut Conn,
    tenant: TenantId,
    read: &ReadConversation,
) -> Result<(), Fault> {
    let felt: Vec<(String, i64, Option<f64>)> = learned::table
        .filter(learned::tenant_id.eq(key(tenant)))
        .filter(learned::conversation_id.eq(key(read.id)))
        .group_by(learned::sentiment)
        .select((learned::sentiment, count_star(), sum(learned::score)))
        .load(conn)
        .await?;
    let mut tally = SentimentTally::default();
    for (label, felt, sum) in felt {
        let label = word(Sentiment::parse, &label)?;
        tally.merge(&SentimentTally::of(
            label,
            count(felt),
            sum.unwrap_or_default(),
        ));
    }
    let products: Vec<String> = mentions::table
        .filter(mentions::tenant_id.eq(key(tenant)))
        .filter(mentions::conversation_id.eq(key(read.id)))
        .select(mentions::name)
        .distinct()
        .order(mentions::name)
        .load(conn)
        .await?;
    let changed = diesel::update(conversations::table.find((key(tenant), key(read.id))))
        .filter(conversations::learned_seq.eq(read.was_read_to))
        .set(conversations::learned_seq.eq(read.read_to))
        .execute(conn)
        .await?;
    if changed == 0 {
        return Err(Fault::Again);
    }
    // Who spoke meanwhile has said when to look again.
    diesel::update(conversations::table.find((key(tenant), key(read.id))))
        .filter(conversations::last_seq.eq(read.last_seq))
        .set(conversations::learn_due.eq(read.due.map(Moment)))
        .execute(conn)
        .await?;
    let sentiment = (tally.count() > 0).then(|| tally.overall().label());
    let learned = Learned {
        sentiment,
        products,
    };
    learn(conn, tenant, read.id, &learned).await?;
    Ok(())
}

async fn raise_version(conn: &mut Conn, lesson: &Lesson) -> Result<bool, Fault> {
    let (tenant, bot) = (key(lesson.tenant_id), key(lesson.bot_id));
    let raised = if lesson.version == 0 {
        diesel::insert_into(memories::table)
            .values((
                memories::tenant_id.eq(tenant),
                memories::bot_id.eq(bot),
                memories::version.eq(1),
                memories::products.eq(json(&[(); 0])?),
            ))
            .on_conflict((memories::tenant_id, memories::bot_id))
            .do_nothing()
            .execute(conn)
            .await
            .or_missing(Resource::Bot)?
    } else {
        diesel::update(memories::table.find((tenant, bot)))
            .filter(memories::version.eq(lesson.version))
            .set(memories::version.eq(memories::version + 1))
            .execute(conn)
            .await?
    };
    if raised == 0 {
        return Err(Fault::Again);
    }
    Ok(true)
}
