//! What can be done with knowledge.

mod create_text;
mod delete;
mod get;
mod list;
mod read_file;
mod scrape;
mod search;
mod upload;

pub use create_text::{NewText, create_text};
pub use delete::delete;
pub use get::{SourceDetails, get};
pub use list::list;
pub use read_file::{JobEnd, read_file};
pub use scrape::{NewScrape, scrape};
pub use search::{Search, search};
pub use upload::{NewUpload, upload};

use domain::actors::Actor;
use domain::documents::Document;
use domain::knowledge::{KnowledgeSource, PREVIEW_LEN, SourceContent, SourceStatus, SourceType};
use domain::text::{NAME_MAX, preview};
use domain::{BotId, Clash, Error, Resource, Result, SourceId};

use crate::App;

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
        error: None,
        content_preview: preview(&content.text, PREVIEW_LEN).to_owned(),
        file_name: None,
        url: None,
        pages: None,
        failures: Vec::new(),
        size_bytes: content.text.len() as u64,
        chunk_count: content.chunks.len() as u32,
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
