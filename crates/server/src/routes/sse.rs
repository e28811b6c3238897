//! Server-sent events (HTML standard, 9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;
use serde::Serialize;

/// How long a stream is silent before it shows that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// What shows that it lives.
pub const STILL_HERE: Bytes = Bytes::from_static(b": still here\n\n");

/// One event with an id, by which a client that comes again says what it has seen.
pub fn event_with_id(id: &str, name: &str, data: &impl Serialize) -> Bytes {
    let event = event(name, data);
    [format!("id: {id}\n").as_bytes(), &event].concat().into()
}

/// One event.
pub fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// An answer of events.
pub fn response(events: impl Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies that collect an answer before they pass it on would make a stream useless.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events)
}
