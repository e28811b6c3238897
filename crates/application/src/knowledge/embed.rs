//! Embedding the chunks of a source, so that they are found by what they mean as well as by their words.

use std::sync::Arc;
use std::time::Duration;

use domain::Result;
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, EmbeddingRun, PassageHash, Purpose, passage};
use domain::jobs::Job;

use super::pacing::paced;
use crate::App;
use crate::evaluations::gate;
use crate::jobs::JobEnd;

/// Chunks embedded and kept at a time.
const PART: u32 = 64;
/// The longest wait before an embedder that failed is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Embeds a source by every embedder there is. One that can't answer now is asked again later; what it has embedded
/// by then is kept.
#[tracing::instrument(level = "debug", name = "knowledge.embed", skip_all)]
pub(crate) async fn embed(app: &App, job: &Job) -> Result<JobEnd> {
    let mut end = JobEnd::DONE;
    for (place, embedder) in app.embedders.iter().enumerate() {
        // Bots are moved to the embedder of today. One from before goes on with what is new for the bots that are
        // searched with it still, or will be again.
        let switch_over = place == 0;
        let model = embedder.model();
        let begun = app.embeddings.begin(job.tenant_id, job.source(), model);
        let Some(run) = begun.await? else {
            return Ok(JobEnd::DONE);
        };
        match embed_by(app, embedder, &run, switch_over).await? {
            Ok(()) if switch_over => offer(app, job, model).await?,
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(source_id = %job.source(), model, %error, "the embedder gave no embeddings");
                app.embeddings.hold_up(&run, &reason(&error)).await?;
                let wait = Duration::from_secs(1 << job.attempts.min(10)).min(LONGEST_WAIT);
                end = JobEnd::Retry(app.clock.now() + wait);
            }
        }
    }
    Ok(end)
}

/// Proposes the model to a bot whose changes are measured first; others have been switched over where all is embedded.
async fn offer(app: &App, job: &Job, model: &str) -> Result<()> {
    let tenant = job.tenant_id;
    let Some(named) = app.knowledge.find(tenant, job.source()).await? else {
        return Ok(());
    };
    match app.bots.find(tenant, named.source.bot_id).await? {
        Some(bot) if bot.evaluation_gate => gate::propose_model(app, tenant, &bot, model).await,
        _ => Ok(()),
    }
}

async fn embed_by(
    app: &App,
    embedder: &Arc<dyn Embedder>,
    run: &EmbeddingRun,
    switch_over: bool,
) -> Result<Result<(), ProviderError>> {
    let mut index = 0;
    loop {
        let chunks = app.embeddings.chunks_from(run, index, PART).await?;
        if chunks.is_empty() {
            break;
        }
        index += chunks.len() as u32;
        let mut passages: Vec<_> = chunks
            .iter()
            .map(passage)
            .map(|passage| (PassageHash::of(&passage), passage))
            .collect();
        passages.sort_unstable();
        passages.dedup();
        let hashes: Vec<_> = passages.iter().map(|(hash, _)| *hash).collect();
        let known = app.embeddings.reuse(run, &hashes).await?;
        passages.retain(|(hash, _)| !known.contains(hash));
        let (hashes, texts): (Vec<_>, Vec<_>) = passages.into_iter().unzip();
        let made = if texts.is_empty() {
            Vec::new()
        } else {
            match embedder.embed(Purpose::Passage, &texts).await {
                Ok(made) => made,
                Err(error) => return Ok(Err(error)),
            }
        };
        let made: Vec<_> = hashes.into_iter().zip(made).collect();
        if !paced(app, app.embeddings.keep(run, &made, index)).await? {
            // The source is gone, or its new reading has a job of its own.
            return Ok(Ok(()));
        }
    }
    app.embeddings.finish(run, switch_over).await?;
    Ok(Ok(()))
}

/// What a bot's owner is told.
fn reason(error: &ProviderError) -> String {
    let why = match error {
        ProviderError::RateLimited { .. } => "The embedding provider wants to be asked less often",
        ProviderError::Unavailable(_) => "The embedding provider can't be reached",
        ProviderError::TimedOut => "The embedding provider takes too long",
        ProviderError::Refused(_) => "The embedding provider refuses what it is asked",
        ProviderError::BadAnswer(_) => "The embedding provider's answers can't be understood",
    };
    format!("{why}. It will be asked again.")
}
