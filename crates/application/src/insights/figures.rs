use domain::Result;
use domain::actors::Actor;
use domain::analytics::Days;
use domain::conversations::Sentiment;
use domain::insights::{ProductFigures, QuestionFigures, SentimentScore};
use domain::paging::{Page, PageRequest};

use crate::App;

/// How many intents are told.
const TOP: usize = 3;

/// Messages of one label.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Felt {
    /// How many.
    pub count: u64,
    /// The average of their scores; 0 of none.
    pub score: SentimentScore,
}

impl Felt {
    fn of(count: u64, sum: f64) -> Self {
        Self {
            count,
            score: SentimentScore::of((sum / count.max(1) as f64) as f32),
        }
    }
}

/// How the visitors of the actor's bot felt: all messages, and those of each label in the order of
/// [`Sentiment::ALL`].
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "insights.sentiment", skip_all)]
pub async fn sentiment(app: &App, actor: &Actor, days: Days) -> Result<(Felt, Vec<Felt>)> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    let found = app.insights.sentiment(tenant, bot, days).await?;
    let of_label = |label: &Sentiment| {
        let found = found.iter().find(|(is, _, _)| is == label);
        found.map_or(Felt::default(), |&(_, count, sum)| Felt::of(count, sum))
    };
    let count = found.iter().map(|(_, count, _)| count).sum();
    // The sum of nothing is -0.0 where it is made of floats alone.
    let sum = found.iter().fold(0.0, |all, (_, _, sum)| all + sum);
    let each = Sentiment::ALL.iter().map(of_label).collect();
    Ok((Felt::of(count, sum), each))
}

/// What visitors wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The intent's name.
    pub intent: String,
    /// Its share of all that was wanted, 0 to 1, where a message counts as much as its intent is sure.
    pub score: f64,
    /// How many messages had it.
    pub count: u64,
}

/// What the visitors of the actor's bot wanted most, by score.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "insights.intents", skip_all)]
pub async fn intents(app: &App, actor: &Actor, days: Days) -> Result<Vec<Wanted>> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    let found = app.insights.intents(tenant, bot, days).await?;
    let all: f64 = found.iter().map(|(_, tally)| tally.sum).sum();
    let wanted = found.into_iter().take(TOP).map(|(intent, tally)| Wanted {
        intent,
        score: if all > 0.0 { tally.sum / all } else { 0.0 },
        count: tally.count,
    });
    Ok(wanted.collect())
}

/// What the visitors of the actor's bot spoke of, most mentions first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "insights.products", skip_all)]
pub async fn products(
    app: &App,
    actor: &Actor,
    days: Days,
    page: PageRequest,
) -> Result<Page<ProductFigures>> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    app.insights.products(tenant, bot, days, page).await
}

/// What the visitors of the actor's bot asked, most unanswered first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "insights.questions", skip_all)]
pub async fn questions(
    app: &App,
    actor: &Actor,
    days: Days,
    page: PageRequest,
) -> Result<Page<QuestionFigures>> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    app.insights.questions(tenant, bot, days, page).await
}
