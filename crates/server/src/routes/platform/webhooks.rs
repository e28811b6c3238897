//! `/webhooks`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use application::webhooks::{self, Change, Create, OVERLAP_HOURS, WithKey};
use domain::events::EventKind;
use domain::text::required;
use domain::webhooks::{Delivery, DeliveryStatus, WebhookEndpoint};
use domain::{Error, Result};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{Json, MaybeJson, Query};
use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::{JsonBody, given, not_null};
use crate::http::error::ApiError;
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::routes::tenant::envelope;
use crate::state::State;

/// An endpoint that events are sent to.
#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    id: Uuid,
    #[schema(example = "https://example.com/hook")]
    url: String,
    /// The kinds of events that it gets.
    #[schema(example = json!(["message.received"]))]
    events: Vec<&'static str>,
    description: Option<String>,
    /// Whether it gets events.
    enabled: bool,
    /// Why it gets none; null while it is enabled.
    disabled_reason: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    disabled_at: Option<OffsetDateTime>,
    /// Since when nothing could be delivered; null while it is well.
    #[serde(with = "time::serde::rfc3339::option")]
    failing_since: Option<OffsetDateTime>,
    /// Until when the key before the last one signs too.
    #[serde(with = "time::serde::rfc3339::option")]
    old_key_until: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<WebhookEndpoint> for WebhookView {
    fn from(endpoint: WebhookEndpoint) -> Self {
        let (reason, since) = endpoint.disabled.map(|d| (d.reason, d.since)).unzip();
        Self {
            id: endpoint.id.0,
            url: endpoint.url,
            events: endpoint.events.iter().map(|kind| kind.as_str()).collect(),
            description: endpoint.description,
            enabled: since.is_none(),
            disabled_reason: reason,
            disabled_at: since,
            failing_since: endpoint.health.failing_since,
            old_key_until: endpoint.previous_key.map(|(_, until)| until),
            created_at: endpoint.created_at,
        }
    }
}

/// An endpoint with its key, which is shown once.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithKey {
    #[serde(flatten)]
    webhook: WebhookView,
    /// The key that events are signed with (Standard Webhooks); it is not shown again
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: String,
}

impl From<WithKey> for WebhookWithKey {
    fn from(made: WithKey) -> Self {
        Self {
            webhook: made.endpoint.into(),
            secret: made.key.reveal(),
        }
    }
}

/// An event on its way to an endpoint.
#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    /// The event's id, which is sent as `webhook-id`.
    id: Uuid,
    #[schema(example = "message.received")]
    event: &'static str,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    status: &'static str,
    /// How many times it was sent, since it was last asked for.
    attempts: u32,
    /// When it is due, while it is pending.
    #[serde(with = "time::serde::rfc3339::option")]
    next_attempt_at: Option<OffsetDateTime>,
    /// The HTTP status of the last answer; null: there was none.
    last_status_code: Option<u16>,
    /// Why it failed last.
    last_error: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_attempt_at: Option<OffsetDateTime>,
    /// When the event happened.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.event_id.0,
            event: delivery.kind.as_str(),
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at,
            last_status_code: delivery.last_status,
            last_error: delivery.last_error,
            last_attempt_at: delivery.last_attempt_at,
            created_at: delivery.created_at,
        }
    }
}

/// An endpoint to be made.
#[derive(Deserialize, ToSchema)]
pub struct CreateWebhook {
    /// Where events are sent: https or http, without credentials, on the public Internet
    #[schema(required, nullable = false)]
    url: Option<String>,
    /// The kinds of events that it gets: `message.received`, `integration.failed`, `agent_loop.completed`,
    /// `channel.disconnected`
    #[schema(required, nullable = false)]
    events: Option<Vec<String>>,
    /// What it is for (at most 2000 characters)
    description: Option<String>,
}

impl JsonBody for CreateWebhook {}

/// A change to an endpoint: only the fields given change, and null clears an optional one.
#[derive(Deserialize, ToSchema)]
pub struct UpdateWebhook {
    /// New address
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    /// New kinds of events
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<Option<Vec<String>>>,
    /// New description
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Whether it gets events. Enabled again, it gets what has waited for it
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    enabled: Option<Option<bool>>,
}

impl JsonBody for UpdateWebhook {}

/// How a key is replaced.
#[derive(Deserialize, ToSchema, Default)]
pub struct RotateKey {
    /// How many hours the old key signs too (0..168, default: 24)
    old_key_hours: Option<u32>,
}

impl JsonBody for RotateKey {}

/// Which page of the endpoints.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListWebhooks {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListDeliveries {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Only of this status: `pending`, `delivered` or `failed`
    status: Option<String>,
}

fn kinds(words: &[String]) -> Result<Vec<EventKind>> {
    let chosen = |word: &String| EventKind::chosen("events", word);
    words.iter().map(chosen).collect()
}

/// List webhooks
#[utoipa::path(tag = "Platform API: Webhooks", params(ListWebhooks), responses((status = 200, body = envelope::Listed<WebhookView>)))]
#[get("/webhooks")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListWebhooks>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let endpoints = webhooks::list(&state.app, &caller.0, page).await?;
    Ok(envelope::listed(endpoints, page, WebhookView::from))
}

/// Create webhook
///
/// Events of the chosen kinds are sent to the address from now on, signed by the Standard Webhooks scheme, at least once,
/// and in order for each conversation. At most 20 webhooks.
#[utoipa::path(tag = "Platform API: Webhooks", request_body = CreateWebhook, responses((status = 201, body = envelope::Data<WebhookWithKey>)))]
#[post("/webhooks")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    body: Json<CreateWebhook>,
) -> PlatformResult<HttpResponse> {
    let doing = ApiError::when("creating a webhook");
    let events = body
        .0
        .events
        .ok_or_else(|| doing(Error::missing("events")))?;
    let command = Create {
        id: id.0.into(),
        url: required("url", body.0.url).map_err(doing)?,
        events: kinds(&events)?,
        description: body.0.description,
    };
    let made = webhooks::create(&state.app, &caller.0, command).await?;
    let view = WebhookWithKey::from(made);
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Get webhook
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook")), responses((status = 200, body = envelope::Data<WebhookView>)))]
#[get("/webhooks/{webhook_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let found = webhooks::get(&state.app, &caller.0, params::webhook_id(&id)?).await?;
    Ok(envelope::data(StatusCode::OK, WebhookView::from(found)))
}

/// Update webhook
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook")), request_body = UpdateWebhook, responses((status = 200, body = envelope::Data<WebhookView>)))]
#[patch("/webhooks/{webhook_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
    body: Json<UpdateWebhook>,
) -> PlatformResult<HttpResponse> {
    let id = params::webhook_id(&id)?;
    let events = not_null("events", body.0.events)?;
    let change = Change {
        url: not_null("url", body.0.url)?,
        events: events.as_deref().map(kinds).transpose()?,
        description: body.0.description,
        enabled: not_null("enabled", body.0.enabled)?,
    };
    let changed = webhooks::change(&state.app, &caller.0, id, change).await?;
    Ok(envelope::data(StatusCode::OK, WebhookView::from(changed)))
}

/// Delete webhook
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook")), responses((status = 200, body = envelope::Done)))]
#[delete("/webhooks/{webhook_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> PlatformResult<HttpResponse> {
    webhooks::delete(&state.app, &caller.0, params::webhook_id(&id)?).await?;
    Ok(envelope::done("Webhook deleted successfully"))
}

/// Rotate webhook key
///
/// A new key, shown once. The old one signs too for a while: each event then has two signatures.
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook")), request_body = RotateKey, responses((status = 200, body = envelope::Data<WebhookWithKey>)))]
#[post("/webhooks/{webhook_id}/rotate")]
pub(super) async fn rotate(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
    body: MaybeJson<RotateKey>,
) -> PlatformResult<HttpResponse> {
    let id = params::webhook_id(&id)?;
    let hours = body.0.unwrap_or_default().old_key_hours;
    let hours = hours.unwrap_or(OVERLAP_HOURS);
    let made = webhooks::rotate(&state.app, &caller.0, id, hours).await?;
    Ok(envelope::data(StatusCode::OK, WebhookWithKey::from(made)))
}

/// List webhook deliveries
///
/// What was sent to a webhook in the last 30 days, and what came of it, newest first.
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook"), ListDeliveries), responses((status = 200, body = envelope::Listed<DeliveryView>)))]
#[get("/webhooks/{webhook_id}/deliveries")]
pub(super) async fn deliveries(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
    query: Query<ListDeliveries>,
) -> PlatformResult<HttpResponse> {
    let id = params::webhook_id(&id)?;
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let status = query.0.status.as_deref();
    let status = status.map(|word| DeliveryStatus::read("status", word));
    let log = webhooks::deliveries(&state.app, &caller.0, id, status.transpose()?, page).await?;
    Ok(envelope::listed(log, page, DeliveryView::from))
}

/// Replay webhook delivery
///
/// Sends an event again, however it ended before.
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook"), ("delivery_id" = String, Path, description = "Unique identifier of the delivery")), responses((status = 200, body = envelope::Data<DeliveryView>)))]
#[post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")]
pub(super) async fn replay(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> PlatformResult<HttpResponse> {
    let (id, event) = path.into_inner();
    let (id, event) = (params::webhook_id(&id)?, params::delivery_id(&event)?);
    let delivery = webhooks::replay(&state.app, &caller.0, id, event).await?;
    Ok(envelope::data(StatusCode::OK, DeliveryView::from(delivery)))
}

/// Test webhook
///
/// Sends an event that says nothing (`webhook.test`).
#[utoipa::path(tag = "Platform API: Webhooks", params(("webhook_id" = String, Path, description = "Unique identifier of the webhook")), responses((status = 201, body = envelope::Data<DeliveryView>), (status = 403)))]
#[post("/webhooks/{webhook_id}/test")]
pub(super) async fn test(
    state: Data<State>,
    caller: Caller,
    event: OperationId,
    id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::webhook_id(&id)?;
    let delivery = webhooks::test(&state.app, &caller.0, id, event.0.into()).await?;
    let view = DeliveryView::from(delivery);
    Ok(envelope::data(StatusCode::CREATED, view))
}
