//! What visitors' messages say: sentiment, intent, products, and questions of one meaning (Agent API, "Insights").
//!
//! A message is read once, and what was read is kept beside it as its [`Insight`]. Everything that is shown is a sum
//! over insights ([`SentimentTally`], [`IntentTally`], [`ProductTally`]), so that a sum of days is the sum of the days.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::analytics::Days;
use crate::answers::ProviderError;
pub use crate::conversations::Sentiment;
use crate::embeddings::Embedding;
use crate::language::Language;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::{BotId, ConversationId, Result, TenantId};

/// Scores that are no further than this from 0 are [`Sentiment::Neutral`].
pub const NEUTRAL_BELOW: f32 = 0.25;

/// How pleased somebody is: -1 (not at all) to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SentimentScore(f32);

impl SentimentScore {
    /// A score, put between -1 and 1. What is no number is 0.
    pub const fn of(score: f32) -> Self {
        if score.is_nan() {
            Self(0.0)
        } else {
            Self(score.clamp(-1.0, 1.0))
        }
    }

    /// -1 to 1.
    pub const fn score(self) -> f32 {
        self.0
    }

    /// The word for it.
    pub const fn label(self) -> Sentiment {
        if self.0 >= NEUTRAL_BELOW {
            Sentiment::Positive
        } else if self.0 <= -NEUTRAL_BELOW {
            Sentiment::Negative
        } else {
            Sentiment::Neutral
        }
    }
}

named! {
    /// What visitors of shops and services commonly want. A bot's owner, or a model, may know others by other names.
    Intent {
        /// Hello.
        Greeting = "greeting",
        /// Thank you.
        Thanks = "thanks",
        /// Good-bye.
        Goodbye = "goodbye",
        /// Where an order is, and when it comes.
        OrderStatus = "order_status",
        /// To buy something.
        Purchase = "purchase",
        /// To call off an order, a booking or a contract.
        Cancel = "cancel",
        /// To send something back, have it exchanged, or have the money back.
        ReturnOrRefund = "return_or_refund",
        /// Whether, where and how something is delivered, and for how much.
        Shipping = "shipping",
        /// What something costs, offers and discounts.
        Price = "price",
        /// Whether something is in stock.
        Availability = "availability",
        /// What something is like, which one to take.
        ProductQuestion = "product_question",
        /// Ways to pay, bills, charges.
        Payment = "payment",
        /// Signing up or in, passwords, one's own data.
        Account = "account",
        /// When it is open, and where it is.
        OpeningHours = "opening_hours",
        /// Telephone number, e-mail address.
        Contact = "contact",
        /// To speak with a person.
        Human = "human",
        /// To make an appointment or a reservation.
        Booking = "booking",
        /// Something is broken, wrong or late.
        Complaint = "complaint",
    }
}

/// What a message is after.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentScore {
    /// Its name: a word of [`Intent`], or one that a bot's owner gave.
    pub intent: String,
    /// How sure, 0 to 1.
    pub score: f32,
}

/// The most products of a catalogue.
pub const PRODUCTS_MAX: usize = 10_000;
/// The most other names of a product.
pub const ALIASES_MAX: usize = 20;
/// The longest id that a catalogue may give a product.
pub const PRODUCT_ID_MAX: u64 = 128;

/// A product of a bot's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id in the catalogue.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
}

/// A product that a message speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductMention {
    /// The product's id; `None`: it is in no catalogue, and `name` is how it is written.
    pub product_id: Option<String>,
    /// The product's name.
    pub name: String,
    /// How it was spoken of.
    pub sentiment: SentimentScore,
}

/// What one message says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Insight {
    /// How it was meant.
    pub sentiment: SentimentScore,
    /// What it is after. `None`: nothing that is known.
    pub intent: Option<IntentScore>,
    /// Whether it asks something.
    pub is_question: bool,
    /// The products that it speaks of, each once, in the order of their first mention.
    pub products: Vec<ProductMention>,
}

/// Sentiment, added up over messages or mentions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SentimentTally {
    /// How many were positive.
    pub positive: u64,
    /// How many were negative.
    pub negative: u64,
    /// How many were neutral.
    pub neutral: u64,
    /// The sum of their scores.
    pub sum: f64,
}

impl SentimentTally {
    /// So many of one label, and the sum of their scores.
    pub fn of(label: Sentiment, count: u64, sum: f64) -> Self {
        let mut tally = Self {
            sum,
            ..Self::default()
        };
        match label {
            Sentiment::Positive => tally.positive = count,
            Sentiment::Negative => tally.negative = count,
            Sentiment::Neutral => tally.neutral = count,
        }
        tally
    }

    /// One more.
    pub fn add(&mut self, score: SentimentScore) {
        match score.label() {
            Sentiment::Positive => self.positive += 1,
            Sentiment::Negative => self.negative += 1,
            Sentiment::Neutral => self.neutral += 1,
        }
        self.sum += f64::from(score.score());
    }

    /// Those of another as well.
    pub fn merge(&mut self, other: &Self) {
        self.positive += other.positive;
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.sum += other.sum;
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.positive + self.negative + self.neutral
    }

    /// The average, and 0 of none.
    pub fn mean(&self) -> SentimentScore {
        SentimentScore::of((self.sum / self.count().max(1) as f64) as f32)
    }

    /// The sentiment of a conversation: the average over those that had any, for one "thank you" among ten plain
    /// questions is still a pleased visitor.
    pub fn overall(&self) -> SentimentScore {
        let felt = self.positive + self.negative;
        SentimentScore::of((self.sum / felt.max(1) as f64) as f32)
    }
}

/// An intent, added up over messages.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct IntentTally {
    /// How many messages had it.
    pub count: u64,
    /// The sum of their scores, by which intents are ranked.
    pub sum: f64,
}

impl IntentTally {
    /// One more.
    pub fn add(&mut self, score: f32) {
        self.count += 1;
        self.sum += f64::from(score);
    }

    /// Those of another as well.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

/// A product, added up over messages.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProductTally {
    /// How it was spoken of; its count is the number of mentions.
    pub sentiment: SentimentTally,
}

impl ProductTally {
    /// One more.
    pub fn add(&mut self, mention: &ProductMention) {
        self.sentiment.add(mention.sentiment);
    }

    /// Those of another as well.
    pub fn merge(&mut self, other: &Self) {
        self.sentiment.merge(&other.sentiment);
    }
}

/// What visitors of a bot speak of, added up over the messages that name it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductFigures {
    /// The product's id in the catalogue; `None`: it is in none, and was found by how it is written.
    pub product_id: Option<String>,
    /// Its name.
    pub name: String,
    /// How many conversations speak of it.
    pub conversations: u64,
    /// How it was spoken of.
    pub tally: ProductTally,
}

/// Questions of one meaning, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionFigures {
    /// One of them, which stands for the others.
    pub question: String,
    /// How often it was asked.
    pub count: u64,
    /// How often the bot had no answer.
    pub unanswered: u64,
}

/// What was learned from one message of a conversation, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageInsight {
    /// The message's place in the conversation.
    pub seq: i64,
    /// How it was meant.
    pub sentiment: SentimentScore,
    /// What it is after. `None`: nothing that is known.
    pub intent: Option<IntentScore>,
}

/// Figures about what was learned from messages of some days ([`crate::learning`]). Deleted conversations are not in
/// them.
#[async_trait]
pub trait Insights: Send + Sync {
    /// What was learned from a conversation's messages, in their order. Those that nobody has read yet are not there.
    async fn messages(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
    ) -> Result<Vec<MessageInsight>>;
    /// How a bot's visitors felt: each label with its count and the sum of its scores.
    async fn sentiment(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
    ) -> Result<Vec<(Sentiment, u64, f64)>>;
    /// What they wanted, the highest sum of scores first.
    async fn intents(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
    ) -> Result<Vec<(String, IntentTally)>>;
    /// What they spoke of, most mentions first. Names that are in no catalogue, and that fewer than
    /// [`CANDIDATE_CONVERSATIONS`] conversations of the days speak of, are left out.
    async fn products(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
        page: PageRequest,
    ) -> Result<Page<ProductFigures>>;
    /// What they asked: groups by most unanswered first, then by most asked.
    async fn questions(
        &self,
        tenant: TenantId,
        bot: BotId,
        days: Days,
        page: PageRequest,
    ) -> Result<Page<QuestionFigures>>;
}

/// Tells how messages were meant: by a lexicon, or by a model that a bot's owner configured.
#[async_trait]
pub trait SentimentModel: Send + Sync {
    /// One score for each text, in their order.
    ///
    /// # Errors
    /// [`ProviderError`] where not all of them can be had; a lexicon always answers.
    async fn sentiment(
        &self,
        language: Language,
        texts: &[String],
    ) -> Result<Vec<SentimentScore>, ProviderError>;
}

/// Tells what messages are after: by patterns, by examples, or by a model.
#[async_trait]
pub trait IntentModel: Send + Sync {
    /// One intent for each text, in their order; `None` where nothing fits well enough.
    ///
    /// # Errors
    /// [`ProviderError`] where not all of them can be had; patterns and examples always answer.
    async fn intents(
        &self,
        language: Language,
        texts: &[String],
    ) -> Result<Vec<Option<IntentScore>>, ProviderError>;
}

/// Finds the products of a catalogue in messages.
pub trait ProductFinder: Send + Sync {
    /// Each product that the text speaks of, once, in the order of their first mention. Takes time in proportion to
    /// the text, however large the catalogue is.
    fn mentions(&self, text: &str) -> Vec<ProductMention>;
}

/// A name that may be a product's, where there is no catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductCandidate {
    /// The same for all spellings of it.
    pub key: String,
    /// As it stands in the message.
    pub name: String,
}

/// How many conversations must speak of a [`ProductCandidate`] until it counts as a product.
pub const CANDIDATE_CONVERSATIONS: u64 = 3;

/// Reads messages by their words alone: no I/O, and the same message always says the same.
pub trait MessageReader: Send + Sync {
    /// Whether the text asks something, with a question mark or without.
    fn is_question(&self, language: Language, text: &str) -> bool;

    /// Makes a catalogue ready for finding. Names without a letter or digit find nothing.
    fn finder(&self, language: Language, products: &[Product]) -> Box<dyn ProductFinder>;

    /// Names in the text that may be products': each once. They count from [`CANDIDATE_CONVERSATIONS`] on.
    fn candidates(&self, language: Language, text: &str) -> Vec<ProductCandidate>;

    /// Goes on with a bot's groups of questions, as they were kept; with none at first.
    fn grouping(&self, language: Language, groups: Vec<QuestionGroup>)
    -> Box<dyn QuestionGrouping>;
}

/// The most questions that a group keeps to be compared with.
pub const EXEMPLARS_MAX: usize = 6;

/// Questions that ask the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QuestionGroup {
    /// Questions of the group, at most [`EXEMPLARS_MAX`], that new ones are compared with, in the order in which they
    /// came. Those that were asked most stand for the group.
    pub exemplars: Vec<Exemplar>,
    /// How many questions it has.
    pub count: u64,
    /// How many of them the bot had no answer to.
    pub unanswered: u64,
}

impl QuestionGroup {
    /// The question to show for the group: the one most others were nearest to, and of several the first.
    pub fn representative(&self) -> &str {
        let exemplars = self.exemplars.iter().rev();
        exemplars
            .max_by_key(|e| e.count)
            .map_or("", |e| e.text.as_str())
    }
}

/// A question that stands for its group.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// The question, word for word.
    pub text: String,
    /// How many questions were nearest to it, itself included.
    pub count: u64,
    /// What it means, where the bot's messages are embedded.
    pub meaning: Option<Embedding>,
}

/// A question to be put into a group.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedQuestion {
    /// The question, word for word.
    pub text: String,
    /// Whether the bot had an answer to it.
    pub answered: bool,
    /// What it means. Those of one bot must be of one model.
    pub meaning: Option<Embedding>,
}

/// Puts questions into groups, one after the other. The same questions in the same order make the same groups.
pub trait QuestionGrouping: Send + Sync {
    /// Puts a question into the group that is nearest, or opens one. Says which, as its place in
    /// [`QuestionGrouping::groups`]. The work is bounded, however many groups there are.
    fn place(&mut self, question: AskedQuestion) -> usize;

    /// The groups, in the order in which they were opened: places never change.
    fn groups(&self) -> &[QuestionGroup];
}

/// The order in which groups are shown: most unanswered first, then most asked, then as they were opened.
pub fn by_urgency(groups: &mut [QuestionGroup]) {
    groups.sort_by_key(|g| (std::cmp::Reverse(g.unanswered), std::cmp::Reverse(g.count)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_bounds_and_labels() {
        for (score, label) in [
            (9.0, Sentiment::Positive),
            (0.25, Sentiment::Positive),
            (0.24, Sentiment::Neutral),
            (-0.24, Sentiment::Neutral),
            (f32::NAN, Sentiment::Neutral),
            (-0.25, Sentiment::Negative),
            (f32::NEG_INFINITY, Sentiment::Negative),
        ] {
            let scored = SentimentScore::of(score);
            assert!(scored.score().abs() <= 1.0);
            assert_eq!(scored.label(), label, "{score}");
        }
    }

    #[test]
    fn a_sum_of_parts_is_the_sum_of_all() {
        let scores = [0.9, -0.5, 0.0, 0.1, 0.5].map(SentimentScore::of);
        let (mut all, mut one, mut other) =
            <(SentimentTally, SentimentTally, SentimentTally)>::default();
        for (i, score) in scores.into_iter().enumerate() {
            all.add(score);
            if i < 2 {
                one.add(score)
            } else {
                other.add(score)
            }
        }
        one.merge(&other);
        assert_eq!(one, all);
        assert_eq!((all.positive, all.negative, all.neutral), (2, 1, 2));
        assert_eq!(all.mean().label(), Sentiment::Neutral);
        assert_eq!(all.overall().label(), Sentiment::Positive);
        assert_eq!(SentimentTally::default().mean().score(), 0.0);
    }

    #[test]
    fn the_question_that_was_asked_most_is_shown() {
        let exemplar = |text: &str, count| Exemplar {
            text: text.to_owned(),
            count,
            meaning: None,
        };
        let group = QuestionGroup {
            exemplars: vec![exemplar("a", 1), exemplar("b", 3), exemplar("c", 3)],
            ..QuestionGroup::default()
        };
        assert_eq!(group.representative(), "b");
        assert_eq!(QuestionGroup::default().representative(), "");
    }

    #[test]
    fn unanswered_groups_come_first() {
        let group = |count, unanswered| QuestionGroup {
            exemplars: Vec::new(),
            count,
            unanswered,
        };
        let mut groups = vec![group(9, 0), group(2, 1), group(3, 1), group(2, 2)];
        by_urgency(&mut groups);
        let order: Vec<_> = groups.iter().map(|g| (g.unanswered, g.count)).collect();
        assert_eq!(order, [(2, 2), (1, 3), (1, 2), (0, 9)]);
    }
}
