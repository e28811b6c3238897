//! `/knowledge`.

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, post};
use application::knowledge::{self, NewScrape, NewText, NewUpload, Search};
use domain::actors::Actor;
use domain::knowledge::{
    Chunk, KnowledgeSource, NamedSource, PageFailure, SourceFilter, SourceType,
};
use domain::messages::{Author, Utterance};
use domain::retrieval::Hit;
use domain::text::required;
use domain::{Error, Result, SourceId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::knowledge_form::{self, Form};
use super::{envelope, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody, SizeLimit};
use crate::http::error::ApiResult;
use crate::http::idempotency::OperationId;
use crate::http::params::{self, Query};
use crate::state::State;

/// A knowledge source in a list.
#[derive(Serialize, ToSchema)]
pub struct SourceView {
    id: Uuid,
    bot_id: Uuid,
    bot_name: String,
    name: String,
    #[schema(schema_with = words::source_type)]
    source_type: &'static str,
    /// The first 200 characters of the content.
    content_preview: String,
    /// `/uploads/` and the file's name; null where there was no file.
    file_path: Option<String>,
    #[schema(schema_with = words::source_status)]
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
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
fn file_path(source: &KnowledgeSource) -> Option<String> {
    source
        .file_name
        .as_ref()
        .map(|name| format!("/uploads/{name}"))
}

/// A knowledge source with its chunks.
#[derive(Serialize, ToSchema)]
pub struct SourceDetailsView {
    source: WholeSource,
    chunks: Vec<ChunkView>,
}

#[derive(Serialize, ToSchema)]
struct WholeSource {
    id: Uuid,
    bot_id: Uuid,
    bot_name: String,
    name: String,
    source_type: &'static str,
    /// The whole text; empty while it is processed.
    content: String,
    file_path: Option<String>,
    #[schema(schema_with = words::source_status)]
    status: &'static str,
    /// Why it failed.
    error: Option<String>,
    chunk_count: u32,
    size_bytes: u64,
    #[serde(flatten)]
    website: Option<WebsiteView>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// What only url sources have.
#[derive(Serialize, ToSchema)]
struct WebsiteView {
    url: String,
    /// How many pages were read.
    pages: u32,
    /// What could not be read.
    failed_urls: Vec<String>,
    /// What could not be read, and why.
    failures: Vec<FailureView>,
}

#[derive(Serialize, ToSchema)]
struct FailureView {
    url: String,
    reason: String,
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
pub struct ChunkView {
    id: Uuid,
    content: String,
    chunk_index: u32,
    /// The headings above it.
    heading: Option<String>,
    /// The page it stands on.
    page: Option<u32>,
    /// The web page it comes from.
    url: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
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
pub struct CreatedSource {
    id: Uuid,
    name: String,
    source_type: &'static str,
    status: &'static str,
    #[schema(example = "Knowledge source created successfully")]
    message: &'static str,
}

/// A file that was just taken.
#[derive(Serialize, ToSchema)]
pub struct UploadedFile {
    id: Uuid,
    name: String,
    #[schema(example = "file")]
    source_type: &'static str,
    #[schema(example = "processing")]
    status: &'static str,
    /// Bytes.
    file_size: u64,
    #[schema(example = "File uploaded and processing started")]
    message: &'static str,
}

/// A website that was just read.
#[derive(Serialize, ToSchema)]
pub struct ScrapedSite {
    /// The source that was made.
    id: Uuid,
    pages_scraped: u32,
    knowledge_chunks_created: u32,
    /// What could not be read.
    failed_urls: Vec<String>,
    /// What could not be read, and why.
    failures: Vec<FailureView>,
    #[schema(example = "Website scraped successfully")]
    message: &'static str,
}

/// Which sources, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListSources {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Filter by specific bot
    bot_id: Option<String>,
    /// Filter by source type
    #[param(schema_with = words::source_type)]
    source_type: Option<String>,
}

/// A source to be made. A file comes as `multipart/form-data` with the same fields.
#[derive(Default, Deserialize, ToSchema)]
pub struct CreateSource {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    pub bot_id: Option<String>,
    /// Name of the knowledge source (1 to 200 characters)
    #[schema(required, nullable = false)]
    pub name: Option<String>,
    /// Type of source
    #[schema(required, schema_with = words::source_type)]
    pub source_type: Option<String>,
    /// The knowledge content (required for text type)
    pub content: Option<String>,
    /// Website URL to scrape (required for url type)
    pub url: Option<String>,
    /// Include subpages when scraping (url type only)
    pub include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20)
    #[schema(minimum = 1, maximum = 20)]
    pub max_pages: Option<u32>,
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
pub struct ScrapeBody {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    bot_id: Option<String>,
    /// Website URL to scrape
    #[schema(required, nullable = false)]
    url: Option<String>,
    /// Include subpages in scraping (default: false)
    include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20)
    #[schema(minimum = 1, maximum = 20)]
    max_pages: Option<u32>,
}

impl JsonBody for ScrapeBody {}

/// A question to a bot's knowledge.
#[derive(Deserialize, ToSchema)]
pub struct SearchBody {
    /// Whose knowledge
    #[schema(required, nullable = false)]
    bot_id: Option<String>,
    /// The question (1 to 8000 characters)
    #[schema(required, nullable = false)]
    query: Option<String>,
    /// The most chunks (default: 10, max: 50)
    #[schema(minimum = 1, maximum = 50)]
    limit: Option<u32>,
    /// Earlier messages, oldest first
    history: Option<Vec<UtteranceBody>>,
}

impl JsonBody for SearchBody {}

/// An earlier message.
#[derive(Deserialize, ToSchema)]
pub struct UtteranceBody {
    /// `user` or `bot`
    sender: String,
    message: String,
}

/// What retrieval finds.
#[derive(Serialize, ToSchema)]
pub struct SearchView {
    /// How sure it is, 0 to 1, that the results answer the question.
    answerable: f32,
    /// Best first.
    results: Vec<HitView>,
}

#[derive(Serialize, ToSchema)]
struct HitView {
    chunk_id: Uuid,
    source_id: Uuid,
    source_name: String,
    chunk_index: u32,
    content: String,
    score: f32,
    heading: Option<String>,
    page: Option<u32>,
    url: Option<String>,
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

/// List knowledge sources
#[utoipa::path(tag = "Knowledge", params(ListSources), responses((status = 200, body = envelope::Listed<SourceView>)))]
#[get("/knowledge/sources")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListSources>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let page = params::page(query.page.as_deref(), query.per_page.as_deref())?;
    let filter = SourceFilter {
        bot_id: params::bot_filter(query.bot_id.as_deref()),
        source_type: query
            .source_type
            .map(|word| SourceType::read("source_type", &word))
            .transpose()?,
    };
    let sources = knowledge::list(&state.app, &caller.0, filter, page).await?;
    Ok(envelope::listed(sources, page, SourceView::from))
}

/// Get knowledge source
#[utoipa::path(tag = "Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source")), responses((status = 200, body = envelope::Data<SourceDetailsView>)))]
#[get("/knowledge/sources/{source_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let details = knowledge::get(&state.app, &caller.0, params::source_id(&source_id)?).await?;
    let NamedSource { source, bot_name } = details.named;
    let source = WholeSource {
        id: source.id.0,
        bot_id: source.bot_id.0,
        bot_name,
        file_path: file_path(&source),
        source_type: source.source_type.as_str(),
        content: details.content,
        status: source.status.as_str(),
        error: source.error,
        chunk_count: source.chunk_count,
        size_bytes: source.size_bytes,
        website: source.url.map(|url| WebsiteView {
            url,
            pages: source.pages.unwrap_or_default(),
            failed_urls: source
                .failures
                .iter()
                .map(|failure| failure.url.clone())
                .collect(),
            failures: source.failures.into_iter().map(FailureView::from).collect(),
        }),
        name: source.name,
        created_at: source.created_at,
        updated_at: source.updated_at,
    };
    let chunks = details.chunks.into_iter().map(ChunkView::from).collect();
    Ok(envelope::data(
        StatusCode::OK,
        SourceDetailsView { source, chunks },
    ))
}

/// Create knowledge source
#[utoipa::path(tag = "Knowledge", request_body(content((CreateSource = "application/json"), (knowledge_form::SourceForm = "multipart/form-data"))), responses((status = 201, body = envelope::Data<CreatedSource>)))]
#[post("/knowledge/sources")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    request: HttpRequest,
    payload: web::Payload,
) -> ApiResult<HttpResponse> {
    let (body, file) = if is_form(&request) {
        let form = Form::read(&request, payload.into_inner()).await?;
        form.into_source()?
    } else {
        (
            Json::<CreateSource>::from_request(&request, &mut payload.into_inner())
                .await?
                .0,
            None,
        )
    };
    let source = make(&state, &caller.0, id.0.into(), body, file).await?;
    let view = CreatedSource {
        id: source.id.0,
        name: source.name,
        source_type: source.source_type.as_str(),
        status: source.status.as_str(),
        message: "Knowledge source created successfully",
    };
    Ok(envelope::data(StatusCode::CREATED, view))
}

async fn make(
    state: &State,
    actor: &Actor,
    id: SourceId,
    body: CreateSource,
    file: Option<knowledge_form::File>,
) -> Result<KnowledgeSource> {
    let bot_id = params::bot_id(&required("bot_id", body.bot_id)?);
    let name = required("name", body.name)?;
    match SourceType::read("source_type", &required("source_type", body.source_type)?)? {
        SourceType::Text => {
            let content = required("content", body.content)?;
            knowledge::create_text(
                &state.app,
                actor,
                id,
                NewText {
                    bot_id: bot_id?,
                    name,
                    content,
                },
            )
            .await
        }
        SourceType::Url => {
            let url = required("url", body.url)?;
            let new = NewScrape {
                bot_id: bot_id?,
                name: Some(name),
                url,
                include_subpages: body.include_subpages.unwrap_or(false),
                max_pages: body.max_pages,
            };
            knowledge::scrape(&state.app, actor, id, new).await
        }
        SourceType::File => {
            let file = file.ok_or_else(|| Error::missing("file"))?;
            let new = NewUpload {
                bot_id: bot_id?,
                name: Some(name),
                file_name: file.name,
                bytes: file.bytes,
            };
            knowledge::upload(&state.app, actor, id, new).await
        }
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let value = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        value
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/form-data")
    })
}

/// Delete knowledge source
#[utoipa::path(tag = "Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source to delete")), responses((status = 200, body = envelope::Done)))]
#[delete("/knowledge/sources/{source_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
) -> ApiResult<HttpResponse> {
    knowledge::delete(&state.app, &caller.0, params::source_id(&source_id)?).await?;
    Ok(envelope::done("Knowledge source deleted successfully"))
}

/// Upload knowledge file
///
/// TXT, MD or CSV, at most 10 MB. The file is read in the background: the source's `status` tells how far it is.
#[utoipa::path(tag = "Knowledge", request_body(content = knowledge_form::UploadForm, content_type = "multipart/form-data"), responses((status = 201, body = envelope::Data<UploadedFile>)))]
#[post("/knowledge/upload")]
pub(super) async fn upload(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    request: HttpRequest,
    payload: web::Payload,
) -> ApiResult<HttpResponse> {
    if !is_form(&request) {
        return Err(crate::http::error::ApiError::WrongContentType(
            "multipart/form-data",
        ));
    }
    let payload: Payload = payload.into_inner();
    let form = Form::read(&request, payload).await?;
    let bot_id = params::bot_id(&required("bot_id", form.text("bot_id"))?)?;
    let file = form.file.ok_or_else(|| Error::missing("file"))?;
    let new = NewUpload {
        bot_id,
        name: None,
        file_name: file.name,
        bytes: file.bytes,
    };
    let source = knowledge::upload(&state.app, &caller.0, id.0.into(), new).await?;
    let view = UploadedFile {
        id: source.id.0,
        name: source.name,
        source_type: source.source_type.as_str(),
        status: source.status.as_str(),
        file_size: source.size_bytes,
        message: "File uploaded and processing started",
    };
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Scrape website for knowledge
///
/// Answers when the site has been read. Subpages are those of the same origin.
#[utoipa::path(tag = "Knowledge", request_body = ScrapeBody, responses((status = 201, body = envelope::Data<ScrapedSite>)))]
#[post("/knowledge/scrape")]
pub(super) async fn scrape(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    body: Json<ScrapeBody>,
) -> ApiResult<HttpResponse> {
    let body = body.0;
    let bot_id = params::bot_id(&required("bot_id", body.bot_id)?);
    let new = NewScrape {
        url: required("url", body.url)?,
        bot_id: bot_id?,
        name: None,
        include_subpages: body.include_subpages.unwrap_or(false),
        max_pages: body.max_pages,
    };
    let source = knowledge::scrape(&state.app, &caller.0, id.0.into(), new).await?;
    let view = ScrapedSite {
        id: source.id.0,
        pages_scraped: source.pages.unwrap_or_default(),
        knowledge_chunks_created: source.chunk_count,
        failed_urls: source
            .failures
            .iter()
            .map(|failure| failure.url.clone())
            .collect(),
        failures: source.failures.into_iter().map(FailureView::from).collect(),
        message: "Website scraped successfully",
    };
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Search knowledge
///
/// Shows what retrieval finds for a question, as an answer would get it.
#[utoipa::path(tag = "Knowledge", request_body = SearchBody, responses((status = 200, body = envelope::Data<SearchView>)))]
#[post("/knowledge/search")]
pub(super) async fn search(
    state: Data<State>,
    caller: Caller,
    body: Json<SearchBody>,
) -> ApiResult<HttpResponse> {
    let body = body.0;
    let bot_id = params::bot_id(&required("bot_id", body.bot_id)?);
    let query = required("query", body.query)?;
    let history = body.history.unwrap_or_default().into_iter().map(|said| {
        Ok(Utterance {
            author: Author::read("sender", &said.sender)?,
            text: said.message,
        })
    });
    let history = history.collect::<Result<_>>()?;
    let search = Search {
        bot_id: bot_id?,
        query,
        history,
        limit: body.limit,
    };
    let findings = knowledge::search(&state.app, &caller.0, search).await?;
    let results = findings.hits.into_iter().map(HitView::from).collect();
    Ok(envelope::data(
        StatusCode::OK,
        SearchView {
            answerable: findings.answerable,
            results,
        },
    ))
}
