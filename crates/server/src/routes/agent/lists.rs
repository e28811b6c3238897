//! How the Agent API shows lists.

use actix_web::HttpResponse;
use domain::paging::{Page, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct AgentList<T> {
    /// The page's items.
    data: Vec<T>,
    /// Where the page stands.
    meta: AgentPage,
}

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentPage {
    /// This page, from 1.
    page: u64,
    /// Items per page.
    limit: u32,
    /// Items on all pages.
    total: u64,
    /// Pages.
    total_pages: u64,
}

/// A part of a list.
#[derive(Serialize, ToSchema)]
pub struct AgentPart<T> {
    /// The part's items.
    data: Vec<T>,
    /// Where the part stands.
    meta: PartMeta,
}

/// Where a part stands in its list.
#[derive(Serialize, ToSchema)]
pub struct PartMeta {
    /// Items before it.
    skip: i64,
    /// The most items in it.
    take: u32,
    /// Items of the whole list.
    total: u64,
}

/// All of a short list.
#[derive(Serialize, ToSchema)]
pub struct AgentAll<T> {
    /// The items.
    data: Vec<T>,
}

/// Answers with a page.
pub fn page<T, V: Serialize>(
    page: Page<T>,
    request: PageRequest,
    view: impl FnMut(T) -> V,
) -> HttpResponse {
    let meta = AgentPage {
        page: request.page(),
        limit: request.per_page(),
        total: page.total,
        total_pages: page.pages(request),
    };
    let data = page.items.into_iter().map(view).collect();
    HttpResponse::Ok().json(AgentList { data, meta })
}

/// Answers with a part.
pub fn part<T, V: Serialize>(
    page: Page<T>,
    request: PageRequest,
    view: impl FnMut(T) -> V,
) -> HttpResponse {
    let meta = PartMeta {
        skip: request.offset(),
        take: request.per_page(),
        total: page.total,
    };
    let data = page.items.into_iter().map(view).collect();
    HttpResponse::Ok().json(AgentPart { data, meta })
}

/// Answers with all there is.
pub fn all<V: Serialize>(items: impl IntoIterator<Item = V>) -> HttpResponse {
    let data = items.into_iter().collect();
    HttpResponse::Ok().json(AgentAll { data })
}
