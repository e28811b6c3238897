//! What visitors' messages say, by their words alone: sentiment, intents, products, and questions of one meaning.
//!
//! Nothing here does I/O, and the same message always says the same. [`LexiconSentiment`] and [`PatternIntents`] need
//! nothing but the files in `data`; [`IntentClassifier`] learns from examples; [`WordReader`] does the rest.

mod candidates;
mod classifier;
mod clauses;
mod groups;
mod intents;
mod lexicon;
mod products;
mod questions;
mod reader;
mod sentiment;
mod words;

pub use classifier::IntentClassifier;
pub use intents::PatternIntents;
pub use reader::WordReader;
pub use sentiment::LexiconSentiment;
