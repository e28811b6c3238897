//! What is answered to a message from a channel.

use domain::actors::{Actor, Scope};
use domain::channels::Channel;
use domain::channels::inbox::Waiting;
use domain::conversations::EndUserDetails;
use domain::tenants::Tenant;
use domain::{Error, Resource, Result};

use crate::App;
use crate::conversations::{self, SendMessage, Silent};

/// What is to be sent.
pub(super) struct Words {
    /// Its id, the same whenever it is asked for.
    pub id: String,
    /// The words.
    pub text: String,
}

/// What is to be sent, made once: a message that has been answered has that answer.
///
/// # Errors
/// Those of [`conversations::send`].
pub(super) async fn words(
    app: &App,
    tenant: Tenant,
    channel: &Channel,
    session_id: &str,
    waiting: &Waiting,
) -> Result<Words> {
    if waiting.is_own {
        return Ok(Words {
            id: waiting.id.to_string(),
            text: waiting.message.text.clone(),
        });
    }
    if waiting.message.opening
        && let Some(text) = welcome(app, channel).await?
    {
        return Ok(Words {
            id: waiting.id.to_string(),
            text,
        });
    }
    let found = app.conversations.find_turn(tenant.id, waiting.id).await?;
    let answer = match found {
        Some((_, Some(answer))) => answer,
        _ => {
            let actor = actor(app, tenant, channel);
            let message = message(channel, session_id, waiting);
            let turn = conversations::send(app, &actor, message, &mut Silent).await?;
            turn.answer
        }
    };
    Ok(Words {
        id: answer.id.to_string(),
        text: answer.text,
    })
}

/// What the bot says to somebody who has not said anything. It begins no conversation: the first words do, and have it
/// before them.
async fn welcome(app: &App, channel: &Channel) -> Result<Option<String>> {
    let bot = app.bots.find(channel.tenant_id, channel.bot_id).await?;
    let bot = bot.ok_or(Error::NotFound(Resource::Bot))?;
    if !bot.is_active {
        return Err(Error::BotInactive);
    }
    Ok(bot.welcome_message.filter(|text| !text.trim().is_empty()))
}

/// The channel stands for its bot.
fn actor(app: &App, tenant: Tenant, channel: &Channel) -> Actor {
    Actor {
        limits: app.plans.limits(tenant.plan),
        tenant,
        // No key was shown, and none is asked for behind this point.
        key_id: channel.id.0.into(),
        scope: Scope::Bot(channel.bot_id),
    }
}

fn message(channel: &Channel, session_id: &str, waiting: &Waiting) -> SendMessage {
    let kind = channel.kind();
    let from = &waiting.message.from;
    // Platforms number people each for itself, and as shops number theirs. And a mail's sender is as anybody likes to
    // write it: nobody becomes one whose address was proved.
    let identifier = format!("{kind}:{}", from.id);
    SendMessage {
        session_id: session_id.to_owned(),
        message: waiting.message.text.clone(),
        bot_id: Some(channel.bot_id),
        channel: Some(kind),
        end_user: EndUserDetails {
            user_identifier: Some(identifier).filter(|_| !from.id.is_empty()),
            user_name: from.name.clone(),
            user_email: None,
        },
        unproved_email: from.email.clone(),
        consent: None,
        message_id: waiting.id,
    }
}
