//! Making sources.

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use application::knowledge::{self, NewPairs, NewText, NewUpload};
use domain::actors::Actor;
use domain::knowledge::{KnowledgeSource, QuestionAnswer, SourceType};
use domain::text::required;
use domain::{Error, Result, SourceId};

use super::super::envelope;
use super::bodies::{CreateSource, ScrapeBody};
use super::form::{self, Form};
use super::views::{CreatedSource, FailureView, ScrapedSite, UploadedFile};
use crate::http::authentication::Caller;
use crate::http::body::Json;
use crate::http::error::ApiResult;
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::state::State;

/// Create knowledge source
#[utoipa::path(tag = "Tenant API: Knowledge", request_body(content((CreateSource = "application/json"), (form::SourceForm = "multipart/form-data"))), responses((status = 201, body = envelope::Data<CreatedSource>), (status = 404)))]
#[post("/knowledge/sources")]
pub(in super::super) async fn create(
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
    mut body: CreateSource,
    file: Option<form::File>,
) -> Result<KnowledgeSource> {
    let bot_id = params::bot_id(&required("bot_id", body.bot_id.take())?);
    let name = required("name", body.name.take())?;
    match SourceType::read(
        "source_type",
        &required("source_type", body.source_type.take())?,
    )? {
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
        SourceType::Qa => {
            let pairs = body.pairs.ok_or_else(|| Error::missing("pairs"))?;
            let new = NewPairs {
                bot_id: bot_id?,
                name,
                pairs: pairs.into_iter().map(QuestionAnswer::from).collect(),
            };
            knowledge::create_pairs(&state.app, actor, id, new).await
        }
        SourceType::Url => {
            let background = body.background.unwrap_or(false);
            let site = ScrapeBody::from(body);
            let new = site.read(bot_id, Some(name))?;
            if background {
                knowledge::add_site(&state.app, actor, id, new).await
            } else {
                knowledge::scrape(&state.app, actor, id, new).await
            }
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

/// Upload knowledge file
///
/// TXT, PDF, DOC, DOCX, MD, CSV or HTML, at most 10 MB. The file is read in the background: the source's `status`
/// and `progress` tell how far it is.
#[utoipa::path(tag = "Tenant API: Knowledge", request_body(content = form::UploadForm, content_type = "multipart/form-data"), responses((status = 201, body = envelope::Data<UploadedFile>), (status = 404)))]
#[post("/knowledge/upload")]
pub(in super::super) async fn upload(
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
/// Answers when the site has been read. Subpages are those within `scope`, which the same origin is unless said
/// otherwise.
#[utoipa::path(tag = "Tenant API: Knowledge", request_body = ScrapeBody, responses((status = 201, body = envelope::Data<ScrapedSite>), (status = 404)))]
#[post("/knowledge/scrape")]
pub(in super::super) async fn scrape(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    body: Json<ScrapeBody>,
) -> ApiResult<HttpResponse> {
    let mut body = body.0;
    let bot_id = params::bot_id(&required("bot_id", body.bot_id.take())?);
    let new = body.read(bot_id, None)?;
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
