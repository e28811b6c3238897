//! All of a person: giving it to them, and erasing it.

use std::time::Duration;

use domain::actors::Actor;
use domain::conversations::{Conversation, ConversationFilter};
use domain::paging::PageRequest;
use domain::people::{Belongings, Erasure, Named, Person};
use domain::{BotId, Error, Resource, Result, TenantId};

use crate::App;
use crate::conversations::{LearnedMessage, by_id};
use crate::knowledge::pacing::paced;

/// Conversations erased in one transaction.
const PART: u32 = 5;
/// Conversations that another customer is given in one transaction.
const MOVED: u32 = 50;
/// An erasure that is older is taken up by the background: its request may have died.
const TAKEN_UP_AFTER: Duration = Duration::from_secs(60);

/// Erasures that are taken up in one go.
const TAKEN_UP: u32 = 100;

/// All that is kept about a person.
#[derive(Debug, Clone)]
pub struct Everything {
    /// By what they are known.
    pub person: Person,
    /// What is kept beside their conversations.
    pub belongings: Belongings,
    /// Their conversations with all messages, oldest first.
    pub conversations: Vec<(Conversation, Vec<LearnedMessage>)>,
}

/// All that is kept about a person of a bot.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "people.export", skip_all)]
pub async fn export(app: &App, actor: &Actor, bot: BotId, named: &Named) -> Result<Everything> {
    let tenant = actor.tenant_id();
    let person = find(app, tenant, bot, named).await?;
    let belongings = app.people.belongings(tenant, bot, &person).await?;
    let mut conversations = Vec::new();
    for customer in &person.customers {
        let filter = ConversationFilter {
            bot_id: Some(bot),
            end_user: Some(*customer),
            ..ConversationFilter::default()
        };
        for number in 1.. {
            let page = PageRequest::new(Some(number), Some(PageRequest::MAX_PER_PAGE))?;
            let found = app.conversations.list(tenant, &filter, page).await?.items;
            if found.is_empty() {
                break;
            }
            for conversation in found {
                let messages = by_id::learned(app, tenant, conversation.id).await?;
                conversations.push((conversation, messages));
            }
        }
    }
    conversations.sort_by_key(|(conversation, _)| (conversation.created_at, conversation.id));
    Ok(Everything {
        person,
        belongings,
        conversations,
    })
}

/// Erases a person of a bot. Once it has begun it is done, by the background if need be.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "people.erase", skip_all)]
pub async fn erase(app: &App, actor: &Actor, bot: BotId, named: &Named) -> Result<()> {
    let tenant = actor.tenant_id();
    let erasure = Erasure {
        id: app.ids.uuid().into(),
        tenant_id: tenant,
        bot_id: bot,
        person: find(app, tenant, bot, named).await?,
        created_at: app.clock.now(),
    };
    app.people.begin_erasure(&erasure).await?;
    finish(app, &erasure).await
}

/// Goes on with erasures whose requests died.
///
/// # Errors
/// As the port.
pub async fn finish_erasures(app: &App) -> Result<()> {
    let before = app.clock.now() - TAKEN_UP_AFTER;
    for erasure in app.people.unfinished(before, TAKEN_UP).await? {
        // The others' are not to wait for this one's.
        if let Err(error) = finish(app, &erasure).await {
            tracing::warn!(erasure_id = %erasure.id, %error, "an erasure is not finished");
        }
    }
    Ok(())
}

/// Makes customers one who turned out to be.
///
/// # Errors
/// As the port.
pub async fn merge(app: &App) -> Result<()> {
    while paced(app, app.people.merge(MOVED)).await? {}
    Ok(())
}

async fn finish(app: &App, erasure: &Erasure) -> Result<()> {
    let (tenant, bot) = (erasure.tenant_id, erasure.bot_id);
    let mentions = app.people.mentions(tenant, bot, &erasure.person).await?;
    for part in mentions.chunks(PART as usize) {
        paced(app, app.people.erase_executions(tenant, part)).await?;
    }
    while paced(app, app.people.erase(erasure, PART)).await? {}
    Ok(())
}

async fn find(app: &App, tenant: TenantId, bot: BotId, named: &Named) -> Result<Person> {
    if app.bots.find(tenant, bot).await?.is_none() {
        return Err(Error::NotFound(Resource::Bot));
    }
    let found = app.people.find(tenant, bot, named).await?;
    found.ok_or(Error::NotFound(Resource::Customer))
}
