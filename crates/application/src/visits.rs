//! What visitors do beside writing.

use domain::actors::Actor;
use domain::text::{END_USER_FIELD_MAX, NAME_MAX, no_nul};
use domain::visits::{EVENT_ID_MAX, EVENTS_MAX, Visit};
use domain::{Error, Result};

use crate::{App, conversations};

/// Keeps what visitors of the actor's bot did, and answers how much of it is new.
///
/// # Errors
/// [`Error::Invalid`]: no visits or too many of them, or a field that is too long; [`Error::NotFound`]: a conversation is not
/// the bot's.
#[tracing::instrument(level = "debug", name = "visits.record", skip_all)]
pub async fn record(app: &App, actor: &Actor, visits: &[Visit]) -> Result<u64> {
    if !(1..=EVENTS_MAX).contains(&visits.len()) {
        return Err(Error::invalid(
            "events",
            format!("The 'events' field must have 1 to {EVENTS_MAX} events."),
        ));
    }
    for visit in visits {
        fits("id", Some(&visit.event_id), EVENT_ID_MAX)?;
        fits("customerId", visit.customer.as_deref(), END_USER_FIELD_MAX)?;
        fits("product", visit.product.as_deref(), NAME_MAX)?;
    }
    let mut talks: Vec<_> = visits
        .iter()
        .filter_map(|visit| visit.conversation_id)
        .collect();
    talks.sort();
    talks.dedup();
    for talk in talks {
        conversations::by_id::find(app, actor, talk).await?;
    }
    app.visits
        .record(actor.tenant_id(), actor.bot_id()?, visits)
        .await
}

/// Checks a field that a shop names things by.
///
/// # Errors
/// [`Error::Invalid`] unless it has 1 to `most` characters and no NUL.
pub(crate) fn fits(field: &'static str, value: Option<&str>, most: u64) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    let length = value.chars().count() as u64;
    if (1..=most).contains(&length) && no_nul(value).is_ok() {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!("The '{field}' field must be 1 to {most} characters long, without NUL."),
    ))
}
