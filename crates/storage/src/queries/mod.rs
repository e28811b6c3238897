//! The queries, and the ports on them: one file per noun. Compiled once per engine; nothing here names one.

use super as engine;

mod agent_loops;
mod analytics;
mod bots;
mod channel_talks;
mod channels;
mod connections;
mod conversations;
mod embeddings;
mod end_users;
mod erasures;
mod evaluations;
mod execution_rows;
mod executions;
mod idempotency;
mod inbox;
mod insights;
mod jobs;
mod keys;
mod knowledge;
mod knowledge_changes;
mod knowledge_drafts;
mod knowledge_index;
mod knowledge_pages;
mod knowledge_rows;
mod knowledge_trial;
mod leads;
mod learning;
mod lessons;
mod merging;
mod messages;
mod orders;
mod outbox;
mod people;
mod statistics;
mod tenants;
mod turns;
mod usage;
mod visits;
mod webhook_deliveries;
mod webhooks;

pub(super) use embeddings::EmbeddingRow;
pub(super) use evaluations::CaseRow;
pub(super) use knowledge_index::ChunkRow;
pub use knowledge_trial::Trials;

use diesel_async::AsyncConnectionCore;

use crate::fault::Fault;
use crate::types::Json;
use domain::Error;

/// Moves a query with what it needs to the engine: `run!(self.write("name", scope), [borrowed], |conn| query)`.
/// The borrowed arguments are copied once; ids and other small ones just go along.
macro_rules! run {
    ($store:ident.$mode:ident($name:literal, $scope:expr), [$($borrowed:ident),*], |$conn:ident| $query:expr) => {{
        $(let $borrowed = std::sync::Arc::new($borrowed.to_owned());)*
        $store
            .$mode($name, $scope.into(), move |$conn| {
                $(let $borrowed = $borrowed.clone();)*
                Box::pin(async move { $query.await })
            })
            .await
    }};
}
use run;

/// What runs a query that may travel together with others: `together!` of an engine gives each of them what
/// its engine can share, and on its own such a query runs on the engine's connection.
trait Runs: AsyncConnectionCore<Backend = engine::Db> {}

impl<C: AsyncConnectionCore<Backend = engine::Db>> Runs for C {}

/// The value for a word that the store holds. One that we don't know was written by a later version.
fn word<T>(parse: fn(&str) -> Option<T>, word: &str) -> Result<T, Fault> {
    parse(word).ok_or_else(|| Error::internal(format!("unknown word '{word}' in the store")).into())
}

/// As [`word`], where there may be none.
fn optional_word<T>(parse: fn(&str) -> Option<T>, text: Option<&str>) -> Result<Option<T>, Fault> {
    text.map(|text| word(parse, text)).transpose()
}

/// A count as the domain has it. Counts in the store are never negative.
fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

/// A small count as the domain has it.
fn small(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or_default()
}

/// A value as JSON.
fn json(value: &impl serde::Serialize) -> Result<Json, Fault> {
    Ok(Json(serde_json::to_value(value).map_err(Error::internal)?))
}

/// The value of JSON that the store holds. One that we can't read was written by a later version.
fn of_json<T: serde::de::DeserializeOwned>(stored: Json) -> Result<T, Fault> {
    Ok(serde_json::from_value(stored.0).map_err(Error::internal)?)
}

/// A number as the store has it; one too large for it stands for "as many as can be".
fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
