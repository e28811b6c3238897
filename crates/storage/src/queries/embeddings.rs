//! Embeddings, and by which of them a bot is searched.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::embeddings::{
    Embedding, EmbeddingProgress, EmbeddingRun, EmbeddingState, Embeddings, PassageHash,
};
use domain::knowledge::{ChunkDraft, SourceStatus};
use domain::{BotId, Error, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Store, held, insert_embeddings};
use super::knowledge::raise_version;
use super::{count, jobs, knowledge_index, run};
use crate::fault::Fault;
use crate::schema::{bots, embedding_runs as runs, embeddings, knowledge_sources as sources};
use crate::scope::Scope;
use crate::types::{Key, key};

/// Embeddings deleted at a time: a chat that wants to write meanwhile waits for a few milliseconds.
const PART: usize = 500;

#[async_trait]
impl Embeddings for Store {
    async fn want(&self, model: &str, at: Timestamp) -> Result<()> {
        run!(
            self.write("embeddings.want", Scope::System),
            [model],
            |conn| want(conn, &model, at)
        )
    }

    async fn begin(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Option<EmbeddingRun>> {
        run!(self.write("embeddings.begin", tenant), [model], |conn| {
            begin(conn, tenant, source, &model)
        })
    }

    async fn chunks_from(
        &self,
        run: &EmbeddingRun,
        index: u32,
        limit: u32,
    ) -> Result<Vec<ChunkDraft>> {
        run!(
            self.read("embeddings.chunks_from", run.tenant_id),
            [run],
            |conn| {
                let (tenant, source) = (run.tenant_id, run.source_id);
                knowledge_index::chunks_from(conn, tenant, source, run.generation, index, limit)
            }
        )
    }

    async fn reuse(&self, run: &EmbeddingRun, hashes: &[PassageHash]) -> Result<Vec<PassageHash>> {
        run!(
            self.write("embeddings.reuse", run.tenant_id),
            [run, hashes],
            |conn| reuse(conn, &run, &hashes)
        )
    }

    async fn keep(
        &self,
        run: &EmbeddingRun,
        made: &[(PassageHash, Embedding)],
        done: u32,
    ) -> Result<bool> {
        run!(
            self.write("embeddings.keep", run.tenant_id),
            [run, made],
            |conn| keep(conn, &run, &made, done)
        )
    }

    async fn hold_up(&self, run: &EmbeddingRun, error: &str) -> Result<()> {
        run!(
            self.write("embeddings.hold_up", run.tenant_id),
            [run, error],
            |conn| hold_up(conn, &run, &error)
        )
    }

    async fn finish(&self, run: &EmbeddingRun, switch_over: bool) -> Result<bool> {
        run!(
            self.write("embeddings.finish", run.tenant_id),
            [run],
            |conn| finish(conn, &run, switch_over)
        )
    }

    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<EmbeddingState>> {
        run!(self.read("embeddings.state", tenant), [], |conn| state(
            conn, tenant, bot
        ))
    }

    async fn switch(
        &self,
        tenant: TenantId,
        bot: BotId,
        model: Option<&str>,
        hold: bool,
    ) -> Result<bool> {
        let model = model.map(str::to_owned);
        run!(self.write("embeddings.switch", tenant), [model], |conn| {
            switch(conn, tenant, key(bot), model.as_deref(), hold)
        })
    }
}

/// An embedding as it is kept.
#[derive(Insertable, AsChangeset, Clone)]
#[diesel(table_name = embeddings)]
pub(crate) struct EmbeddingRow {
    tenant_id: Key,
    source_id: Key,
    model: String,
    hash: Vec<u8>,
    generation: i64,
    vector: Vec<u8>,
}

/// The run of a source by a model.
macro_rules! run_of {
    ($run:expr) => {
        runs::table.find((
            key($run.tenant_id),
            key($run.source_id),
            $run.model.as_str(),
        ))
    };
}

/// The embeddings of a source by a model.
macro_rules! made_by {
    ($run:expr) => {
        embeddings::tenant_id
            .eq(key($run.tenant_id))
            .and(embeddings::source_id.eq(key($run.source_id)))
            .and(embeddings::model.eq($run.model.as_str()))
    };
}

/// The sources whose present reading a model has embedded.
macro_rules! embedded_by {
    ($model:expr) => {
        exists(
            runs::table.filter(
                runs::tenant_id
                    .eq(sources::tenant_id)
                    .and(runs::source_id.eq(sources::id))
                    .and(runs::model.eq($model))
                    .and(runs::generation.eq(sources::generation))
                    .and(runs::finished.gt(0)),
            ),
        )
    };
}

async fn want(conn: &mut Conn, model: &str, at: Timestamp) -> Result<(), Fault> {
    let behind: Vec<(Key, Key)> = sources::table
        .filter(sources::status.eq(SourceStatus::Ready.as_str()))
        .filter(not(embedded_by!(model)))
        .select((sources::tenant_id, sources::id))
        .load(conn)
        .await?;
    for (tenant, source) in behind {
        jobs::have_embedded(conn, tenant.0.into(), source.0.into(), at).await?;
    }
    // No job's end will take up a model that has embedded everything before.
    let elsewhere: Vec<(Key, Key)> = bots::table
        .filter(bots::embedding_held.eq(false))
        .filter(
            bots::embedding_model
                .is_null()
                .or(bots::embedding_model.ne(model)),
        )
        .filter(exists(
            sources::table
                .filter(sources::tenant_id.eq(bots::tenant_id))
                .filter(sources::bot_id.eq(bots::id))
                .filter(sources::status.eq(SourceStatus::Ready.as_str()))
                .filter(embedded_by!(model)),
        ))
        .select((bots::tenant_id, bots::id))
        .load(conn)
        .await?;
    for (tenant, bot) in elsewhere {
        take_up(conn, tenant.0.into(), bot, model).await?;
    }
    Ok(())
}

/// The bot of a source, held until the commit, if it is answered from this reading.
async fn bot_of(conn: &mut Conn, run: &EmbeddingRun) -> QueryResult<Option<Key>> {
    held!(
        sources::table
            .find((key(run.tenant_id), key(run.source_id)))
            .filter(sources::generation.eq(run.generation))
            .select(sources::bot_id)
    )
    .first(conn)
    .await
    .optional()
}

async fn begin(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    model: &str,
) -> Result<Option<EmbeddingRun>, Fault> {
    let generation: Option<i64> = held!(
        sources::table
            .find((key(tenant), key(source)))
            .filter(sources::status.eq(SourceStatus::Ready.as_str()))
            .select(sources::generation)
    )
    .first(conn)
    .await
    .optional()?;
    let Some(generation) = generation else {
        return Ok(None);
    };
    let run = EmbeddingRun {
        tenant_id: tenant,
        source_id: source,
        model: model.to_owned(),
        generation,
    };
    let anew = || {
        (
            runs::generation.eq(generation),
            runs::done.eq(0),
            runs::error.eq(None::<String>),
        )
    };
    diesel::insert_into(runs::table)
        .values((
            runs::tenant_id.eq(key(tenant)),
            runs::source_id.eq(key(source)),
            runs::model.eq(model),
            runs::finished.eq(0),
            anew(),
        ))
        .on_conflict((runs::tenant_id, runs::source_id, runs::model))
        .do_update()
        .set(anew())
        .execute(conn)
        .await?;
    Ok(Some(run))
}

async fn reuse(
    conn: &mut Conn,
    run: &EmbeddingRun,
    hashes: &[PassageHash],
) -> Result<Vec<PassageHash>, Fault> {
    let wanted = || hashes.iter().map(|hash| hash.0.to_vec());
    let known: Vec<(Vec<u8>, Vec<u8>)> = embeddings::table
        .filter(embeddings::tenant_id.eq(key(run.tenant_id)))
        .filter(embeddings::model.eq(run.model.as_str()))
        .filter(embeddings::hash.eq_any(wanted()))
        .select((embeddings::hash, embeddings::vector))
        .load(conn)
        .await?;
    if bot_of(conn, run).await?.is_none() {
        return Ok(Vec::new());
    }
    // The same words may be there of several sources.
    let known: BTreeMap<_, _> = known.into_iter().collect();
    let found = known.keys().filter_map(|hash| hash_of(hash)).collect();
    let row = |(hash, vector)| row(run, hash, vector);
    insert_embeddings(conn, known.into_iter().map(row).collect()).await?;
    Ok(found)
}

fn hash_of(bytes: &[u8]) -> Option<PassageHash> {
    bytes.try_into().ok().map(PassageHash)
}

fn row(run: &EmbeddingRun, hash: Vec<u8>, vector: Vec<u8>) -> EmbeddingRow {
    EmbeddingRow {
        tenant_id: key(run.tenant_id),
        source_id: key(run.source_id),
        model: run.model.clone(),
        hash,
        generation: run.generation,
        vector,
    }
}

async fn keep(
    conn: &mut Conn,
    run: &EmbeddingRun,
    made: &[(PassageHash, Embedding)],
    done: u32,
) -> Result<bool, Fault> {
    if bot_of(conn, run).await?.is_none() {
        return Ok(false);
    }
    let row =
        |(hash, vector): &(PassageHash, Embedding)| row(run, hash.0.to_vec(), vector.to_bytes());
    insert_embeddings(conn, made.iter().map(row).collect()).await?;
    diesel::update(run_of!(run))
        .set((
            runs::done.eq(i64::from(done)),
            runs::error.eq(None::<String>),
        ))
        .execute(conn)
        .await?;
    Ok(true)
}

async fn hold_up(conn: &mut Conn, run: &EmbeddingRun, error: &str) -> Result<(), Fault> {
    diesel::update(run_of!(run))
        .set(runs::error.eq(error))
        .execute(conn)
        .await?;
    Ok(())
}

async fn finish(conn: &mut Conn, run: &EmbeddingRun, switch_over: bool) -> Result<bool, Fault> {
    let Some(bot) = bot_of(conn, run).await? else {
        return Ok(false);
    };
    let version = raise_version(conn, run.tenant_id, bot)
        .await?
        .unwrap_or_default();
    diesel::update(run_of!(run))
        .set((runs::finished.eq(version), runs::error.eq(None::<String>)))
        .execute(conn)
        .await?;
    diesel::delete(embeddings::table)
        .filter(made_by!(run))
        .filter(embeddings::generation.lt(run.generation))
        .execute(conn)
        .await?;
    if switch_over {
        take_up(conn, run.tenant_id, bot, &run.model).await?;
    }
    Ok(true)
}

/// Switches a bot over to a model that has embedded all of its knowledge, unless its owner chose another, or wants an
/// evaluation first.
async fn take_up(conn: &mut Conn, tenant: TenantId, bot: Key, model: &str) -> Result<(), Fault> {
    let (active, is_held, is_gated): (Option<String>, bool, bool) = bots::table
        .find((key(tenant), bot))
        .select((
            bots::embedding_model,
            bots::embedding_held,
            bots::evaluation_gate,
        ))
        .first(conn)
        .await?;
    if is_held || is_gated || active.as_deref() == Some(model) {
        return Ok(());
    }
    let is_behind = sources::table
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(bot))
        .filter(sources::status.eq(SourceStatus::Ready.as_str()))
        .filter(not(embedded_by!(model)));
    if !diesel::select(exists(is_behind)).get_result(conn).await? {
        switch(conn, tenant, bot, Some(model), false).await?;
    }
    Ok(())
}

async fn switch(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Key,
    model: Option<&str>,
    hold: bool,
) -> Result<bool, Fault> {
    if raise_version(conn, tenant, bot).await?.is_none() {
        return Ok(false);
    }
    let row = bots::table.find((key(tenant), bot));
    let active: Option<String> = row.select(bots::embedding_model).first(conn).await?;
    let is_other = active.as_deref() != model;
    diesel::update(row)
        .set((
            bots::embedding_model.eq(model),
            is_other.then(|| bots::embedding_previous.eq(active)),
            bots::embedding_held.eq(hold),
        ))
        .execute(conn)
        .await?;
    Ok(true)
}

/// Deletes embeddings of a source by models that its bot is not searched with any more, and was not before: a part of
/// them. `true`: there may be more.
pub(super) async fn sweep(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
) -> Result<bool, Fault> {
    // A model and its end; the bot's model, and the one before.
    type Known = (String, i64, Option<String>, Option<String>);
    let known: Vec<Known> = runs::table
        .inner_join(
            sources::table.on(sources::tenant_id
                .eq(runs::tenant_id)
                .and(sources::id.eq(runs::source_id))),
        )
        .inner_join(
            bots::table.on(bots::tenant_id
                .eq(runs::tenant_id)
                .and(bots::id.eq(sources::bot_id))),
        )
        .filter(runs::tenant_id.eq(key(tenant)))
        .filter(runs::source_id.eq(key(source)))
        .select((
            runs::model,
            runs::finished,
            bots::embedding_model,
            bots::embedding_previous,
        ))
        .load(conn)
        .await?;
    // A model that has ended later than the one in use is the next one.
    let used = known
        .iter()
        .filter(|(model, _, active, _)| active.as_ref() == Some(model));
    let Some(since) = used.map(|(_, finished, ..)| *finished).max() else {
        return Ok(false);
    };
    let is_left = |(model, finished, active, previous): &&Known| {
        *finished < since && active.as_ref() != Some(model) && previous.as_ref() != Some(model)
    };
    let Some((model, ..)) = known.iter().find(is_left) else {
        return Ok(false);
    };
    let of_it = || {
        embeddings::table
            .filter(embeddings::tenant_id.eq(key(tenant)))
            .filter(embeddings::source_id.eq(key(source)))
            .filter(embeddings::model.eq(model))
    };
    let last: Option<Vec<u8>> = of_it()
        .order(embeddings::hash)
        .select(embeddings::hash)
        .offset(PART as i64)
        .first(conn)
        .await
        .optional()?;
    match last {
        Some(hash) => {
            diesel::delete(of_it().filter(embeddings::hash.lt(hash)))
                .execute(conn)
                .await?;
        }
        None => {
            diesel::delete(of_it()).execute(conn).await?;
            diesel::delete(runs::table.find((key(tenant), key(source), model)))
                .execute(conn)
                .await?;
        }
    }
    Ok(true)
}

async fn state(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
) -> Result<Option<EmbeddingState>, Fault> {
    let found: Option<(Option<String>, Option<String>, bool)> = bots::table
        .find((key(tenant), key(bot)))
        .select((
            bots::embedding_model,
            bots::embedding_previous,
            bots::embedding_held,
        ))
        .first(conn)
        .await
        .optional()?;
    let Some((active, previous, is_held)) = found else {
        return Ok(None);
    };
    let ready: Vec<(Key, i64, i64)> = sources::table
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(key(bot)))
        .filter(sources::status.eq(SourceStatus::Ready.as_str()))
        .select((sources::id, sources::generation, sources::chunk_count))
        .load(conn)
        .await?;
    let begun: Vec<(Key, String, i64, i64, i64, Option<String>)> = runs::table
        .inner_join(
            sources::table.on(sources::tenant_id
                .eq(runs::tenant_id)
                .and(sources::id.eq(runs::source_id))),
        )
        .filter(runs::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(key(bot)))
        .select((
            runs::source_id,
            runs::model,
            runs::generation,
            runs::done,
            runs::finished,
            runs::error,
        ))
        .load(conn)
        .await?;
    let total = ready.iter().map(|(_, _, chunks)| count(*chunks)).sum();
    let mut models: BTreeMap<String, EmbeddingProgress> = BTreeMap::new();
    for (source, model, generation, done, finished, error) in begun {
        let progress = models
            .entry(model.clone())
            .or_insert_with(|| EmbeddingProgress {
                model,
                sources: ready.len() as u64,
                sources_done: 0,
                chunks: total,
                chunks_done: 0,
                error: None,
            });
        let is_current =
            |(id, current, _): &&(Key, i64, i64)| *id == source && *current == generation;
        let Some((_, _, chunks)) = ready.iter().find(is_current) else {
            continue;
        };
        if finished > 0 && done == *chunks {
            progress.sources_done += 1;
        }
        progress.chunks_done += count(done);
        progress.error = progress.error.take().or(error);
    }
    Ok(Some(EmbeddingState {
        active,
        previous,
        is_held,
        models: models.into_values().collect(),
    }))
}

/// See [`domain::knowledge::KnowledgeIndex::embeddings_of`].
pub(super) async fn of_source(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    model: &str,
) -> Result<Vec<(PassageHash, Embedding)>, Fault> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = embeddings::table
        .filter(embeddings::tenant_id.eq(key(tenant)))
        .filter(embeddings::source_id.eq(key(source)))
        .filter(embeddings::model.eq(model))
        .select((embeddings::hash, embeddings::vector))
        .load(conn)
        .await?;
    let read = |(hash, vector): (Vec<u8>, Vec<u8>)| {
        hash_of(&hash)
            .zip(Embedding::from_bytes(&vector))
            .ok_or_else(|| Error::internal("a broken embedding in the store").into())
    };
    rows.into_iter().map(read).collect()
}
