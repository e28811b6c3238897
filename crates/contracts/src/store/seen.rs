//! All that a store shows of a tenant, to compare before with after, and counters with the truth.

use std::collections::BTreeMap;

use domain::analytics::{ConversationCount, Days, Totals};
use domain::bots::Bot;
use domain::conversations::{Conversation, ConversationFilter, ConversationStatus};
use domain::keys::ApiKey;
use domain::knowledge::{Chunk, NamedSource, SourceFilter};
use domain::messages::Message;
use domain::tenants::Tenant;
use domain::usage::{Month, Usage};
use domain::{BotId, TenantId};
use time::{Date, macros::date};

use super::Ports;
use super::given::{NOON, all, page};

/// All days that clauses use.
pub const ALL_DAYS: Days = Days {
    first: date!(2025 - 12 - 01),
    last: date!(2027 - 01 - 31),
};

/// One day.
pub const fn day(date: Date) -> Days {
    Days {
        first: date,
        last: date,
    }
}

/// All that a store shows of a tenant (of long lists the first hundred).
#[derive(Debug, PartialEq)]
#[allow(missing_docs, reason = "each is named after what it holds")]
pub struct Seen {
    pub tenant: Option<Tenant>,
    pub keys: Vec<ApiKey>,
    pub bots: Vec<Bot>,
    pub conversations: Vec<(Conversation, Vec<Message>)>,
    pub sources: Vec<(NamedSource, String, Vec<Chunk>, Option<usize>)>,
    pub versions: Vec<Option<i64>>,
    pub usage: Usage,
    pub totals: Totals,
    pub counts: BTreeMap<CountKey, u64>,
}

/// Day, channel and status.
pub type CountKey = (Date, &'static str, &'static str);

/// Looks at all of a tenant.
pub async fn everything(s: &Ports, tenant: TenantId) -> Seen {
    let bots = s.bots.all(tenant).await.unwrap();
    let mut versions = Vec::new();
    for bot in &bots {
        let state = s.index.state(tenant, bot.id).await.unwrap();
        versions.push(state.map(|state| state.version));
    }
    let mut sources = Vec::new();
    let listed = s
        .knowledge
        .list(tenant, SourceFilter::default(), all())
        .await
        .unwrap();
    for source in listed.items {
        let id = source.source.id;
        let content = s.knowledge.content(tenant, id).await.unwrap();
        let chunks = s.knowledge.chunks(tenant, id).await.unwrap();
        let file = s.knowledge.file(tenant, id).await.unwrap();
        sources.push((source, content, chunks, file.map(|bytes| bytes.len())));
    }
    Seen {
        tenant: s.tenants.find(tenant).await.unwrap(),
        keys: s.keys.list(tenant).await.unwrap(),
        bots,
        conversations: conversations(s, tenant).await,
        sources,
        versions,
        usage: usage(s, tenant).await,
        totals: s.analytics.totals(tenant, ALL_DAYS).await.unwrap(),
        counts: counts(s, tenant, None, ALL_DAYS).await,
    }
}

/// Every conversation of a tenant with its messages, read page by page.
pub async fn conversations(s: &Ports, tenant: TenantId) -> Vec<(Conversation, Vec<Message>)> {
    let mut found = Vec::new();
    for number in 1.. {
        let listed = s
            .conversations
            .list(tenant, &ConversationFilter::default(), page(number, 100))
            .await
            .unwrap();
        if listed.items.is_empty() {
            break;
        }
        for conversation in listed.items {
            let messages = s
                .conversations
                .messages(tenant, conversation.id)
                .await
                .unwrap();
            found.push((conversation, messages));
        }
    }
    found
}

/// A tenant's usage in the month of [`NOON`].
pub async fn usage(s: &Ports, tenant: TenantId) -> Usage {
    s.usages.usage(tenant, Month::of(NOON)).await.unwrap()
}

/// The figures by day, channel and status; each of these once, and none zero.
pub async fn counts(
    s: &Ports,
    tenant: TenantId,
    bot: Option<BotId>,
    days: Days,
) -> BTreeMap<CountKey, u64> {
    let mut counts = BTreeMap::new();
    for ConversationCount {
        day,
        channel,
        status,
        count,
    } in s.analytics.conversations(tenant, bot, days).await.unwrap()
    {
        assert!(count > 0, "a zero is listed for {day} {channel} {status}");
        *counts
            .entry((day, channel.as_str(), status.as_str()))
            .or_default() += count;
    }
    counts
}

/// Compares all counters with what is counted from the conversations themselves: the figures of analytics
/// always, and usage as long as nothing was deleted and all of it is of the month of [`NOON`].
pub async fn check_counters(s: &Ports, tenant: TenantId) -> Result<(), String> {
    let conversations = conversations(s, tenant).await;
    let messages: u64 = conversations
        .iter()
        .map(|(_, said)| said.len() as u64)
        .sum();
    let is_active = |c: &Conversation| c.status == ConversationStatus::Active;
    let truth = Totals {
        conversations: conversations.len() as u64,
        messages,
        active_conversations: conversations.iter().filter(|(c, _)| is_active(c)).count() as u64,
    };
    let totals = s.analytics.totals(tenant, ALL_DAYS).await.unwrap();
    if totals != truth {
        return Err(format!(
            "analytics tell {totals:?}, but there are {truth:?}"
        ));
    }
    let bots: Vec<_> = std::iter::once(None)
        .chain(
            s.bots
                .all(tenant)
                .await
                .unwrap()
                .into_iter()
                .map(|bot| Some(bot.id)),
        )
        .collect();
    for bot in bots {
        let mut counted: BTreeMap<CountKey, u64> = BTreeMap::new();
        for (conversation, _) in &conversations {
            if bot.is_none_or(|bot| bot == conversation.bot_id) {
                let key = (
                    conversation.started_at.date(),
                    conversation.channel.as_str(),
                    conversation.status.as_str(),
                );
                *counted.entry(key).or_default() += 1;
            }
        }
        let told = counts(s, tenant, bot, ALL_DAYS).await;
        if told != counted {
            return Err(format!(
                "analytics tell {told:?}, but there are {counted:?}"
            ));
        }
    }
    Ok(())
}

/// As [`check_counters`], and the month's usage as well.
pub async fn check_usage(s: &Ports, tenant: TenantId) -> Result<(), String> {
    check_counters(s, tenant).await?;
    let conversations = conversations(s, tenant).await;
    let truth = Usage {
        bots: s.bots.all(tenant).await.unwrap().len() as u64,
        conversations: conversations.len() as u64,
        messages: conversations
            .iter()
            .map(|(_, said)| said.len() as u64)
            .sum(),
    };
    let usage = usage(s, tenant).await;
    if usage == truth {
        Ok(())
    } else {
        Err(format!("usage tells {usage:?}, but there are {truth:?}"))
    }
}
