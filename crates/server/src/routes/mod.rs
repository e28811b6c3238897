//! Routes, a folder for each dialect. A handler reads the request, calls one use case and writes what it
//! answered; a rule is never in it.

pub mod agent;
pub mod hooks;
pub mod openapi;
pub mod operations;
mod platform;
mod sse;
pub mod tenant;
mod turns;

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use crate::http::error::{ApiError, ApiResult};

/// Which methods each path takes, from the OpenAPI document, for the `Allow` header.
pub struct Methods(Vec<(Vec<Segment>, String)>);

enum Segment {
    Fixed(String),
    Any,
}

impl Methods {
    /// Reads the document.
    pub fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let segments = path.split('/').map(|segment| {
                if segment.starts_with('{') {
                    Segment::Any
                } else {
                    Segment::Fixed(segment.to_owned())
                }
            });
            (segments.collect(), methods(item).join(", "))
        });
        Self(paths.collect())
    }

    fn allowed(&self, path: &str) -> Option<&str> {
        let fits = |pattern: &[Segment]| {
            let mut parts = path.split('/');
            pattern.iter().all(|segment| match (segment, parts.next()) {
                (Segment::Fixed(fixed), Some(part)) => fixed == part,
                (Segment::Any, Some(part)) => !part.is_empty(),
                (_, None) => false,
            }) && parts.next().is_none()
        };
        self.0
            .iter()
            .find(|(pattern, _)| fits(pattern))
            .map(|(_, allow)| allow.as_str())
    }
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let all = [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
    ];
    let name = |method: Method| match method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        _ => "DELETE",
    };
    all.into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, method)| name(method))
        .collect()
}

/// Answers for every path and method that no route takes.
pub async fn nowhere(request: HttpRequest, methods: Data<Methods>) -> ApiResult<HttpResponse> {
    Err(match methods.allowed(request.path()) {
        Some(allow) => ApiError::MethodNotAllowed(allow.to_owned()),
        None => ApiError::UnknownRoute,
    })
}
