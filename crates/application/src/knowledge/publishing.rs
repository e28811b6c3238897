//! Making a source answer from a new reading of it.

use domain::documents::Document;
use domain::knowledge::{
    ChunkDraft, Draft, Edition, NewChunk, PREVIEW_LEN, Progress, ProgressUnit, Stage,
};
use domain::text::preview;
use domain::trials::Change;
use domain::{Result, Timestamp};
use time::Duration;

use super::pacing::paced;
use crate::App;
use crate::evaluations::gate;

/// Chunks written at a time. A chat that wants to write meanwhile waits for one such part and not for a book.
const PART: usize = 25;
/// How often progress is told, at most.
const TOLD_EVERY: Duration = Duration::seconds(1);

/// Publishes a document as the new edition of its source. `unit`: what its progress is counted in; `None` where no
/// job would end the telling if this process died. `false`: the source is gone, or is being read anew by somebody
/// else.
pub(super) async fn publish_document(
    app: &App,
    draft: Draft,
    document: Document,
    size_bytes: Option<u64>,
    unit: Option<ProgressUnit>,
) -> Result<bool> {
    let mut writing = Writing::new(app, draft, document.chunks.len() as u64, unit);
    if !writing.add(document.chunks).await? {
        return Ok(false);
    }
    let edition = Edition {
        content_preview: preview(&document.text, PREVIEW_LEN).to_owned(),
        text: Some(document.text),
        size_bytes,
        ..Edition::default()
    };
    writing.publish(edition).await
}

/// A draft's chunks on their way into the store.
pub(super) struct Writing<'a> {
    app: &'a App,
    draft: Draft,
    teller: Option<Teller<'a>>,
    total: u64,
    part: Vec<NewChunk>,
    written: u32,
}

impl<'a> Writing<'a> {
    pub(super) fn new(app: &'a App, draft: Draft, total: u64, unit: Option<ProgressUnit>) -> Self {
        Self {
            app,
            draft,
            teller: unit.map(|unit| Teller::new(app, draft, Stage::Indexing, unit)),
            total,
            part: Vec::new(),
            written: 0,
        }
    }

    /// Adds chunks. `false`: the draft is no longer the source's.
    pub(super) async fn add(&mut self, chunks: Vec<ChunkDraft>) -> Result<bool> {
        for chunk in chunks {
            self.part.push((self.app.ids.uuid().into(), chunk));
            if self.part.len() >= PART && !self.write().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says how much is done, where that is not counted in chunks.
    pub(super) async fn tell(&mut self, done: u64) -> Result<()> {
        match &mut self.teller {
            Some(teller) => teller.tell(done, self.total).await,
            None => Ok(()),
        }
    }

    /// Writes what is left, and lets the source be answered from all of it: a gated bot's once its evaluation has not
    /// fallen with it. `false`: as [`Writing::add`].
    pub(super) async fn publish(mut self, edition: Edition) -> Result<bool> {
        if !self.write().await? {
            return Ok(false);
        }
        let edition = Edition {
            chunk_count: self.written,
            ..edition
        };
        let (app, draft) = (self.app, self.draft);
        let (tenant, source_id) = (draft.tenant_id, draft.source_id);
        let Some(named) = app.knowledge.find(tenant, source_id).await? else {
            return Ok(false);
        };
        let bot = named.source.bot_id;
        if gate::is_gated(app, tenant, bot).await? {
            let change = Change::PublishReading {
                source_id,
                generation: draft.generation,
                edition,
            };
            gate::propose(app, tenant, bot, change).await?;
            return Ok(true);
        }
        let published = app
            .knowledge
            .publish(draft, &edition, app.clock.now())
            .await?;
        // What the edition before left is swept by a job.
        app.bell.ring();
        Ok(published)
    }

    async fn write(&mut self) -> Result<bool> {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return Ok(true);
        }
        let app = self.app;
        let now = app.clock.now();
        let write = app.knowledge.append(self.draft, self.written, &part, now);
        let kept = match self.teller {
            Some(_) => paced(app, write).await?,
            // Somebody waits.
            None => write.await?,
        };
        self.written += part.len() as u32;
        let counts = |teller: &Teller<'_>| teller.unit == ProgressUnit::Chunks;
        if kept && self.teller.as_ref().is_some_and(counts) {
            self.tell(self.written.into()).await?;
        }
        Ok(kept)
    }
}

/// Tells of progress, now and then.
pub(super) struct Teller<'a> {
    app: &'a App,
    draft: Draft,
    stage: Stage,
    unit: ProgressUnit,
    told_at: Option<Timestamp>,
}

impl<'a> Teller<'a> {
    pub(super) const fn new(app: &'a App, draft: Draft, stage: Stage, unit: ProgressUnit) -> Self {
        Self {
            app,
            draft,
            stage,
            unit,
            told_at: None,
        }
    }

    pub(super) async fn tell(&mut self, done: u64, total: u64) -> Result<()> {
        let now = self.app.clock.now();
        if self.told_at.is_some_and(|at| now - at < TOLD_EVERY) {
            return Ok(());
        }
        self.told_at = Some(now);
        let progress = Progress {
            stage: self.stage,
            unit: self.unit,
            done,
            total: total.max(done),
        };
        let Draft {
            tenant_id,
            source_id,
            ..
        } = self.draft;
        self.app
            .knowledge
            .set_progress(tenant_id, source_id, progress)
            .await
    }
}
