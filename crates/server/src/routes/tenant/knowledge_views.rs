//! What `/knowledge` reads and writes.

use domain::knowledge::{Chunk, KnowledgeSource, NamedSource, PageFailure};
use domain::retrieval::Hit;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::words;
use crate::http::body::{JsonBody, SizeLimit};

/// A knowledge source in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceView {
    pub(super) id: Uuid,
    pub(super) bot_id: Uuid,
    pub(super) bot_name: String,
    pub(super) name: String,
    #[schema(schema_with = words::source_type)]
    pub(super) source_type: &'static str,
    /// The first 200 characters of the content.
    pub(super) content_preview: String,
    /// `/uploads/` and the file's name; null where there was no file.
    pub(super) file_path: Option<String>,
    #[schema(schema_with = words::source_status)]
    pub(super) status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
}

impl From<NamedSource> for SourceView {
    fn from(NamedSource { source, bot_name }: NamedSource) -> Self {
        Self {
            id: source.id.0,
            bot_id: source.bot_id.0,
            bot_name,
            file_path: file_path(&source),
            name: source.name,
            source_type: source.source_type.as_str(),
            content_preview: source.content_preview,
            status: source.status.as_str(),
            created_at: source.created_at,
        }
    }
}

/// A place in the API's world; where the file lies is nobody's business.
pub(super) fn file_path(source: &KnowledgeSource) -> Option<String> {
    source
        .file_name
        .as_ref()
        .map(|name| format!("/uploads/{name}"))
}

/// A knowledge source with its chunks.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceDetailsView {
    pub(super) source: WholeSource,
    pub(super) chunks: Vec<ChunkView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct WholeSource {
    pub(super) id: Uuid,
    pub(super) bot_id: Uuid,
    pub(super) bot_name: String,
    pub(super) name: String,
    pub(super) source_type: &'static str,
    /// The whole text; empty while it is processed.
    pub(super) content: String,
    pub(super) file_path: Option<String>,
    #[schema(schema_with = words::source_status)]
    pub(super) status: &'static str,
    /// Why it failed.
    pub(super) error: Option<String>,
    pub(super) chunk_count: u32,
    pub(super) size_bytes: u64,
    #[serde(flatten)]
    pub(super) website: Option<WebsiteView>,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) updated_at: OffsetDateTime,
}

/// What only url sources have.
#[derive(Serialize, ToSchema)]
pub(super) struct WebsiteView {
    pub(super) url: String,
    /// How many pages were read.
    pub(super) pages: u32,
    /// What could not be read.
    pub(super) failed_urls: Vec<String>,
    /// What could not be read, and why.
    pub(super) failures: Vec<FailureView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FailureView {
    pub(super) url: String,
    pub(super) reason: String,
}

impl From<PageFailure> for FailureView {
    fn from(failure: PageFailure) -> Self {
        Self {
            url: failure.url,
            reason: failure.reason,
        }
    }
}

/// A piece of a source.
#[derive(Serialize, ToSchema)]
pub(super) struct ChunkView {
    pub(super) id: Uuid,
    pub(super) content: String,
    pub(super) chunk_index: u32,
    /// The headings above it.
    pub(super) heading: Option<String>,
    /// The page it stands on.
    pub(super) page: Option<u32>,
    /// The web page it comes from.
    pub(super) url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
}

impl From<Chunk> for ChunkView {
    fn from(chunk: Chunk) -> Self {
        Self {
            id: chunk.id.0,
            content: chunk.draft.content,
            chunk_index: chunk.index,
            heading: chunk.draft.heading,
            page: chunk.draft.page,
            url: chunk.draft.url,
            created_at: chunk.created_at,
        }
    }
}

/// A source that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedSource {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) source_type: &'static str,
    pub(super) status: &'static str,
    #[schema(example = "Knowledge source created successfully")]
    pub(super) message: &'static str,
}

/// A file that was just taken.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadedFile {
    pub(super) id: Uuid,
    pub(super) name: String,
    #[schema(example = "file")]
    pub(super) source_type: &'static str,
    #[schema(example = "processing")]
    pub(super) status: &'static str,
    /// Bytes.
    pub(super) file_size: u64,
    #[schema(example = "File uploaded and processing started")]
    pub(super) message: &'static str,
}

/// A website that was just read.
#[derive(Serialize, ToSchema)]
pub(super) struct ScrapedSite {
    /// The source that was made.
    pub(super) id: Uuid,
    pub(super) pages_scraped: u32,
    pub(super) knowledge_chunks_created: u32,
    /// What could not be read.
    pub(super) failed_urls: Vec<String>,
    /// What could not be read, and why.
    pub(super) failures: Vec<FailureView>,
    #[schema(example = "Website scraped successfully")]
    pub(super) message: &'static str,
}

/// Which sources, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListSources {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    pub(super) page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub(super) per_page: Option<String>,
    /// Filter by specific bot
    pub(super) bot_id: Option<String>,
    /// Filter by source type
    #[param(schema_with = words::source_type)]
    pub(super) source_type: Option<String>,
}

/// A source to be made. A file comes as `multipart/form-data` with the same fields.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct CreateSource {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// Name of the knowledge source (1 to 200 characters)
    #[schema(required, nullable = false)]
    pub(super) name: Option<String>,
    /// Type of source
    #[schema(required, schema_with = words::source_type)]
    pub(super) source_type: Option<String>,
    /// The knowledge content (required for text type)
    pub(super) content: Option<String>,
    /// Website URL to scrape (required for url type)
    pub(super) url: Option<String>,
    /// Include subpages when scraping (url type only)
    pub(super) include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20)
    #[schema(minimum = 1, maximum = 20)]
    pub(super) max_pages: Option<u32>,
}

impl JsonBody for CreateSource {
    // A million characters, each of which JSON may write as twelve bytes, and the rest.
    const LIMIT: SizeLimit = SizeLimit {
        bytes: 13 * 1024 * 1024,
        told: "13 MB",
    };
}

/// A website to read.
#[derive(Deserialize, ToSchema)]
pub(super) struct ScrapeBody {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// Website URL to scrape
    #[schema(required, nullable = false)]
    pub(super) url: Option<String>,
    /// Include subpages in scraping (default: false)
    pub(super) include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20)
    #[schema(minimum = 1, maximum = 20)]
    pub(super) max_pages: Option<u32>,
}

impl JsonBody for ScrapeBody {}

/// A question to a bot's knowledge.
#[derive(Deserialize, ToSchema)]
pub(super) struct SearchBody {
    /// Whose knowledge
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// The question (1 to 8000 characters)
    #[schema(required, nullable = false)]
    pub(super) query: Option<String>,
    /// The most chunks (default: 10, max: 50)
    #[schema(minimum = 1, maximum = 50)]
    pub(super) limit: Option<u32>,
    /// Earlier messages, oldest first
    pub(super) history: Option<Vec<UtteranceBody>>,
}

impl JsonBody for SearchBody {}

/// An earlier message.
#[derive(Deserialize, ToSchema)]
pub(super) struct UtteranceBody {
    /// `user` or `bot`
    pub(super) sender: String,
    pub(super) message: String,
}

/// What retrieval finds.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchView {
    /// How sure it is, 0 to 1, that the results answer the question.
    pub(super) answerable: f32,
    /// Best first.
    pub(super) results: Vec<HitView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct HitView {
    pub(super) chunk_id: Uuid,
    pub(super) source_id: Uuid,
    pub(super) source_name: String,
    pub(super) chunk_index: u32,
    pub(super) content: String,
    pub(super) score: f32,
    pub(super) heading: Option<String>,
    pub(super) page: Option<u32>,
    pub(super) url: Option<String>,
}

impl From<Hit> for HitView {
    fn from(hit: Hit) -> Self {
        Self {
            chunk_id: hit.chunk.id.0,
            source_id: hit.chunk.source_id.0,
            source_name: hit.source_name,
            chunk_index: hit.chunk.index,
            content: hit.chunk.draft.content,
            score: hit.score,
            heading: hit.chunk.draft.heading,
            page: hit.chunk.draft.page,
            url: hit.chunk.draft.url,
        }
    }
}
