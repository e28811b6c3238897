//! `/events`: what visitors do beside writing.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use application::visits;
use domain::text::required;
use domain::visits::{Visit, VisitKind};
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words;
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::ApiResult;
use crate::state::State;

/// What visitors did.
#[derive(Deserialize, ToSchema)]
pub struct EventsBody {
    /// 1 to 100 of them
    #[schema(required, nullable = false)]
    events: Option<Vec<EventBody>>,
}

/// What a visitor did.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBody {
    /// The teller's own id for it (1 to 128 characters): one that was told before is not counted again
    #[schema(required, nullable = false)]
    id: Option<String>,
    /// chat_open, cart_add or checkout_start
    #[serde(rename = "type")]
    #[schema(required, nullable = false)]
    kind: Option<String>,
    /// When (default: now)
    timestamp: Option<String>,
    /// In which conversation
    conversation_id: Option<String>,
    /// The teller's own id for the person
    customer_id: Option<String>,
    /// With what
    product: Option<String>,
}

impl JsonBody for EventsBody {}

impl EventBody {
    fn read(self, now: Timestamp) -> Result<Visit> {
        let conversation = self.conversation_id.as_deref();
        Ok(Visit {
            event_id: required("id", self.id)?,
            kind: VisitKind::read("type", &required("type", self.kind)?)?,
            occurred_at: words::moment("timestamp", self.timestamp.as_deref())?.unwrap_or(now),
            conversation_id: conversation.map(words::conversation_id).transpose()?,
            customer: self.customer_id,
            product: self.product,
        })
    }
}

/// How many events were taken.
#[derive(Serialize, ToSchema)]
pub struct EventsTaken {
    /// Events in the request.
    received: usize,
    /// Those that were not told before.
    recorded: u64,
}

/// Record events
///
/// What visitors do beside writing. Events that were told before are not counted again.
#[utoipa::path(tag = "Agent API", request_body = EventsBody, responses((status = 200, body = EventsTaken), (status = 404)))]
#[post("/events")]
pub(super) async fn record(
    state: Data<State>,
    caller: Caller,
    body: Json<EventsBody>,
) -> ApiResult<HttpResponse> {
    let now = state.app.clock.now();
    let events = body.0.events.ok_or_else(|| Error::missing("events"))?;
    let read = events.into_iter().map(|event| event.read(now));
    let told: Vec<_> = read.collect::<Result<_>>()?;
    let recorded = visits::record(&state.app, &caller.0, &told).await?;
    Ok(HttpResponse::Ok().json(EventsTaken {
        received: told.len(),
        recorded,
    }))
}
