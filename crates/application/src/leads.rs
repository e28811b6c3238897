//! Those who talk to a bot, for whoever has its key.

use domain::actors::Actor;
use domain::leads::{self, Contact, Customer, CustomerOrder, Lead, Origin};
use domain::paging::{Page, PageRequest};
use domain::text::END_USER_FIELD_MAX;
use domain::{ConversationId, Result};

use crate::App;
use crate::visits::fits;

/// A page of those who talked to the actor's bot.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "leads.customers", skip_all)]
pub async fn customers(
    app: &App,
    actor: &Actor,
    order: CustomerOrder,
    page: PageRequest,
) -> Result<Page<Customer>> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    app.leads.customers(tenant, bot, order, page).await
}

/// What a visitor entered in a form.
#[derive(Debug, Clone)]
pub struct Form {
    /// During which conversation.
    pub conversation_id: ConversationId,
    /// The address, in any case.
    pub email: String,
    /// How they are called.
    pub name: Option<String>,
    /// Whether they agree to be written to; `None`: they were not asked.
    pub consent: Option<bool>,
}

/// Keeps what a visitor entered in a form of the actor's bot.
///
/// # Errors
/// [`domain::Error::Invalid`]: a name that is too long, or an address that can't be one; [`domain::Error::NotFound`]:
/// the conversation is not the bot's.
#[tracing::instrument(level = "debug", name = "leads.keep", skip_all)]
pub async fn keep(app: &App, actor: &Actor, form: Form) -> Result<Lead> {
    fits("name", form.name.as_deref(), END_USER_FIELD_MAX)?;
    let contact = Contact {
        lead_id: app.ids.uuid().into(),
        email: leads::read_email(&form.email)?,
        origin: Origin::Form,
        consent: form.consent,
    };
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    let (name, now) = (form.name.as_deref(), app.clock.now());
    app.leads
        .keep(tenant, bot, form.conversation_id, &contact, name, now)
        .await
}

/// A page of the leads of the actor's bot, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "leads.list", skip_all)]
pub async fn list(app: &App, actor: &Actor, page: PageRequest) -> Result<Page<Lead>> {
    app.leads
        .leads(actor.tenant_id(), actor.bot_id()?, page)
        .await
}
