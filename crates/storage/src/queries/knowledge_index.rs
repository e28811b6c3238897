use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::embeddings::{Embedding, PassageHash};
use domain::knowledge::{
    Chunk, ChunkDraft, Draft, IndexedSource, KnowledgeIndex, KnowledgeState, NewChunk,
    SourceStatus, SourceType,
};
use domain::trials::Trial;
use domain::{BotId, ChunkId, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Db, Store, insert_chunks};
use super::{embeddings, run, small};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    bots, embedding_runs as runs, knowledge_chunks as chunks, knowledge_sources as sources,
};
use crate::types::{Key, Moment, key};

#[async_trait]
impl KnowledgeIndex for Store {
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>> {
        run!(self.read("index.state", tenant), [], |conn| state(
            conn, tenant, bot
        ))
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        let trial = Trial::default();
        run!(self.read("index.sources", tenant), [trial], |conn| {
            sources_of(conn, tenant, bot, &trial)
        })
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        run!(self.read("index.chunks_of", tenant), [], |conn| {
            chunks_of(conn, tenant, source)
        })
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        let trial = Trial::default();
        run!(self.read("index.chunks", tenant), [ids, trial], |conn| {
            chunks_as_if(conn, tenant, &ids, &trial)
        })
    }

    async fn embeddings_of(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>> {
        run!(self.read("index.embeddings_of", tenant), [model], |conn| {
            embeddings::of_source(conn, tenant, source, &model)
        })
    }
}

/// What a bot's row says of its knowledge.
#[derive(Queryable, Selectable)]
#[diesel(table_name = bots, check_for_backend(Db))]
pub(super) struct StateRow {
    knowledge_version: i64,
    embedding_model: Option<String>,
}

impl From<StateRow> for KnowledgeState {
    fn from(row: StateRow) -> Self {
        Self {
            version: row.knowledge_version,
            embedding_model: row.embedding_model,
        }
    }
}

/// A chunk as it is kept.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = chunks, check_for_backend(Db))]
pub(crate) struct ChunkRow {
    tenant_id: Key,
    source_id: Key,
    generation: i64,
    chunk_index: i64,
    id: Key,
    bot_id: Key,
    content: String,
    heading: Option<String>,
    page: Option<i64>,
    url: Option<String>,
    created_at: Moment,
}

/// Which reading of which source chunks belong to.
pub(super) struct Reading {
    pub tenant: Key,
    pub source: Key,
    pub bot: Key,
    pub generation: i64,
}

impl Reading {
    /// Keeps chunks of it, the first of them at an index.
    pub async fn keep(
        &self,
        conn: &mut Conn,
        first: i64,
        chunks: &[NewChunk],
        at: Timestamp,
    ) -> Result<(), Fault> {
        let row = |(index, (id, draft)): (i64, &(ChunkId, ChunkDraft))| ChunkRow {
            tenant_id: self.tenant,
            source_id: self.source,
            generation: self.generation,
            chunk_index: index,
            id: key(*id),
            bot_id: self.bot,
            content: draft.content.clone(),
            heading: draft.heading.clone(),
            page: draft.page.map(i64::from),
            url: draft.url.clone(),
            created_at: Moment(at),
        };
        insert_chunks(conn, (first..).zip(chunks).map(row).collect())
            .await
            .or_exists()
    }
}

impl From<ChunkRow> for Chunk {
    fn from(row: ChunkRow) -> Self {
        Self {
            id: row.id.0.into(),
            source_id: row.source_id.0.into(),
            index: small(row.chunk_index),
            draft: ChunkDraft {
                content: row.content,
                heading: row.heading,
                page: row.page.map(small),
                url: row.url,
            },
            created_at: row.created_at.0,
        }
    }
}

async fn state(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
) -> Result<Option<KnowledgeState>, Fault> {
    let found = bots::table
        .find((key(tenant), key(bot)))
        .select(StateRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(KnowledgeState::from))
}

/// What a bot would be answered from.
pub(super) async fn sources_of(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    trial: &Trial,
) -> Result<Vec<IndexedSource>, Fault> {
    let model = match &trial.embedding_model {
        Some(model) => model.clone(),
        None => state(conn, tenant, bot)
            .await?
            .and_then(|state| state.embedding_model),
    };
    let drafted = trial.draft.map(|draft| key(draft.source_id));
    let enabled = trial.enabled.map(key);
    // Words alone: no model has an empty name.
    let model = model.unwrap_or_default();
    let rows: Vec<(Key, String, String, i64, Option<i64>)> = sources::table
        .left_join(
            runs::table.on(runs::tenant_id
                .eq(sources::tenant_id)
                .and(runs::source_id.eq(sources::id))
                .and(runs::model.eq(model))),
        )
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(key(bot)))
        .filter(
            sources::status
                .eq(SourceStatus::Ready.as_str())
                .or(sources::id.eq_any(drafted)),
        )
        .filter(sources::enabled.eq(true).or(sources::id.eq_any(enabled)))
        .order((sources::created_at, sources::id))
        .select((
            sources::id,
            sources::name,
            sources::source_type,
            sources::revision,
            runs::finished.nullable(),
        ))
        .load(conn)
        .await?;
    let indexed =
        rows.into_iter().map(
            |(id, name, source_type, revision, embedded)| IndexedSource {
                id: id.0.into(),
                name,
                is_curated: source_type == SourceType::Qa.as_str(),
                revision,
                embedded: embedded.unwrap_or_default(),
            },
        );
    Ok(indexed.collect())
}

/// Chunks with their sources, as far as these are answered from them.
macro_rules! live {
    () => {
        chunks::table.inner_join(
            sources::table.on(sources::tenant_id
                .eq(chunks::tenant_id)
                .and(sources::id.eq(chunks::source_id))
                .and(sources::generation.eq(chunks::generation))),
        )
    };
}

/// All chunks of a source, in order, also while it is disabled: what is indexed by its revision must not depend
/// on when it was looked at.
pub(super) async fn chunks_of(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
) -> Result<Vec<Chunk>, Fault> {
    let rows = live!()
        .filter(chunks::tenant_id.eq(key(tenant)))
        .filter(chunks::source_id.eq(key(source)))
        .order(chunks::chunk_index)
        .select(ChunkRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Chunk::from).collect())
}

/// All chunks of a draft, in order.
pub(super) async fn chunks_of_draft(conn: &mut Conn, draft: Draft) -> Result<Vec<Chunk>, Fault> {
    let rows = chunks::table
        .filter(chunks::tenant_id.eq(key(draft.tenant_id)))
        .filter(chunks::source_id.eq(key(draft.source_id)))
        .filter(chunks::generation.eq(draft.generation))
        .order(chunks::chunk_index)
        .select(ChunkRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Chunk::from).collect())
}

/// Chunks of a reading from a place on.
pub(super) async fn chunks_from(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    generation: i64,
    index: u32,
    limit: u32,
) -> Result<Vec<ChunkDraft>, Fault> {
    let rows = chunks::table
        .filter(chunks::tenant_id.eq(key(tenant)))
        .filter(chunks::source_id.eq(key(source)))
        .filter(chunks::generation.eq(generation))
        .filter(chunks::chunk_index.ge(i64::from(index)))
        .order(chunks::chunk_index)
        .limit(i64::from(limit))
        .select(ChunkRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| Chunk::from(row).draft).collect())
}

/// The text of a source that has none but that of its chunks.
pub(super) async fn text_of(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
) -> Result<String, Fault> {
    let texts: Vec<String> = live!()
        .filter(chunks::tenant_id.eq(key(tenant)))
        .filter(chunks::source_id.eq(key(source)))
        .order(chunks::chunk_index)
        .select(chunks::content)
        .load(conn)
        .await?;
    Ok(texts.join("\n\n"))
}

/// Chunks that would be answered from, by id.
pub(super) async fn chunks_as_if(
    conn: &mut Conn,
    tenant: TenantId,
    ids: &[ChunkId],
    trial: &Trial,
) -> Result<Vec<Chunk>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    // SQLite takes so many parameters and no more.
    for ids in ids.chunks(1_000) {
        let wanted = || chunks::id.eq_any(ids.iter().copied().map(key));
        let enabled = trial.enabled.map(key);
        let rows = live!()
            .filter(sources::enabled.eq(true).or(sources::id.eq_any(enabled)))
            .filter(chunks::tenant_id.eq(key(tenant)))
            .filter(wanted())
            .select(ChunkRow::as_select())
            .load(conn)
            .await?;
        found.extend(rows.into_iter().map(Chunk::from));
        let Some(draft) = trial.draft.filter(|draft| draft.tenant_id == tenant) else {
            continue;
        };
        let rows = chunks::table
            .filter(chunks::tenant_id.eq(key(tenant)))
            .filter(chunks::source_id.eq(key(draft.source_id)))
            .filter(chunks::generation.eq(draft.generation))
            .filter(wanted())
            .select(ChunkRow::as_select())
            .load(conn)
            .await?;
        found.extend(rows.into_iter().map(Chunk::from));
    }
    Ok(found)
}
