//! What can be done with knowledge.

mod change;
mod create_pairs;
mod create_text;
mod delete;
mod embed;
mod get;
mod list;
mod pacing;
mod publishing;
mod read_file;
mod read_site;
mod refresh;
mod scrape;
mod search;
mod sweep;
mod upload;

pub(crate) use embed::embed;
pub(crate) use read_file::read_file;
pub(crate) use read_site::read_site;
pub(crate) use sweep::sweep;

pub use change::{ChangeSource, change};
pub use create_pairs::{NewPairs, create_pairs};
pub use create_text::{NewText, create_text};
pub use delete::delete;
pub use get::{SourceDetails, find, get};
pub use list::list;
pub use refresh::refresh;
pub use scrape::{NewSite, add_site, scrape};
pub use search::{Search, search};
pub use upload::{NewUpload, upload};

use domain::actors::Actor;
use domain::documents::Document;
use domain::jobs::NextRun;
use domain::knowledge::{
    KnowledgeSource, PREVIEW_LEN, SourceContent, SourceStatus, SourceType, Staged,
};
use domain::text::{NAME_MAX, preview};
use domain::trials::Change;
use domain::{BotId, Clash, Error, Resource, Result, SourceId};

use crate::App;
use crate::evaluations::gate;

/// Names the bot as not found before anything is done for it.
async fn check_bot(app: &App, actor: &Actor, bot: BotId) -> Result<()> {
    app.bots
        .find(actor.tenant_id(), bot)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    Ok(())
}

/// Gives a document's pieces their ids.
fn content(app: &App, document: Document) -> SourceContent {
    let chunks = document
        .chunks
        .into_iter()
        .map(|draft| (app.ids.uuid().into(), draft))
        .collect();
    SourceContent {
        text: document.text,
        chunks,
        pages: Vec::new(),
    }
}

/// Keeps a source whose words are there already.
async fn create(
    app: &App,
    actor: &Actor,
    id: SourceId,
    bot_id: BotId,
    name: String,
    source_type: SourceType,
    document: Document,
) -> Result<KnowledgeSource> {
    let content = content(app, document);
    let source = ready(app, actor, id, bot_id, name, source_type, &content);
    keep(app, actor, source, &content, None).await
}

/// Keeps a source with its content. A gated bot is answered from it once its evaluation has not fallen with it.
async fn keep(
    app: &App,
    actor: &Actor,
    mut source: KnowledgeSource,
    content: &SourceContent,
    next: Option<NextRun>,
) -> Result<KnowledgeSource> {
    let (tenant, bot) = (source.tenant_id, source.bot_id);
    let is_gated = gate::is_gated(app, tenant, bot).await?;
    source.enabled = !is_gated;
    if let Err(error) = app.knowledge.create(&source, content, next).await {
        return made_before(app, actor, source.id, error).await;
    }
    if is_gated {
        let source_id = source.id;
        gate::propose(app, tenant, bot, Change::EnableSource { source_id }).await?;
    }
    Ok(source)
}

/// Keeps a source that is still to be read, and has it read soon.
async fn stage(
    app: &App,
    actor: &Actor,
    source: KnowledgeSource,
    staged: Staged,
) -> Result<KnowledgeSource> {
    match app.knowledge.stage(&source, &staged).await {
        Ok(()) => {
            app.bell.ring();
            Ok(source)
        }
        Err(error) => made_before(app, actor, source.id, error).await,
    }
}

/// A source that has been read already.
fn ready(
    app: &App,
    actor: &Actor,
    id: SourceId,
    bot_id: BotId,
    name: String,
    source_type: SourceType,
    content: &SourceContent,
) -> KnowledgeSource {
    let now = app.clock.now();
    KnowledgeSource {
        id,
        tenant_id: actor.tenant_id(),
        bot_id,
        name,
        source_type,
        status: SourceStatus::Ready,
        enabled: true,
        error: None,
        content_preview: preview(&content.text, PREVIEW_LEN).to_owned(),
        file_name: None,
        url: None,
        crawl: None,
        pages: None,
        failures: Vec::new(),
        size_bytes: content.text.len() as u64,
        chunk_count: content.chunks.len() as u32,
        progress: None,
        synced_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// A name that came from outside the request (a page's title, a file's name), cut to what a name may have.
fn fitting_name(name: &str) -> String {
    preview(name, NAME_MAX as usize).replace('\0', " ")
}

/// The source that a repeated request made before.
async fn made_before(
    app: &App,
    actor: &Actor,
    id: SourceId,
    error: Error,
) -> Result<KnowledgeSource> {
    match error {
        Error::Conflict(Clash::AlreadyExists) => {
            let named = app.knowledge.find(actor.tenant_id(), id).await?;
            named
                .map(|named| named.source)
                .ok_or(Error::NotFound(Resource::KnowledgeSource))
        }
        error => Err(error),
    }
}
