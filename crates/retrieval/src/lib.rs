//! Finding the chunks that answer a question: words, stems, meaning and ranking.
//!
//! A bot's chunks are kept in memory as inverted indexes ([`segment`], of lists of [`postings`]), each of one source or
//! of several ([`parts`]), beside the embeddings of each source ([`vectors`], [`signs`]). They are put together into one
//! view per bot ([`index`]) and held in a cache bounded by bytes ([`cache`]).
//!
//! A search turns the question, with those before it that it leans on ([`follow_ups`]), into terms ([`words`],
//! [`query`]) and, where the knowledge is embedded, into what it means ([`meaning`]). It takes the chunks of the best
//! scores by BM25 ([`scoring`]) and those that come [`nearest`] to the meaning, ranks them by both and by how close
//! together the terms stand ([`ranking`]), judges whether the best of them answers at all ([`answerable`]), leaves out
//! what says the same again ([`doubles`]), puts the chunks in which the best go on beside them ([`neighbours`]), and
//! picks the sentences to quote ([`quotes`]). A curated pair that asks the same as the visitor comes before all of them
//! ([`curated`]). The store is asked only when the bot's knowledge has changed, and for the words of the hits.

mod answerable;
mod cache;
mod codes;
mod curated;
mod doubles;
mod follow_ups;
mod index;
mod layout;
mod meaning;
mod nearest;
mod neighbours;
mod parts;
mod plain;
mod postings;
mod query;
mod quotes;
mod ranking;
mod retriever;
mod scoring;
mod segment;
mod signs;
mod trial;
mod vectors;
mod words;

pub use cache::Gauges;
pub use retriever::{HybridRetriever, Options};
pub use trial::Trials;
