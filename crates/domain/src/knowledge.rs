//! Knowledge: the sources that a bot answers from, and the chunks they are cut into.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::paging::{Page, PageRequest};
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
/// The most pages of a crawl.
pub const MAX_PAGES: u32 = 20;

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
    /// Why it failed: a sentence that a person can act on.
    pub error: Option<String>,
    /// The first [`PREVIEW_LEN`] characters of the content.
    pub content_preview: String,
    /// The uploaded file's name without folders.
    pub file_name: Option<String>,
    /// For a url source, the address given.
    pub url: Option<String>,
    /// For a url source, how many pages were read.
    pub pages: Option<u32>,
    /// For a url source, what could not be read.
    pub failures: Vec<PageFailure>,
    /// Bytes: the file's, or the content's in UTF-8.
    pub size_bytes: u64,
    /// How many chunks it was cut into.
    pub chunk_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
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

/// What reading a source yielded.
#[derive(Debug, Clone, Default)]
pub struct SourceContent {
    /// The whole text, word for word.
    pub text: String,
    /// The pieces, in order.
    pub chunks: Vec<(ChunkId, ChunkDraft)>,
}

/// An uploaded file on its way into the store.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// Its bytes, whole.
    pub bytes: Vec<u8>,
    /// The job that will read it.
    pub job_id: JobId,
}

/// Which sources to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceFilter {
    /// Only of this bot.
    pub bot_id: Option<BotId>,
    /// Only of this type.
    pub source_type: Option<SourceType>,
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
    /// Keeps a source that has been read, with its content and chunks.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] (`Bot`); [`crate::Error::Conflict`] (`AlreadyExists`) for an id that is taken.
    async fn create(&self, source: &KnowledgeSource, content: &SourceContent) -> Result<()>;

    /// Keeps a file that is still to be read (status `processing`), its bytes, and the job to read it
    /// ([`crate::jobs::JobKind::ReadFile`]), all or nothing.
    ///
    /// # Errors
    /// As [`KnowledgeSources::create`].
    async fn stage(&self, source: &KnowledgeSource, file: &StagedFile) -> Result<()>;

    /// The bytes of a staged file; `None` once the source is gone.
    async fn file(&self, tenant: TenantId, id: SourceId) -> Result<Option<Vec<u8>>>;

    /// Ends the reading of a staged file well. `false`: the source is gone, and nothing was kept.
    async fn finish(
        &self,
        tenant: TenantId,
        id: SourceId,
        content: &SourceContent,
        at: Timestamp,
    ) -> Result<bool>;

    /// Ends the reading of a staged file badly, with a sentence for a person. `false`: the source is gone.
    async fn fail(
        &self,
        tenant: TenantId,
        id: SourceId,
        error: &str,
        at: Timestamp,
    ) -> Result<bool>;

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

    /// Deletes a source with all its chunks, its file and its jobs. `false`: there is no such source.
    async fn delete(&self, tenant: TenantId, id: SourceId) -> Result<bool>;
}

/// What finding chunks needs of the store. Reads only.
#[async_trait]
pub trait KnowledgeIndex: Send + Sync {
    /// The version of a bot's knowledge; `None`: no such bot.
    async fn version(&self, tenant: TenantId, bot: BotId) -> Result<Option<i64>>;
    /// The bot's sources that are ready, with the version of the bot's knowledge at which each last changed.
    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>>;
    /// All chunks of one source, in order. Empty once it is gone.
    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>>;
    /// These chunks, in any order; those that are gone are left out.
    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>>;
}

/// A source as retrieval sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedSource {
    /// Its id.
    pub id: SourceId,
    /// Its name, which counts as words to find it by.
    pub name: String,
    /// Grows whenever its chunks change; the same revision means the same chunks.
    pub revision: i64,
}
