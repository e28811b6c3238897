//! What `/knowledge` answers.

use application::knowledge::SourceDetails;
use domain::knowledge::{
    Chunk, CrawlPlan, KnowledgeSource, NamedSource, PageFailure, Progress, QuestionAnswer,
    SourceType,
};
use domain::retrieval::Hit;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::words;
use super::bodies::PairBody;

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
    /// Whether the bot answers from it.
    pub(super) enabled: bool,
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
            enabled: source.enabled,
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

impl From<SourceDetails> for SourceDetailsView {
    fn from(details: SourceDetails) -> Self {
        let is_curated = details.named.source.source_type == SourceType::Qa;
        let pairs = details
            .chunks
            .iter()
            .filter_map(|chunk| QuestionAnswer::of_chunk(&chunk.draft));
        Self {
            source: WholeSource {
                content: details.content,
                pairs: is_curated.then(|| pairs.map(PairBody::from).collect()),
                about: details.named.into(),
            },
            chunks: details.chunks.into_iter().map(ChunkView::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct WholeSource {
    #[serde(flatten)]
    pub(super) about: SourceStateView,
    /// The whole text; empty while it is processed.
    pub(super) content: String,
    /// The questions and answers of a qa source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pairs: Option<Vec<PairBody>>,
}

/// A knowledge source and how it does.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceStateView {
    pub(super) id: Uuid,
    pub(super) bot_id: Uuid,
    pub(super) bot_name: String,
    pub(super) name: String,
    #[schema(schema_with = words::source_type)]
    pub(super) source_type: &'static str,
    pub(super) file_path: Option<String>,
    #[schema(schema_with = words::source_status)]
    pub(super) status: &'static str,
    /// Whether the bot answers from it.
    pub(super) enabled: bool,
    /// Why it failed, or could not be read again.
    pub(super) error: Option<String>,
    /// How far its reading has come; null when it is not being read.
    pub(super) progress: Option<ProgressView>,
    pub(super) chunk_count: u32,
    pub(super) size_bytes: u64,
    #[serde(flatten)]
    #[schema(value_type = WebsiteView)]
    pub(super) website: Option<WebsiteView>,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) updated_at: OffsetDateTime,
}

impl From<NamedSource> for SourceStateView {
    fn from(NamedSource { source, bot_name }: NamedSource) -> Self {
        Self {
            id: source.id.0,
            bot_id: source.bot_id.0,
            bot_name,
            file_path: file_path(&source),
            website: WebsiteView::of(&source),
            name: source.name,
            source_type: source.source_type.as_str(),
            status: source.status.as_str(),
            enabled: source.enabled,
            error: source.error,
            progress: source.progress.map(ProgressView::from),
            chunk_count: source.chunk_count,
            size_bytes: source.size_bytes,
            created_at: source.created_at,
            updated_at: source.updated_at,
        }
    }
}

/// A knowledge source without its content.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceBriefView {
    pub(super) source: SourceStateView,
}

impl From<NamedSource> for SourceBriefView {
    fn from(named: NamedSource) -> Self {
        Self {
            source: named.into(),
        }
    }
}

/// How far the reading of a source has come.
#[derive(Serialize, ToSchema)]
pub(super) struct ProgressView {
    #[schema(schema_with = words::stage)]
    pub(super) stage: &'static str,
    /// What is counted.
    #[schema(schema_with = words::progress_unit)]
    pub(super) unit: &'static str,
    pub(super) done: u64,
    /// As far as is known by now.
    pub(super) total: u64,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self {
            stage: progress.stage.as_str(),
            unit: progress.unit.as_str(),
            done: progress.done,
            total: progress.total,
        }
    }
}

/// What only url sources have; others have none of it.
#[derive(Serialize, ToSchema)]
pub(super) struct WebsiteView {
    #[schema(required = false)]
    pub(super) url: String,
    /// How many pages were read.
    #[schema(required = false)]
    pub(super) pages: u32,
    /// What could not be read.
    #[schema(required = false)]
    pub(super) failed_urls: Vec<String>,
    /// What could not be read, and why.
    #[schema(required = false)]
    pub(super) failures: Vec<FailureView>,
    #[serde(flatten)]
    #[schema(value_type = CrawlView)]
    pub(super) crawl: Option<CrawlView>,
    /// When it was last compared with the site.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = false)]
    pub(super) synced_at: Option<OffsetDateTime>,
}

impl WebsiteView {
    fn of(source: &KnowledgeSource) -> Option<Self> {
        let failures = &source.failures;
        Some(Self {
            url: source.url.clone()?,
            pages: source.pages.unwrap_or_default(),
            failed_urls: failures.iter().map(|failure| failure.url.clone()).collect(),
            failures: failures.iter().cloned().map(FailureView::from).collect(),
            crawl: source.crawl.map(CrawlView::from),
            synced_at: source.synced_at,
        })
    }
}

/// How a website is read, now and again; one that can't be read again has none of it.
#[derive(Serialize, ToSchema)]
pub(super) struct CrawlView {
    #[schema(required = false)]
    pub(super) include_subpages: bool,
    #[schema(schema_with = words::crawl_scope, required = false)]
    pub(super) scope: &'static str,
    #[schema(required = false)]
    pub(super) max_pages: u32,
    /// After how many hours it is read again; null: only when asked.
    #[schema(required = false)]
    pub(super) resync_hours: Option<u32>,
}

impl From<CrawlPlan> for CrawlView {
    fn from(plan: CrawlPlan) -> Self {
        Self {
            include_subpages: plan.include_subpages,
            scope: plan.scope.as_str(),
            max_pages: plan.max_pages,
            resync_hours: plan.resync_hours,
        }
    }
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
