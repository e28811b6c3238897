//! Those who talk to a bot, for whoever has its key.

use domain::Result;
use domain::actors::Actor;
use domain::leads::{Customer, CustomerOrder, Lead};
use domain::paging::{Page, PageRequest};

use crate::App;

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
