//! The envelope that every answer of the Tenant API is in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use domain::paging::{Page, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;

/// One thing.
#[derive(Serialize, ToSchema)]
pub struct Data<T> {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// The thing.
    data: T,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Listed<T> {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// The page's items, newest first.
    data: Vec<T>,
    /// Where the page stands.
    pagination: Pagination,
}

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
pub struct Pagination {
    /// This page, from 1.
    page: u64,
    /// Items per page.
    per_page: u32,
    /// Items on all pages.
    total: u64,
    /// Pages.
    pages: u64,
    /// Whether there is a page before this one.
    has_prev: bool,
    /// Whether there is a page after this one.
    has_next: bool,
}

/// That something was done.
#[derive(Serialize, ToSchema)]
pub struct Done {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// What was done.
    message: String,
}

/// Answers with one thing.
pub fn data<T: Serialize>(status: StatusCode, data: T) -> HttpResponse {
    HttpResponse::build(status).json(Data {
        success: true,
        data,
    })
}

/// The same as the body of a stream's last event.
pub fn data_body<T: Serialize>(data: T) -> impl Serialize {
    Data {
        success: true,
        data,
    }
}

/// Answers with a page of a list.
pub fn listed<T, V: Serialize>(
    page: Page<T>,
    request: PageRequest,
    view: impl FnMut(T) -> V,
) -> HttpResponse {
    let pages = page.pages(request);
    let number = request.page();
    let pagination = Pagination {
        page: number,
        per_page: request.per_page(),
        total: page.total,
        pages,
        has_prev: number > 1,
        has_next: number < pages,
    };
    let data = page.items.into_iter().map(view).collect();
    HttpResponse::Ok().json(Listed {
        success: true,
        data,
        pagination,
    })
}

/// Answers that something was done.
pub fn done(message: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok().json(Done {
        success: true,
        message: message.into(),
    })
}
