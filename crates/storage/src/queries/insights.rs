//! Figures about what was learned. `learning` writes it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::dsl::{count as count_of, count_star, max, sum};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::analytics::Days;
use domain::conversations::Sentiment;
use domain::insights::{
    CANDIDATE_CONVERSATIONS, Insights, IntentScore, IntentTally, MessageInsight, ProductFigures,
    ProductTally, QuestionFigures, SentimentScore, SentimentTally,
};
use domain::paging::{Page, PageRequest};
use domain::{BotId, ConversationId, Result, TenantId};

use super::engine::{Conn, Store};
use super::{count, run, word};
use crate::fault::Fault;
use crate::schema::functions::coalesce;
use crate::schema::{
    learned_mentions as mentions, learned_messages as learned, learned_questions as questions,
    messages,
};
use crate::types::{Key, key};

#[async_trait]
impl Insights for Store {
    async fn messages(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
    ) -> Result<Vec<MessageInsight>> {
        run!(self.read("insights.messages", tenant), [], |conn| {
            of_messages(conn, tenant, conversation)
        })
    }

    async fn sentiment(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
    ) -> Result<Vec<(Sentiment, u64, f64)>> {
        run!(self.read("insights.sentiment", tenant), [], |conn| {
            sentiment(conn, tenant, bot, days)
        })
    }

    async fn intents(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
    ) -> Result<Vec<(String, IntentTally)>> {
        run!(self.read("insights.intents", tenant), [], |conn| intents(
            conn, tenant, bot, days
        ))
    }

    async fn products(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
        page: PageRequest,
    ) -> Result<Page<ProductFigures>> {
        run!(self.read("insights.products", tenant), [], |conn| products(
            conn, tenant, bot, days, page
        ))
    }

    async fn questions(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
        page: PageRequest,
    ) -> Result<Page<QuestionFigures>> {
        run!(self.read("insights.questions", tenant), [], |conn| {
            asked(conn, tenant, bot, days, page)
        })
    }
}

/// What of a table was said to the bot on the days.
macro_rules! said {
    ($table:ident, $tenant:expr, $bot:expr, $days:expr) => {
        $table::table
            .filter($table::tenant_id.eq(key($tenant)))
            .filter($table::bot_id.eq(key($bot)))
            .filter($table::day.between($days.first.to_julian_day(), $days.last.to_julian_day()))
    };
}

async fn of_messages(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
) -> Result<Vec<MessageInsight>, Fault> {
    let rows: Vec<(i64, f64, Option<String>, Option<f64>)> = learned::table
        .filter(learned::tenant_id.eq(key(tenant)))
        .filter(learned::conversation_id.eq(key(conversation)))
        .order(learned::seq)
        .select((
            learned::seq,
            learned::score,
            learned::intent,
            learned::intent_score,
        ))
        .load(conn)
        .await?;
    let insight = |(seq, score, intent, sure): (i64, f64, Option<String>, Option<f64>)| {
        let intent = intent.zip(sure).map(|(intent, score)| IntentScore {
            intent,
            score: score as f32,
        });
        MessageInsight {
            seq,
            sentiment: SentimentScore::of(score as f32),
            intent,
        }
    };
    Ok(rows.into_iter().map(insight).collect())
}

async fn sentiment(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
) -> Result<Vec<(Sentiment, u64, f64)>, Fault> {
    let rows: Vec<(String, i64, Option<f64>)> = said!(learned, tenant, bot, days)
        .group_by(learned::sentiment)
        .select((learned::sentiment, count_star(), sum(learned::score)))
        .load(conn)
        .await?;
    let figure = |(label, number, sum): (String, i64, Option<f64>)| {
        let label = word(Sentiment::parse, &label)?;
        Ok((label, count(number), sum.unwrap_or_default()))
    };
    rows.into_iter().map(figure).collect()
}

async fn intents(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
) -> Result<Vec<(String, IntentTally)>, Fault> {
    let rows: Vec<(Option<String>, i64, Option<f64>)> = said!(learned, tenant, bot, days)
        .filter(learned::intent.is_not_null())
        .group_by(learned::intent)
        .select((learned::intent, count_star(), sum(learned::intent_score)))
        .load(conn)
        .await?;
    let figure = |(intent, number, sum): (Option<String>, i64, Option<f64>)| {
        let tally = IntentTally {
            count: count(number),
            sum: sum.unwrap_or_default(),
        };
        Some((intent?, tally))
    };
    let mut figures: Vec<_> = rows.into_iter().filter_map(figure).collect();
    figures.sort_by(|(one, a), (other, b)| b.sum.total_cmp(&a.sum).then(one.cmp(other)));
    Ok(figures)
}

async fn products(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
    page: PageRequest,
) -> Result<Page<ProductFigures>, Fault> {
    let named: Vec<(String, Option<String>, Option<String>, i64)> =
        said!(mentions, tenant, bot, days)
            .group_by((mentions::product, mentions::product_id))
            .select((
                mentions::product,
                mentions::product_id,
                max(mentions::name),
                count_of(mentions::conversation_id).aggregate_distinct(),
            ))
            .load(conn)
            .await?;
    let mut figures: BTreeMap<String, ProductFigures> = BTreeMap::new();
    for (product, product_id, name, conversations) in named {
        let conversations = count(conversations);
        if product_id.is_some() || conversations >= CANDIDATE_CONVERSATIONS {
            let name = name.unwrap_or_else(|| product.clone());
            let figure = ProductFigures {
                product_id,
                name,
                conversations,
                tally: ProductTally::default(),
            };
            figures.insert(product, figure);
        }
    }
    let spoken: Vec<(String, String, i64, Option<f64>)> = said!(mentions, tenant, bot, days)
        .group_by((mentions::product, mentions::sentiment))
        .select((
            mentions::product,
            mentions::sentiment,
            count_star(),
            sum(mentions::score),
        ))
        .load(conn)
        .await?;
    for (product, label, number, sum) in spoken {
        if let Some(figure) = figures.get_mut(&product) {
            let label = word(Sentiment::parse, &label)?;
            let tally = SentimentTally::of(label, count(number), sum.unwrap_or_default());
            figure.tally.sentiment.merge(&tally);
        }
    }
    let mut figures: Vec<_> = figures.into_values().collect();
    figures.sort_by_key(|figure| Reverse(figure.tally.sentiment.count()));
    Ok(cut(figures, page))
}

async fn asked(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
    page: PageRequest,
) -> Result<Page<QuestionFigures>, Fault> {
    let rows: Vec<(Key, bool, i64)> = said!(questions, tenant, bot, days)
        .group_by((questions::group_id, questions::answered))
        .select((questions::group_id, questions::answered, count_star()))
        .load(conn)
        .await?;
    let mut groups: BTreeMap<Key, (u64, u64)> = BTreeMap::new();
    for (group, answered, number) in rows {
        let (unanswered, all) = groups.entry(group).or_default();
        *all += count(number);
        if !answered {
            *unanswered += count(number);
        }
    }
    // Groups were opened in the order of their ids.
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (unanswered, all))| (Reverse(*unanswered), Reverse(*all)));
    let Page { items, total } = cut(groups, page);
    let mut shown = Vec::with_capacity(items.len());
    for (group, (unanswered, count)) in items {
        if let Some(question) = representative(conn, tenant, bot, group).await? {
            shown.push(QuestionFigures {
                question,
                count,
                unanswered,
            });
        }
    }
    Ok(Page {
        items: shown,
        total,
    })
}

/// The question that stands for its group: the one that most others were nearest to, and of several the first.
async fn representative(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    group: Key,
) -> Result<Option<String>, Fault> {
    let question = questions::table
        .inner_join(
            messages::table.on(messages::tenant_id
                .eq(questions::tenant_id)
                .and(messages::conversation_id.eq(questions::conversation_id))
                .and(messages::seq.eq(questions::seq))),
        )
        .filter(questions::tenant_id.eq(key(tenant)))
        .filter(questions::bot_id.eq(key(bot)))
        .filter(questions::group_id.eq(group))
        .order((
            coalesce(questions::exemplar_count, 0).desc(),
            messages::created_at,
        ))
        .select(messages::text)
        .first(conn)
        .await
        .optional()?;
    Ok(question)
}

/// A page of what was added up.
fn cut<T>(all: Vec<T>, page: PageRequest) -> Page<T> {
    let total = all.len() as u64;
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let items = all.into_iter().skip(skipped);
    Page {
        items: items.take(page.per_page() as usize).collect(),
        total,
    }
}
