//! All of a person: what is kept about them, and how it goes.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get};
use application::conversations::LearnedMessage;
use application::people::{self, Everything};
use domain::channels::inbox::Waiting;
use domain::conversations::Conversation;
use domain::leads::{Customer, Lead};
use domain::orders::Order;
use domain::people::Named;
use domain::visits::Visit;
use domain::{EndUserId, Error, Resource, Result, leads};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::PlatformResult;
use super::executions::ExecutionDetails;
use crate::http::authentication::Caller;
use crate::http::params;
use crate::routes::tenant::envelope;
use crate::state::State;

/// All that is kept about a person.
#[derive(Serialize, ToSchema)]
pub struct PersonView {
    /// The names that clients have for them.
    identifiers: Vec<String>,
    /// Their addresses.
    emails: Vec<String>,
    /// As whom they talked to the bot.
    customers: Vec<CustomerView>,
    /// Oldest first.
    conversations: Vec<PersonConversation>,
    leads: Vec<LeadView>,
    orders: Vec<PersonOrder>,
    /// What they did beside writing.
    visitor_events: Vec<VisitView>,
    /// Events about their conversations that are still kept for webhooks.
    #[schema(value_type = Vec<Object>)]
    webhook_events: Vec<Value>,
    /// What came from a messenger and waits for its answer.
    waiting_messages: Vec<WaitingView>,
    /// What agent loops did because of their conversations, or wrote into these.
    executions: Vec<ExecutionDetails>,
}

/// One who talked to the bot.
#[derive(Serialize, ToSchema)]
pub struct CustomerView {
    id: Uuid,
    identifier: Option<String>,
    name: Option<String>,
    email: Option<String>,
    channel: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.end_user.id.0,
            identifier: customer.end_user.identifier,
            name: customer.end_user.name,
            email: customer.end_user.email,
            channel: customer.channel.as_str(),
            created_at: customer.created_at,
        }
    }
}

/// A conversation with its messages.
#[derive(Serialize, ToSchema)]
pub struct PersonConversation {
    id: Uuid,
    session_id: String,
    customer_id: Uuid,
    channel: &'static str,
    status: &'static str,
    #[schema(value_type = Object)]
    tags: Value,
    /// How they felt, as their words say; null: nobody has looked yet.
    sentiment: Option<&'static str>,
    purchased: bool,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    /// Oldest first.
    messages: Vec<PersonMessage>,
}

impl From<(Conversation, Vec<LearnedMessage>)> for PersonConversation {
    fn from((conversation, messages): (Conversation, Vec<LearnedMessage>)) -> Self {
        Self {
            id: conversation.id.0,
            session_id: conversation.session_id,
            customer_id: conversation.end_user.id.0,
            channel: conversation.channel.as_str(),
            status: conversation.status.as_str(),
            tags: conversation.tags,
            sentiment: conversation.sentiment.map(|sentiment| sentiment.as_str()),
            purchased: conversation.purchased,
            started_at: conversation.started_at,
            ended_at: conversation.ended_at,
            messages: messages.into_iter().map(PersonMessage::from).collect(),
        }
    }
}

/// A message.
#[derive(Serialize, ToSchema)]
pub struct PersonMessage {
    id: Uuid,
    /// `user` or `bot`.
    #[schema(example = "user")]
    sender: &'static str,
    message: String,
    /// What they thought of a bot's message.
    feedback: Option<&'static str>,
    /// How what they wrote was meant: `positive`, `negative` or `neutral`; null: nobody has looked yet.
    sentiment: Option<&'static str>,
    /// What they were after; null: nothing that is known.
    intent: Option<String>,
    /// How a bot's message came to be.
    #[schema(value_type = Object)]
    metadata: Value,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<LearnedMessage> for PersonMessage {
    fn from(LearnedMessage { message, insight }: LearnedMessage) -> Self {
        let (sentiment, intent) = insight
            .map(|insight| (insight.sentiment.label().as_str(), insight.intent))
            .unzip();
        Self {
            sentiment,
            intent: intent.flatten().map(|intent| intent.intent),
            id: message.id.0,
            sender: message.author.as_str(),
            message: message.text,
            feedback: message.feedback.map(|feedback| feedback.as_str()),
            metadata: message.metadata,
            created_at: message.created_at,
        }
    }
}

/// An address that they gave.
#[derive(Serialize, ToSchema)]
pub struct LeadView {
    id: Uuid,
    email: String,
    name: Option<String>,
    conversation_id: Uuid,
    /// `identity`, `form` or `message`.
    origin: &'static str,
    consent: Option<bool>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Lead> for LeadView {
    fn from(lead: Lead) -> Self {
        Self {
            id: lead.id.0,
            email: lead.email,
            name: lead.name,
            conversation_id: lead.conversation_id.0,
            origin: lead.origin.as_str(),
            consent: lead.consent,
            created_at: lead.created_at,
        }
    }
}

/// An order.
#[derive(Serialize, ToSchema)]
pub struct PersonOrder {
    id: Uuid,
    external_id: String,
    #[schema(example = "47.11")]
    amount: String,
    #[schema(example = "EUR")]
    currency: String,
    customer_id: Option<String>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    conversation_id: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    ordered_at: OffsetDateTime,
}

impl From<Order> for PersonOrder {
    fn from(order: Order) -> Self {
        Self {
            id: order.id.0,
            external_id: order.external_id,
            amount: order.currency.words(order.amount),
            currency: order.currency.as_str().to_owned(),
            customer_id: order.buyer.id,
            customer_email: order.buyer.email,
            customer_name: order.buyer.name,
            conversation_id: order.conversation_id.map(|id| id.0),
            ordered_at: order.ordered_at,
        }
    }
}

/// Something that they did beside writing.
#[derive(Serialize, ToSchema)]
pub struct VisitView {
    id: String,
    #[schema(example = "cart_add")]
    kind: &'static str,
    customer: Option<String>,
    product: Option<String>,
    conversation_id: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    occurred_at: OffsetDateTime,
}

impl From<Visit> for VisitView {
    fn from(visit: Visit) -> Self {
        Self {
            id: visit.event_id,
            kind: visit.kind.as_str(),
            customer: visit.customer,
            product: visit.product,
            conversation_id: visit.conversation_id.map(|id| id.0),
            occurred_at: visit.occurred_at,
        }
    }
}

/// What came from a messenger and waits for its answer.
#[derive(Serialize, ToSchema)]
pub struct WaitingView {
    id: Uuid,
    message: String,
    /// As whom the messenger knows them.
    sender_id: String,
    sender_name: Option<String>,
    sender_email: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
}

impl From<Waiting> for WaitingView {
    fn from(waiting: Waiting) -> Self {
        let (message, from) = (waiting.message.text, waiting.message.from);
        Self {
            id: waiting.id.0,
            message,
            sender_id: from.id,
            sender_name: from.name,
            sender_email: from.email,
            received_at: waiting.received_at,
        }
    }
}

fn views<T, V: From<T>>(items: Vec<T>) -> Vec<V> {
    items.into_iter().map(V::from).collect()
}

impl From<Everything> for PersonView {
    fn from(all: Everything) -> Self {
        let told = all.belongings.events.into_iter().map(|event| event.data);
        Self {
            identifiers: all.person.identifiers,
            emails: all.person.emails,
            customers: views(all.belongings.customers),
            conversations: views(all.conversations),
            leads: views(all.belongings.leads),
            orders: views(all.belongings.orders),
            visitor_events: views(all.belongings.visits),
            webhook_events: told.collect(),
            waiting_messages: views(all.belongings.waiting),
            executions: views(all.belongings.executions),
        }
    }
}

/// A person by a customer's id or an address; what is neither is nobody.
fn named(text: &str) -> Result<Named> {
    let by_id = EndUserId::parse(text).map(Named::Customer);
    by_id
        .or_else(|| leads::email(text).map(Named::Email))
        .ok_or(Error::NotFound(Resource::Customer))
}

/// Export customer
///
/// All that is kept about a person, as one document.
#[utoipa::path(tag = "Platform API: Customers", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ("customer_id" = String, Path, description = "The customer's id, or an e-mail address")), responses((status = 200, body = envelope::Data<PersonView>)))]
#[get("/bots/{bot_id}/customers/{customer_id}/export")]
pub(super) async fn export_customer(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> PlatformResult<HttpResponse> {
    let (bot, customer) = path.into_inner();
    let (bot, named) = (params::bot_id(&bot)?, named(&customer)?);
    let all = people::export(&state.app, &caller.0, bot, &named).await?;
    Ok(envelope::data(StatusCode::OK, PersonView::from(all)))
}

/// Erase customer
///
/// Removes a person with all that is kept about them. Orders stay, without a word of who ordered. Done once it is
/// answered; a request that dies is finished by the server.
#[utoipa::path(tag = "Platform API: Customers", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ("customer_id" = String, Path, description = "The customer's id, or an e-mail address")), responses((status = 200, body = envelope::Done)))]
#[delete("/bots/{bot_id}/customers/{customer_id}")]
pub(super) async fn erase_customer(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> PlatformResult<HttpResponse> {
    let (bot, customer) = path.into_inner();
    let (bot, named) = (params::bot_id(&bot)?, named(&customer)?);
    people::erase(&state.app, &caller.0, bot, &named).await?;
    Ok(envelope::done("Customer erased successfully".to_owned()))
}
