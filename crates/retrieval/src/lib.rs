//! Finding the chunks that answer a question: words, stems and ranking.
//!
//! A bot's chunks are kept in memory as inverted indexes, one per source ([`segment`]), put together into one
//! view per bot ([`index`]) and held in a cache bounded by bytes ([`cache`]). A search turns the question into
//! terms ([`words`], [`query`]), ranks chunks by BM25 and by how close together the terms stand ([`ranking`]),
//! judges whether the best of them answers at all ([`answerable`]), and picks the sentences to quote
//! ([`quotes`]). A curated pair that asks the same as the visitor comes before all of them ([`curated`]). The store is asked only when the bot's knowledge has changed, and for the words of the hits.

mod answerable;
mod cache;
mod curated;
mod index;
mod layout;
mod plain;
mod query;
mod quotes;
mod ranking;
mod retriever;
mod segment;
mod words;

pub use cache::Gauges;
pub use retriever::{LexicalRetriever, Options};
