//! Answering recorded questions again.

use domain::messages::{Author, Message, Utterance};
use domain::receipts::Receipt;
use domain::{BotId, Error, Resource, Result, TenantId};

use super::Silent;
use super::answer::Asked;
use super::receipt::receipt_of;
use crate::App;

/// An answer, as far as it is compared with another.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The words.
    pub text: String,
    /// How it came to be.
    pub receipt: Receipt,
}

/// A question with the answer that it got, and the one that it gets now.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The visitor's words.
    pub question: String,
    /// The answer that was given.
    pub before: Given,
    /// The answer as it would be given now, or why there is none.
    pub now: std::result::Result<Given, String>,
}

impl Replayed {
    /// Whether a visitor would read another answer.
    pub fn has_changed(&self) -> bool {
        self.now.as_ref().map(|now| &now.text) != Ok(&self.before.text)
    }
}

/// A question that a visitor asked, what was said before it, and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub question: String,
    pub history: Vec<Utterance>,
    pub answer: Message,
}

/// The questions of a bot's newest conversations that it answered, at most `limit`.
pub(crate) async fn recorded(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    limit: usize,
) -> Result<Vec<Recorded>> {
    let mut found = Vec::new();
    let conversations = u32::try_from(limit).unwrap_or(u32::MAX);
    for messages in app.conversations.recent(tenant, bot, conversations).await? {
        for answer in messages
            .iter()
            .filter(|message| message.author == Author::Bot)
        {
            let asked = |message: &&Message| Some(message.id) == answer.reply_to;
            let Some(question) = messages.iter().find(asked) else {
                continue;
            };
            let before = messages.iter().filter(|message| message.seq < question.seq);
            found.push(Recorded {
                question: question.text.clone(),
                history: before.map(Utterance::from).collect(),
                answer: answer.clone(),
            });
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Answers the newest recorded questions of a bot again, at most `limit`, with the configuration, the prompt and the
/// knowledge of now. Nothing is stored or counted.
///
/// # Errors
/// [`Error::NotFound`], and as the ports. What a provider does not answer is told with its question.
pub async fn replay(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    limit: usize,
) -> Result<Vec<Replayed>> {
    let not_found = || Error::NotFound(Resource::Bot);
    let bot = app.bots.find(tenant, bot).await?.ok_or_else(not_found)?;
    let state = app.index.state(tenant, bot.id).await?;
    let knowledge = state.ok_or_else(not_found)?;
    let mut replayed = Vec::new();
    for Recorded {
        question,
        history,
        answer,
    } in recorded(app, tenant, bot.id, limit).await?
    {
        let asked = Asked {
            tenant,
            bot: &bot,
            knowledge: &knowledge,
            retriever: &*app.retriever,
            as_if: None,
            history: &history,
            text: &question,
        };
        let now = match asked.answer(app, app.clock.now(), &mut Silent).await {
            Ok((answer, receipt)) => Ok(Given {
                text: answer.text,
                receipt,
            }),
            Err(Error::ProviderFailed(why)) => Err(why),
            Err(error) => return Err(error),
        };
        replayed.push(Replayed {
            before: Given {
                receipt: receipt_of(&answer)?,
                text: answer.text,
            },
            question,
            now,
        });
    }
    Ok(replayed)
}
