use std::collections::BTreeMap;

use domain::actors::Actor;
use domain::bots::ChannelType;
use domain::conversations::ConversationStatus;
use domain::{BotId, Result};
use time::Date;

use crate::App;

/// Conversations of a period, counted three ways.
#[derive(Debug, Clone, Default)]
pub struct ConversationAnalytics {
    /// All of them.
    pub total: u64,
    /// By channel; channels without any are left out.
    pub by_channel: BTreeMap<&'static str, u64>,
    /// By status now; every status is there.
    pub by_status: BTreeMap<&'static str, u64>,
    /// By the day they began (UTC); every day of the period is there.
    pub by_day: BTreeMap<Date, u64>,
}

/// Conversations begun in the last `period` days, of one bot or of all. A bot that is not the tenant's has none.
///
/// # Errors
/// [`domain::Error::Invalid`] for a period outside 1..=365.
#[tracing::instrument(level = "debug", name = "analytics.conversations", skip_all)]
pub async fn conversations(
    app: &App,
    actor: &Actor,
    bot: Option<BotId>,
    period: u32,
) -> Result<ConversationAnalytics> {
    let days = super::last_days(period, app.clock.now())?;
    let counts = app
        .analytics
        .conversations(actor.tenant_id(), bot, days)
        .await?;
    let mut figures = ConversationAnalytics::default();
    for status in ConversationStatus::ALL {
        figures.by_status.insert(status.as_str(), 0);
    }
    let mut day = Some(days.first);
    while let Some(date) = day.filter(|date| *date <= days.last) {
        figures.by_day.insert(date, 0);
        day = date.next_day();
    }
    for count in counts.iter().filter(|count| count.count > 0) {
        figures.total += count.count;
        *figures
            .by_channel
            .entry(ChannelType::as_str(count.channel))
            .or_default() += count.count;
        *figures.by_status.entry(count.status.as_str()).or_default() += count.count;
        *figures.by_day.entry(count.day).or_default() += count.count;
    }
    Ok(figures)
}
