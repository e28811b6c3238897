//! `/knowledge`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::knowledge;
use domain::knowledge::{NamedSource, SourceFilter};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::http::params::Query;
use crate::state::State;

/// A source of knowledge.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSource {
    id: Uuid,
    /// `DOCUMENT`, `QA`, `LINK` or `TEXT`.
    #[serde(rename = "type")]
    #[schema(example = "DOCUMENT")]
    kind: &'static str,
    name: String,
    /// `PROCESSING`, `READY` or `FAILED`.
    #[schema(example = "READY")]
    status: String,
    /// Why it could not be read.
    error: Option<String>,
    /// Whether it is answered from.
    enabled: bool,
    url: Option<String>,
    size_bytes: u64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<NamedSource> for AgentSource {
    fn from(named: NamedSource) -> Self {
        let source = named.source;
        Self {
            id: source.id.0,
            kind: words::knowledge(source.source_type),
            name: source.name,
            status: source.status.as_str().to_uppercase(),
            error: source.error,
            enabled: source.enabled,
            url: source.url,
            size_bytes: source.size_bytes,
            created_at: source.created_at,
            updated_at: source.updated_at,
        }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgentPageQuery {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    pub page: Option<String>,
    /// Items per page (default and max: 250)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250)]
    pub limit: Option<String>,
}

/// List knowledge
///
/// Documents, questions with answers, links and text with their status, newest first.
#[utoipa::path(tag = "Agent API", params(AgentPageQuery), responses((status = 200, body = lists::AgentList<AgentSource>)))]
#[get("/knowledge")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<AgentPageQuery>,
) -> ApiResult<HttpResponse> {
    let page = words::whole(query.0.page.as_deref(), query.0.limit.as_deref())?;
    let every = SourceFilter::default();
    let sources = knowledge::list(&state.app, &caller.0, every, page).await?;
    Ok(lists::page(sources, page, AgentSource::from))
}
