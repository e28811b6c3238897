//! `/tenant`: the caller's own account.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::tenants;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{envelope, words};
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::state::State;

/// A tenant.
#[derive(Serialize, ToSchema)]
pub struct TenantView {
    id: Uuid,
    #[schema(example = "Your Company")]
    name: String,
    #[schema(schema_with = words::plan)]
    plan: &'static str,
    is_active: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// Usage in this calendar month (UTC), and the plan's limits; null is unlimited.
#[derive(Serialize, ToSchema)]
pub struct UsageView {
    usage: UsageCounts,
    limits: UsageLimits,
    utilization: Utilization,
}

#[derive(Serialize, ToSchema)]
struct UsageCounts {
    bot_count: u64,
    conversation_count: u64,
    message_count: u64,
}

#[derive(Serialize, ToSchema)]
struct UsageLimits {
    max_bots: Option<u64>,
    max_conversations_per_month: Option<u64>,
    max_messages_per_month: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct Utilization {
    #[schema(example = "5/10")]
    bots: String,
    #[schema(example = "1250/5000")]
    conversations: String,
    #[schema(example = "8500/unlimited")]
    messages: String,
}

/// Get tenant information
#[utoipa::path(tag = "Tenant API: Tenant", responses((status = 200, body = envelope::Data<TenantView>)))]
#[get("/tenant/info")]
pub(super) async fn info(caller: Caller) -> HttpResponse {
    let tenant = &caller.0.tenant;
    envelope::data(
        StatusCode::OK,
        TenantView {
            id: tenant.id.0,
            name: tenant.name.clone(),
            plan: tenant.plan.as_str(),
            is_active: tenant.is_active,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        },
    )
}

/// Get usage statistics
#[utoipa::path(tag = "Tenant API: Tenant", responses((status = 200, body = envelope::Data<UsageView>)))]
#[get("/tenant/usage")]
pub(super) async fn usage(state: Data<State>, caller: Caller) -> ApiResult<HttpResponse> {
    let report = tenants::usage(&state.app, &caller.0).await?;
    let of = |used: u64, limit: Option<u64>| match limit {
        Some(limit) => format!("{used}/{limit}"),
        None => format!("{used}/unlimited"),
    };
    let (usage, limits) = (report.usage, report.limits);
    Ok(envelope::data(
        StatusCode::OK,
        UsageView {
            usage: UsageCounts {
                bot_count: usage.bots,
                conversation_count: usage.conversations,
                message_count: usage.messages,
            },
            limits: UsageLimits {
                max_bots: limits.bots,
                max_conversations_per_month: limits.conversations_per_month,
                max_messages_per_month: limits.messages_per_month,
            },
            utilization: Utilization {
                bots: of(usage.bots, limits.bots),
                conversations: of(usage.conversations, limits.conversations_per_month),
                messages: of(usage.messages, limits.messages_per_month),
            },
        },
    ))
}
