use domain::knowledge::KnowledgeState;
use domain::language::Language;
use domain::retrieval::Query;
use domain::{BotId, ChunkId, Error, Resource, Result, TenantId};

use super::show;
use super::switch::check_known;
use crate::App;
use crate::conversations::receipt_of;
use crate::conversations::replay::{Recorded, recorded};

/// Recorded questions that are looked at.
const QUESTIONS: usize = 100;
/// Chunks that are looked at for each.
const DEPTH: usize = 5;
/// The most changed questions that are shown.
const SHOWN: usize = 20;

/// How often what a bot's answers were made from is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Questions whose first citation is found first.
    pub first: usize,
    /// Questions whose first citation is among the first five.
    pub in_five: usize,
}

/// A question for which another chunk comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The visitor's words.
    pub question: String,
    /// The beginning of what comes first now.
    pub before: Option<String>,
    /// The beginning of what would come first.
    pub after: Option<String>,
}

/// Two models on the questions that visitors asked a bot of late.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Questions that were answered from the knowledge as it is now.
    pub questions: usize,
    /// What the bot is searched by now.
    pub active: Found,
    /// The other model.
    pub other: Found,
    /// Questions for which another chunk comes first, newest first; how many there are, and some of them.
    pub changed: usize,
    /// See `changed`.
    pub examples: Vec<Changed>,
}

/// Compares what a bot is searched by now with a model (`None`: words alone), on its newest questions that were
/// answered from the knowledge: does each find the chunk that the answer was made from?
///
/// # Errors
/// As [`super::switch`].
#[tracing::instrument(level = "debug", name = "embeddings.compare", skip_all)]
pub async fn compare(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    model: Option<&str>,
) -> Result<Comparison> {
    let state = show(app, tenant, bot).await?;
    if let Some(model) = model {
        check_known(&state, model)?;
    }
    let not_found = || Error::NotFound(Resource::Bot);
    let language = app
        .bots
        .find(tenant, bot)
        .await?
        .ok_or_else(not_found)?
        .language;
    let active = app.index.state(tenant, bot).await?.ok_or_else(not_found)?;
    let other = KnowledgeState {
        embedding_model: model.map(str::to_owned),
        ..active.clone()
    };
    let mut comparison = Comparison::default();
    for asked in recorded(app, tenant, bot, QUESTIONS).await? {
        let receipt = receipt_of(&asked.answer)?;
        let Some(cited) = receipt.citations.first().map(|citation| citation.chunk_id) else {
            continue;
        };
        // What was read again since then has other chunks, which no model can be blamed for.
        if app.index.chunks(tenant, &[cited]).await?.is_empty() {
            continue;
        }
        let find = |knowledge| find(app, tenant, bot, language, knowledge, &asked);
        let (before, after) = (find(&active).await?, find(&other).await?);
        comparison.questions += 1;
        comparison.active.count(&before, cited);
        comparison.other.count(&after, cited);
        let first = |hits: &[Hit]| hits.first().map(|hit| hit.0);
        if first(&before) != first(&after) {
            comparison.changed += 1;
            if comparison.examples.len() < SHOWN {
                comparison.examples.push(Changed {
                    question: asked.question,
                    before: before.into_iter().next().map(|hit| hit.1),
                    after: after.into_iter().next().map(|hit| hit.1),
                });
            }
        }
    }
    Ok(comparison)
}

/// A chunk and its beginning.
type Hit = (ChunkId, String);

async fn find(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    language: Language,
    knowledge: &KnowledgeState,
    asked: &Recorded,
) -> Result<Vec<Hit>> {
    let query = Query {
        tenant_id: tenant,
        bot_id: bot,
        knowledge: knowledge.clone(),
        language,
        text: asked.question.clone(),
        history: asked.history.clone(),
        limit: DEPTH,
    };
    let findings = app.retriever.search(&query).await?;
    let hits = findings.hits.into_iter().map(|hit| {
        let beginning = domain::text::preview(&hit.chunk.draft.content, 200);
        (hit.chunk.id, beginning.to_owned())
    });
    Ok(hits.collect())
}

impl Found {
    fn count(&mut self, hits: &[Hit], cited: ChunkId) {
        let place = hits.iter().position(|(id, _)| *id == cited);
        self.first += usize::from(place == Some(0));
        self.in_five += usize::from(place.is_some());
    }
}
