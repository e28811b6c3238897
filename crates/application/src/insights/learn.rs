//! Learning from what visitors write, a part at a time.

use domain::insights::{
    AskedQuestion, Exemplar, Insight, IntentScore, ProductFinder, ProductMention, QuestionGroup,
    QuestionGrouping, SentimentScore,
};
use domain::language::Language;
use domain::learning::{
    ANSWER_WITHIN, Due, GroupedQuestion, KeptGroup, Lesson, Memory, Place, ReadConversation,
    ReadMessage, Unread, UnreadConversation, UnreadMessage,
};
use domain::{BotId, Error, QuestionGroupId, Result, TenantId, Timestamp};

use crate::App;
use crate::knowledge::pacing::paced;

/// Conversations looked at for a part.
const CONVERSATIONS: u32 = 32;
/// Messages of a part: what is written at once, so that visitors' turns hardly wait for it.
const MESSAGES: u32 = 48;
/// Conversations marked at once, after their bot's catalogue was replaced.
const MARKED: u32 = 100;
/// Questions that a bot's new ones are compared with.
const EXEMPLARS: u32 = 10_000;
/// Bots whose memory is kept at hand.
const BOTS: usize = 8;

/// Learns from what visitors write. It keeps at hand what bots' messages are read with, and loses nothing with it.
#[derive(Default)]
pub struct Learner {
    /// Those used last are last.
    readers: Vec<Reader>,
}

/// What a bot's messages are read with.
struct Reader {
    tenant: TenantId,
    bot: BotId,
    version: i64,
    language: Language,
    /// `None`: the bot has no catalogue.
    finder: Option<Box<dyn ProductFinder>>,
    grouping: Box<dyn QuestionGrouping>,
    /// For each group its id, and of each exemplar where it stands and its count.
    groups: Vec<(QuestionGroupId, Vec<(Place, u64)>)>,
}

impl Learner {
    /// Learns from a part of what is there to learn from. `false`: there is nothing.
    ///
    /// # Errors
    /// As the ports; nothing is kept then, and it can be tried again.
    pub async fn learn(&mut self, app: &App) -> Result<bool> {
        let now = app.clock.now();
        let Some(due) = app.learning.due(now, CONVERSATIONS).await? else {
            return paced(app, app.learning.mark_again(MARKED)).await;
        };
        let Some(unread) = app.learning.unread(&due, MESSAGES).await? else {
            return Ok(true);
        };
        // What is read changes the reader: it is at hand again only once that is kept.
        let reader = match self.take(&due, &unread) {
            Some(reader) => Some(reader),
            None => Reader::load(app, &due).await?,
        };
        let Some(mut reader) = reader else {
            return Ok(true);
        };
        let lesson = reader.read(app, unread, now).await?;
        if paced(app, app.learning.keep(&lesson)).await? {
            reader.version += 1;
            self.readers.push(reader);
            let surplus = self.readers.len().saturating_sub(BOTS);
            self.readers.drain(..surplus);
        }
        Ok(true)
    }

    fn take(&mut self, due: &Due, unread: &Unread) -> Option<Reader> {
        let is_it = |reader: &Reader| (reader.tenant, reader.bot) == (due.tenant_id, due.bot_id);
        let reader = self.readers.remove(self.readers.iter().position(is_it)?);
        let is_current = reader.version == unread.version && reader.language == unread.language;
        is_current.then_some(reader)
    }
}

impl Reader {
    async fn load(app: &App, due: &Due) -> Result<Option<Self>> {
        let (tenant, bot) = (due.tenant_id, due.bot_id);
        let memory = app.learning.memory(tenant, bot, EXEMPLARS).await?;
        Ok(memory.map(|memory| Self::of(app, tenant, bot, memory)))
    }

    fn of(app: &App, tenant: TenantId, bot: BotId, memory: Memory) -> Self {
        let known = |group: &KeptGroup| {
            let exemplars = group.exemplars.iter();
            (group.id, exemplars.map(|e| (e.place, e.count)).collect())
        };
        let groups = memory.groups.iter().map(known).collect();
        let kept = memory.groups.into_iter().map(question_group).collect();
        let has_catalogue = !memory.products.is_empty();
        Self {
            tenant,
            bot,
            version: memory.version,
            language: memory.language,
            finder: has_catalogue.then(|| app.words.finder(memory.language, &memory.products)),
            grouping: app.words.grouping(memory.language, kept),
            groups,
        }
    }

    async fn read(&mut self, app: &App, unread: Unread, now: Timestamp) -> Result<Lesson> {
        let mut lesson = Lesson {
            tenant_id: self.tenant,
            bot_id: self.bot,
            version: self.version,
            conversations: Vec::with_capacity(unread.conversations.len()),
            exemplars: Vec::new(),
        };
        // Those that spoke first come first: a question that is new opens its group.
        for conversation in unread.conversations.into_iter().rev() {
            let read = self
                .read_conversation(app, conversation, now, &mut lesson.exemplars)
                .await?;
            lesson.conversations.push(read);
        }
        Ok(lesson)
    }

    async fn read_conversation(
        &mut self,
        app: &App,
        unread: UnreadConversation,
        now: Timestamp,
        counted: &mut Vec<(Place, u64)>,
    ) -> Result<ReadConversation> {
        let ready = ready(&unread.messages, now);
        let (ready, waiting) = unread.messages.split_at(ready);
        let (read_to, due) = match waiting.first() {
            Some(first) => (first.seq - 1, Some(first.said_at + ANSWER_WITHIN)),
            None if unread.has_more => (ready.last().map_or(unread.read_to, |m| m.seq), Some(now)),
            None => (unread.last_seq, None),
        };
        let texts: Vec<String> = ready.iter().map(|message| message.text.clone()).collect();
        let unsure = |error| Error::internal(format!("messages can't be told: {error}"));
        let feelings = app.sentiment.sentiment(self.language, &texts).await;
        let intents = app.intents.intents(self.language, &texts).await;
        let told = feelings
            .map_err(unsure)?
            .into_iter()
            .zip(intents.map_err(unsure)?);
        let mut messages = Vec::with_capacity(ready.len());
        for (message, (sentiment, intent)) in ready.iter().zip(told) {
            let place = Place {
                conversation_id: unread.id,
                seq: message.seq,
            };
            messages.push(self.read_message(app, place, message, sentiment, intent, counted));
        }
        Ok(ReadConversation {
            id: unread.id,
            was_read_to: unread.read_to,
            last_seq: unread.last_seq,
            read_to,
            due,
            messages,
        })
    }

    fn read_message(
        &mut self,
        app: &App,
        place: Place,
        message: &UnreadMessage,
        sentiment: SentimentScore,
        intent: Option<IntentScore>,
        counted: &mut Vec<(Place, u64)>,
    ) -> ReadMessage {
        let (keys, products) = self.products(app, &message.text, sentiment);
        let is_question = app.words.is_question(self.language, &message.text);
        let question = (is_question && !message.is_known).then(|| {
            let asked = AskedQuestion {
                text: message.text.clone(),
                answered: message.answered.unwrap_or(false),
                meaning: None,
            };
            self.group(app, place, asked, counted)
        });
        ReadMessage {
            seq: message.seq,
            said_at: message.said_at,
            is_known: message.is_known,
            insight: Insight {
                sentiment,
                intent,
                is_question,
                products,
            },
            keys,
            question,
        }
    }

    /// The products that a text speaks of, and the key of each: those of the catalogue, or what is written like one.
    fn products(
        &self,
        app: &App,
        text: &str,
        sentiment: SentimentScore,
    ) -> (Vec<String>, Vec<ProductMention>) {
        if let Some(finder) = &self.finder {
            let found = finder.mentions(text).into_iter();
            let keyed = found.map(|mention| {
                let key = mention.product_id.as_ref().unwrap_or(&mention.name);
                (key.clone(), mention)
            });
            return keyed.unzip();
        }
        let candidates = app.words.candidates(self.language, text).into_iter();
        let keyed = candidates.map(|candidate| {
            let mention = ProductMention {
                product_id: None,
                name: candidate.name,
                sentiment,
            };
            (candidate.key, mention)
        });
        keyed.unzip()
    }

    /// Puts a question into its group.
    fn group(
        &mut self,
        app: &App,
        place: Place,
        question: AskedQuestion,
        counted: &mut Vec<(Place, u64)>,
    ) -> GroupedQuestion {
        let answered = question.answered;
        let at = self.grouping.place(question);
        if at >= self.groups.len() {
            self.groups.push((app.ids.uuid().into(), Vec::new()));
        }
        let exemplars = self.grouping.groups().get(at);
        let exemplars = exemplars.map_or(&[][..], |group| &group.exemplars);
        let (group, known) = &mut self.groups[at];
        for (exemplar, (place, count)) in exemplars.iter().zip(known.iter_mut()) {
            if exemplar.count != *count {
                *count = exemplar.count;
                counted.push((*place, *count));
            }
        }
        let is_exemplar = exemplars.len() > known.len();
        if is_exemplar {
            known.push((place, 1));
        }
        GroupedQuestion {
            group: *group,
            answered,
            is_exemplar,
        }
    }
}

/// A kept group as questions are compared with it.
fn question_group(kept: KeptGroup) -> QuestionGroup {
    let exemplars = kept.exemplars.into_iter().map(|kept| Exemplar {
        text: kept.text,
        count: kept.count,
        meaning: None,
    });
    QuestionGroup {
        exemplars: exemplars.collect(),
        ..QuestionGroup::default()
    }
}

/// How many of the messages can be learned from: up to one whose answer may still come. Where a later one was answered,
/// it will not.
fn ready(messages: &[UnreadMessage], now: Timestamp) -> usize {
    let last_answered = messages
        .iter()
        .rposition(|message| message.answered.is_some());
    let from = last_answered.map_or(0, |place| place + 1);
    let rest = messages.iter().skip(from);
    let waits = |message: &UnreadMessage| now < message.said_at + ANSWER_WITHIN;
    from + rest
        .take_while(|message| message.is_known || !waits(message))
        .count()
}
