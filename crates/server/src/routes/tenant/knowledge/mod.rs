//! `/knowledge`.

mod bodies;
mod creating;
mod form;
mod views;
mod watching;

pub(super) use creating::{create, scrape, upload};

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use application::knowledge::{self, Search};
use domain::Result;
use domain::knowledge::{NamedSource, SourceFilter, SourceType};
use domain::messages::{Author, Utterance};
use domain::text::required;

use self::bodies::{ListSources, SearchBody, ShowSource, UpdateSource};
use self::views::{HitView, SearchView, SourceBriefView, SourceDetailsView, SourceView};
use super::envelope;
use crate::http::authentication::Caller;
use crate::http::body::Json;
use crate::http::error::ApiResult;
use crate::http::params::{self, Query};
use crate::state::State;

/// List knowledge sources
#[utoipa::path(tag = "Tenant API: Knowledge", params(ListSources), responses((status = 200, body = envelope::Listed<SourceView>)))]
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
///
/// With its content and chunks, and how far its reading has come.
#[utoipa::path(tag = "Tenant API: Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source"), ShowSource), responses((status = 200, body = envelope::Data<SourceDetailsView>)))]
#[get("/knowledge/sources/{source_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
    query: Query<ShowSource>,
) -> ApiResult<HttpResponse> {
    let id = params::source_id(&source_id)?;
    let whole = params::truth("include_content", query.0.include_content.as_deref())?;
    if whole == Some(false) {
        let named = knowledge::find(&state.app, &caller.0, id).await?;
        return Ok(shown(named));
    }
    let details = knowledge::get(&state.app, &caller.0, id).await?;
    let view = SourceDetailsView::from(details);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Update knowledge source
///
/// Only the fields given change. New content is answered from as soon as this is answered.
#[utoipa::path(tag = "Tenant API: Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source")), request_body = UpdateSource, responses((status = 200, body = envelope::Data<SourceBriefView>)))]
#[put("/knowledge/sources/{source_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
    body: Json<UpdateSource>,
) -> ApiResult<HttpResponse> {
    let id = params::source_id(&source_id)?;
    let change = body.0.read()?;
    let named = knowledge::change(&state.app, &caller.0, id, change).await?;
    Ok(shown(named))
}

/// Refresh knowledge source
///
/// Reads a file or a website again, in the background. Pages that have not changed are not sent again.
#[utoipa::path(tag = "Tenant API: Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source")), responses((status = 200, body = envelope::Data<SourceBriefView>)))]
#[post("/knowledge/sources/{source_id}/refresh")]
pub(super) async fn refresh(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let id = params::source_id(&source_id)?;
    let named = knowledge::refresh(&state.app, &caller.0, id).await?;
    Ok(shown(named))
}

/// Watch knowledge source
///
/// Server-sent events: `progress` whenever something about it changes, `completed` when it is no longer being
/// read; both carry the source as `data.source` in the envelope.
#[utoipa::path(tag = "Tenant API: Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source")), responses((status = 200, body = envelope::Data<SourceBriefView>, content_type = "text/event-stream")))]
#[get("/knowledge/sources/{source_id}/events")]
pub(super) async fn events(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let id = params::source_id(&source_id)?;
    watching::watch(state, caller.0, id).await
}

fn shown(named: NamedSource) -> HttpResponse {
    envelope::data(StatusCode::OK, SourceBriefView::from(named))
}

/// Delete knowledge source
#[utoipa::path(tag = "Tenant API: Knowledge", params(("source_id" = String, Path, description = "Unique identifier of the knowledge source to delete")), responses((status = 200, body = envelope::Done)))]
#[delete("/knowledge/sources/{source_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    source_id: Path<String>,
) -> ApiResult<HttpResponse> {
    knowledge::delete(&state.app, &caller.0, params::source_id(&source_id)?).await?;
    Ok(envelope::done("Knowledge source deleted successfully"))
}

/// Search knowledge
///
/// Shows what retrieval finds for a question, as an answer would get it.
#[utoipa::path(tag = "Tenant API: Knowledge", request_body = SearchBody, responses((status = 200, body = envelope::Data<SearchView>), (status = 404)))]
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
