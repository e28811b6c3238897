//! `/knowledge`.

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, post};
use application::knowledge::{self, NewScrape, NewText, NewUpload, Search};
use domain::actors::Actor;
use domain::knowledge::{KnowledgeSource, NamedSource, SourceFilter, SourceType};
use domain::messages::{Author, Utterance};
use domain::text::required;
use domain::{Error, Result, SourceId};

use super::envelope;
use super::knowledge_form::{self, Form};
use super::knowledge_views::{
    ChunkView, CreateSource, CreatedSource, FailureView, HitView, ListSources, ScrapeBody,
    ScrapedSite, SearchBody, SearchView, SourceDetailsView, SourceView, UploadedFile, WebsiteView,
    WholeSource, file_path,
};
use crate::http::authentication::Caller;
use crate::http::body::Json;
use crate::http::error::ApiResult;
use crate::http::idempotency::OperationId;
use crate::http::params::{self, Query};
use crate::state::State;

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
