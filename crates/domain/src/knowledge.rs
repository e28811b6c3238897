//! Knowledge: the sources that a bot answers from, and the chunks they are cut into.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::embeddings::{Embedding, PassageHash};
use crate::jobs::NextRun;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::websites::{CrawlScope, KnownPage, WebPage};
use crate::{BotId, ChunkId, JobId, Result, SourceId, TenantId, Timestamp};

named! {
    /// Where a source's words come from.
    SourceType {
        /// An uploaded file.
        File = "file",
        /// A website.
        Url = "url",
        /// Words given as they are.
        Text = "text",
        /// Questions with the answers that its owner wants given ([`QuestionAnswer`]).
        Qa = "qa",
    }
}

named! {
    /// Whether a source can be answered from.
    SourceStatus {
        /// Kept safely, but not read yet.
        Processing = "processing",
        /// Read, cut, and searchable.
        Ready = "ready",
        /// Could not be read; `error` says why.
        Failed = "failed",
    }
}

/// How many characters of the content a list shows.
pub const PREVIEW_LEN: usize = 200;
/// The largest file, in bytes.
pub const UPLOAD_MAX: usize = 10 * 1024 * 1024;
/// Pages of a crawl where the client does not say.
pub const DEFAULT_PAGES: u32 = 5;
/// The most pages of a crawl that a client waits for.
pub const MAX_PAGES: u32 = 20;
/// The most pages of a crawl in the background.
pub const MAX_SITE_PAGES: u32 = 10_000;
/// The longest time between two crawls of a site, in hours: a year.
pub const MAX_RESYNC_HOURS: u32 = 8_760;
/// The most pairs of a source of questions and answers.
pub const MAX_PAIRS: usize = 1_000;
/// The longest question of a pair, in characters.
pub const QUESTION_MAX: u64 = 1_000;
/// The longest answer of a pair, in characters.
pub const ANSWER_MAX: u64 = 8_000;

/// A knowledge source without its content, which may be large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnowledgeSource {
    /// Its id.
    pub id: SourceId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that answers from it.
    pub bot_id: BotId,
    /// Its name: given, or the file's, or the page's title.
    pub name: String,
    /// Where the words come from.
    pub source_type: SourceType,
    /// Whether it can be answered from.
    pub status: SourceStatus,
    /// Whether its owner wants it answered from.
    pub enabled: bool,
    /// Why it failed, or why it could not be read again (what was read before holds then): a sentence that a
    /// person can act on.
    pub error: Option<String>,
    /// The first [`PREVIEW_LEN`] characters of the content.
    pub content_preview: String,
    /// The uploaded file's name without folders.
    pub file_name: Option<String>,
    /// For a url source, the address given.
    pub url: Option<String>,
    /// For a url source, how it is read.
    pub crawl: Option<CrawlPlan>,
    /// For a url source, how many pages were read.
    pub pages: Option<u32>,
    /// For a url source, what could not be read.
    pub failures: Vec<PageFailure>,
    /// Bytes: the file's, or the content's in UTF-8.
    pub size_bytes: u64,
    /// How many chunks it was cut into.
    pub chunk_count: u32,
    /// How far its reading has come, while it is read.
    pub progress: Option<Progress>,
    /// When a url source was last compared with its site.
    pub synced_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl KnowledgeSource {
    /// Whether it is being read, or waits to be: for the first time or again.
    pub fn is_being_read(&self) -> bool {
        self.status == SourceStatus::Processing || self.progress.is_some()
    }
}

/// How a website is read, now and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlPlan {
    /// Whether links are followed.
    pub include_subpages: bool,
    /// How far.
    pub scope: CrawlScope,
    /// The most pages, the first included.
    pub max_pages: u32,
    /// After how many hours it is read again; `None`: only when asked.
    pub resync_hours: Option<u32>,
}

named! {
    /// What is being done with a source.
    Stage {
        /// It waits for its turn.
        Waiting = "waiting",
        /// Its file is read, or its pages are.
        Reading = "reading",
        /// Its words are made searchable.
        Indexing = "indexing",
    }
}

named! {
    /// What progress is counted in.
    ProgressUnit {
        /// Bytes of a file.
        Bytes = "bytes",
        /// Pages of a website.
        Pages = "pages",
        /// Chunks.
        Chunks = "chunks",
    }
}

/// How far the reading of a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// What is counted.
    pub unit: ProgressUnit,
    /// How many of them are done.
    pub done: u64,
    /// How many there are, as far as is known by now.
    pub total: u64,
}

/// A page that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFailure {
    /// Its address.
    pub url: String,
    /// A sentence that a person can act on.
    pub reason: String,
}

/// A piece of a source, as it is cut and before it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChunkDraft {
    /// The words.
    pub content: String,
    /// The headings above it, outermost first, joined by ` > `.
    pub heading: Option<String>,
    /// The page it stands on, from 1, where there are pages.
    pub page: Option<u32>,
    /// The address of the web page it comes from.
    pub url: Option<String>,
}

/// A piece of a source. The chunks of a source together hold every word of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its id.
    pub id: ChunkId,
    /// The source it is cut from.
    pub source_id: SourceId,
    /// Its place in the source, from 0 without gaps.
    pub index: u32,
    /// The words and where they stand.
    pub draft: ChunkDraft,
    /// When it was kept.
    pub created_at: Timestamp,
}

/// A question with the answer that a bot's owner wants given. It is one chunk of its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// The question, as a visitor may ask it.
    pub question: String,
    /// The answer, word for word.
    pub answer: String,
}

impl QuestionAnswer {
    /// The pair as text, and as the content of its chunk.
    pub fn text(&self) -> String {
        format!("Q: {}\nA: {}", self.question, self.answer)
    }

    /// The pair as a chunk below its question.
    pub fn chunk(&self) -> ChunkDraft {
        ChunkDraft {
            content: self.text(),
            heading: Some(self.question.clone()),
            ..ChunkDraft::default()
        }
    }

    /// The pair of a chunk that [`QuestionAnswer::chunk`] made; `None` for any other.
    pub fn of_chunk(chunk: &ChunkDraft) -> Option<Self> {
        let question = chunk.heading.as_deref()?;
        let rest = chunk.content.strip_prefix("Q: ")?;
        let answer = rest.strip_prefix(question)?.strip_prefix("\nA: ")?;
        Some(Self {
            question: question.to_owned(),
            answer: answer.to_owned(),
        })
    }
}

/// A piece of a source on its way into the store.
pub type NewChunk = (ChunkId, ChunkDraft);

/// What reading a source yielded.
#[derive(Debug, Clone, Default)]
pub struct SourceContent {
    /// The whole text, word for word.
    pub text: String,
    /// The pieces, in order.
    pub chunks: Vec<NewChunk>,
    /// For a url source, the pages that they come from.
    pub pages: Vec<WebPage>,
}

/// A new reading of a source, beside the one that is answered from until this one is published. A source has one
/// draft: whoever begins the next takes over, and nothing more can be added to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    /// Whose source.
    pub tenant_id: TenantId,
    /// Which source.
    pub source_id: SourceId,
    /// Greater than that of every draft before.
    pub generation: i64,
}

/// A page of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftPage {
    /// It is new or has changed.
    Read(WebPage),
    /// It is as it was when it was last read, whenever that was.
    Same(KnownPage),
}

/// What a draft holds when it is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// The whole text; `None` where it is that of the chunks.
    pub text: Option<String>,
    /// The first [`PREVIEW_LEN`] characters of the text.
    pub content_preview: String,
    /// Bytes; `None`: as before (a file's size is the file's).
    pub size_bytes: Option<u64>,
    /// How many chunks were added.
    pub chunk_count: u32,
    /// For a url source, how many pages there are.
    pub pages: Option<u32>,
    /// For a url source, what could not be read.
    pub failures: Vec<PageFailure>,
}

/// What becomes of a source's settings. `None`: as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceChange {
    /// Its name.
    pub name: Option<String>,
    /// Whether it is answered from.
    pub enabled: Option<bool>,
    /// After how many hours a site is read again; `Some(None)`: only when asked.
    pub resync_hours: Option<Option<u32>>,
    /// The most pages of a site.
    pub max_pages: Option<u32>,
}

/// What a source is still to be read from, and by which job.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The job that will read it.
    pub job_id: JobId,
    /// An uploaded file's bytes, whole; `None` for a website.
    pub file: Option<Vec<u8>>,
}

/// Which sources to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceFilter {
    /// Only of this bot.
    pub bot_id: Option<BotId>,
    /// Only of this type.
    pub source_type: Option<SourceType>,
}

/// How many sources a bot has, by their status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Still to be read for the first time, or being read.
    pub processing: u64,
    /// Ready.
    pub ready: u64,
    /// Could not be read.
    pub failed: u64,
}

/// A source with the name of its bot, as every list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSource {
    /// The source.
    pub source: KnowledgeSource,
    /// The name of its bot now.
    pub bot_name: String,
}

/// Where knowledge is kept. Whatever changes what a bot can find also raises the bot's knowledge version,
/// in the same transaction.
#[async_trait]
pub trait KnowledgeSources: Send + Sync {
    /// Keeps a source that has been read, with its content and chunks. A website to be read again has the job for
    /// that ([`crate::jobs::JobKind::ReadSite`]), due in as many hours.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] (`Bot`); [`crate::Error::Conflict`] (`AlreadyExists`) for an id that is taken.
    async fn create(
        &self,
        source: &KnowledgeSource,
        content: &SourceContent,
        next: Option<NextRun>,
    ) -> Result<()>;

    /// Keeps a source that is still to be read (status `processing`), and the job to read it ([`crate::jobs::JobKind::ReadFile`]
    /// or [`crate::jobs::JobKind::ReadSite`]), all or nothing.
    ///
    /// # Errors
    /// As [`KnowledgeSources::create`].
    async fn stage(&self, source: &KnowledgeSource, staged: &Staged) -> Result<()>;

    /// The bytes of an uploaded file; `None`: the source is gone, or is none.
    async fn file(&self, tenant: TenantId, id: SourceId) -> Result<Option<Vec<u8>>>;

    /// Changes a source's settings. A new time to read a site again counts from `at`. `None`: there is no such
    /// source.
    async fn update(
        &self,
        tenant: TenantId,
        id: SourceId,
        change: &SourceChange,
        next: Option<NextRun>,
        at: Timestamp,
    ) -> Result<Option<NamedSource>>;

    /// Makes the job that reads a source due now, unless it is at work or due already. `false`: the source is gone.
    async fn refresh(&self, tenant: TenantId, id: SourceId, next: NextRun) -> Result<bool>;

    /// Begins a draft, and ends the one before. `None`: the source is gone.
    async fn begin(&self, tenant: TenantId, id: SourceId) -> Result<Option<Draft>>;

    /// Adds chunks to a draft, the first of them at `index`. `false`: it is no longer the source's draft.
    async fn append(
        &self,
        draft: Draft,
        index: u32,
        chunks: &[NewChunk],
        at: Timestamp,
    ) -> Result<bool>;

    /// Puts a page at a place of a draft. `false`: as [`KnowledgeSources::append`].
    async fn put_page(&self, draft: Draft, position: u32, page: &DraftPage) -> Result<bool>;

    /// The pages of a source as they were last read, by a draft that was never published too.
    async fn known_pages(&self, tenant: TenantId, id: SourceId) -> Result<Vec<KnownPage>>;

    /// Whether the draft's pages are other ones than those that the source is answered from, which those of a first
    /// reading always are. `false`, too: it is no longer the source's draft.
    async fn has_changed(&self, draft: Draft) -> Result<bool>;

    /// The pages of a draft from a place on, in order, `limit` of them at most.
    async fn pages(&self, draft: Draft, position: u32, limit: u32) -> Result<Vec<(u32, WebPage)>>;

    /// Lets the source be answered from the draft, and no more from what was before. Ends its progress. `false`: as
    /// [`KnowledgeSources::append`].
    async fn publish(&self, draft: Draft, edition: &Edition, at: Timestamp) -> Result<bool>;

    /// Ends a draft that is no better than what the source is answered from, and its progress; `failures` are this
    /// reading's. `false`: as [`KnowledgeSources::append`].
    async fn discard(&self, draft: Draft, failures: &[PageFailure], at: Timestamp) -> Result<bool>;

    /// Ends a source's reading badly, with a sentence for a person, and its draft. What could be answered from it
    /// before still can, and a reading that has ended before stays as it ended. `false`: the source is gone.
    async fn fail(
        &self,
        tenant: TenantId,
        id: SourceId,
        error: &str,
        at: Timestamp,
    ) -> Result<bool>;

    /// Says how far the reading has come. A source that is gone, or has no draft, has none.
    async fn set_progress(&self, tenant: TenantId, id: SourceId, progress: Progress) -> Result<()>;

    /// Deletes what earlier readings of a source left, a part at a time. `true`: there may be more.
    async fn sweep(&self, tenant: TenantId, id: SourceId) -> Result<bool>;

    /// One source of the tenant.
    async fn find(&self, tenant: TenantId, id: SourceId) -> Result<Option<NamedSource>>;

    /// A source's whole content; empty while it is processed.
    async fn content(&self, tenant: TenantId, id: SourceId) -> Result<String>;

    /// A source's chunks in order.
    async fn chunks(&self, tenant: TenantId, id: SourceId) -> Result<Vec<Chunk>>;

    /// A page of the tenant's sources, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: SourceFilter,
        page: PageRequest,
    ) -> Result<Page<NamedSource>>;

    /// How many sources a bot has, by their status.
    async fn counts(&self, tenant: TenantId, bot: BotId) -> Result<SourceCounts>;

    /// Deletes a source with all its chunks, its file, its pages and its jobs. `false`: there is no such source.
    async fn delete(&self, tenant: TenantId, id: SourceId) -> Result<bool>;
}

/// What finding chunks must know of a bot's knowledge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnowledgeState {
    /// Grows with every change to what the bot can find.
    pub version: i64,
    /// The model whose embeddings it is searched with ([`crate::embeddings::Embedder::model`]); `None`: words alone.
    pub embedding_model: Option<String>,
}

/// What finding chunks needs of the store. Reads only.
#[async_trait]
pub trait KnowledgeIndex: Send + Sync {
    /// The state of a bot's knowledge; `None`: no such bot.
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>>;
    /// The bot's sources that are ready and enabled, with the version of the bot's knowledge at which each last changed.
    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>>;
    /// All chunks of one source, in order. Empty once it is gone.
    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>>;
    /// These chunks, in any order; those that are gone are left out.
    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>>;
    /// The embeddings of a source's chunks by a model, in any order. Those of chunks that are gone may be among them.
    async fn embeddings_of(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>>;
}

/// A source as retrieval sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedSource {
    /// Its id.
    pub id: SourceId,
    /// Its name, which counts as words to find it by.
    pub name: String,
    /// Whether its chunks are questions with the answers that the bot's owner wants given ([`QuestionAnswer`]).
    pub is_curated: bool,
    /// Grows whenever its chunks change; the same revision means the same chunks.
    pub revision: i64,
    /// Another number whenever it has other embeddings by the model that the bot is searched with; 0: it has none.
    pub embedded: i64,
}
