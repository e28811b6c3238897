//! `/customers`, `/leads`, `/emails`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use application::leads::{self, Form};
use domain::Result;
use domain::leads::{Customer, CustomerOrder, Lead};
use domain::text::required;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::conversations::AgentPerson;
use super::knowledge::AgentPageQuery;
use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::ApiResult;
use crate::http::params::Query;
use crate::state::State;

/// A person who talked to the bot.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentCustomer {
    #[serde(flatten)]
    person: AgentPerson,
    /// Where they talked.
    #[schema(example = "EMBED")]
    source: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Customer> for AgentCustomer {
    fn from(customer: Customer) -> Self {
        Self {
            person: customer.end_user.into(),
            source: words::source(customer.channel),
            created_at: customer.created_at,
        }
    }
}

/// What a visitor entered in a form.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeadBody {
    /// During which conversation
    #[schema(required, nullable = false)]
    conversation_id: Option<String>,
    /// The e-mail address
    #[schema(required, nullable = false, example = "zoe@example.com")]
    email: Option<String>,
    /// The person's name
    name: Option<String>,
    /// Whether the person agrees to be written to
    consent: Option<bool>,
}

impl JsonBody for LeadBody {}

impl LeadBody {
    fn read(self) -> Result<Form> {
        let conversation = required("conversationId", self.conversation_id)?;
        Ok(Form {
            conversation_id: words::conversation_id(&conversation)?,
            email: required("email", self.email)?,
            name: self.name,
            consent: self.consent,
        })
    }
}

/// A person who can be written to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentLead {
    id: Uuid,
    name: Option<String>,
    email: String,
    customer_id: Uuid,
    /// Where the address was given first. It may be gone.
    conversation_id: Uuid,
    /// `IDENTITY` (a client told it), `MESSAGE` (the person wrote it) or `FORM`.
    #[schema(example = "MESSAGE")]
    origin: String,
    /// Whether the person agreed to be written to; null: not said.
    consent: Option<bool>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Lead> for AgentLead {
    fn from(lead: Lead) -> Self {
        Self {
            id: lead.id.0,
            name: lead.name,
            email: lead.email,
            customer_id: lead.end_user_id.0,
            conversation_id: lead.conversation_id.0,
            origin: lead.origin.as_str().to_uppercase(),
            consent: lead.consent,
            created_at: lead.created_at,
        }
    }
}

/// An address that a person gave.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentEmail {
    email: String,
    /// Whether the person agreed to be written to; null: not said.
    consent: Option<bool>,
    conversation_id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    collected_at: OffsetDateTime,
}

impl From<Lead> for AgentEmail {
    fn from(lead: Lead) -> Self {
        Self {
            email: lead.email,
            consent: lead.consent,
            conversation_id: lead.conversation_id.0,
            collected_at: lead.created_at,
        }
    }
}

/// Which customers, in which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct ListCustomers {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default and max: 250)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250)]
    limit: Option<String>,
    /// a-z, z-a, oldest or newest (default)
    sort_by: Option<String>,
}

/// List customers
///
/// All who talked to the bot.
#[utoipa::path(tag = "Agent API", params(ListCustomers), responses((status = 200, body = lists::AgentList<AgentCustomer>)))]
#[get("/customers")]
pub(super) async fn list_customers(
    state: Data<State>,
    caller: Caller,
    query: Query<ListCustomers>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let page = words::whole(query.page.as_deref(), query.limit.as_deref())?;
    let order = query.sort_by.as_deref();
    let order = order.map(|word| CustomerOrder::read("sortBy", word));
    let order = order.transpose()?.unwrap_or(CustomerOrder::Newest);
    let found = leads::customers(&state.app, &caller.0, order, page).await?;
    Ok(lists::page(found, page, AgentCustomer::from))
}

/// List leads
///
/// Newest first.
#[utoipa::path(tag = "Agent API", params(AgentPageQuery), responses((status = 200, body = lists::AgentList<AgentLead>)))]
#[get("/leads")]
pub(super) async fn list_leads(
    state: Data<State>,
    caller: Caller,
    query: Query<AgentPageQuery>,
) -> ApiResult<HttpResponse> {
    let page = words::whole(query.0.page.as_deref(), query.0.limit.as_deref())?;
    let found = leads::list(&state.app, &caller.0, page).await?;
    Ok(lists::page(found, page, AgentLead::from))
}

/// Keep lead
///
/// What a visitor entered in a form that the chat showed. Of an address that the bot knows already, only the name and the
/// consent are taken, where they are given.
#[utoipa::path(tag = "Agent API", request_body = LeadBody, responses((status = 200, body = AgentLead), (status = 404)))]
#[post("/leads")]
pub(super) async fn keep_lead(
    state: Data<State>,
    caller: Caller,
    body: Json<LeadBody>,
) -> ApiResult<HttpResponse> {
    let form = body.0.read()?;
    let lead = leads::keep(&state.app, &caller.0, form).await?;
    Ok(HttpResponse::Ok().json(AgentLead::from(lead)))
}

/// List emails
///
/// The addresses of all leads, newest first.
#[utoipa::path(tag = "Agent API", params(AgentPageQuery), responses((status = 200, body = lists::AgentList<AgentEmail>)))]
#[get("/emails")]
pub(super) async fn list_emails(
    state: Data<State>,
    caller: Caller,
    query: Query<AgentPageQuery>,
) -> ApiResult<HttpResponse> {
    let page = words::whole(query.0.page.as_deref(), query.0.limit.as_deref())?;
    let found = leads::list(&state.app, &caller.0, page).await?;
    Ok(lists::page(found, page, AgentEmail::from))
}
