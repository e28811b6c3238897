use domain::actors::Actor;
use domain::documents::FileKind;
use domain::knowledge::{KnowledgeSource, SourceType};
use domain::text::{self, no_nul};
use domain::{BotId, Result, SourceId};
use validator::Validate;

use crate::App;

/// Words to answer from.
#[derive(Debug, Clone, Validate)]
pub struct NewText {
    /// The bot that will answer from them.
    pub bot_id: BotId,
    /// The source's name.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: String,
    /// The words, plain or as Markdown.
    #[validate(length(min = 1, max = text::CONTENT_MAX, message = "must be 1 to 1000000 characters long"), custom(function = no_nul))]
    pub content: String,
}

/// Makes a text source; it can be answered from at once.
///
/// # Errors
/// [`domain::Error::Invalid`]; [`domain::Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "knowledge.create_text", skip_all)]
pub async fn create_text(
    app: &App,
    actor: &Actor,
    id: SourceId,
    new: NewText,
) -> Result<KnowledgeSource> {
    new.validate()?;
    super::check_bot(app, actor, new.bot_id).await?;
    // Plain text is read as Markdown: its headings and lists are known, and its words stay as they are.
    let document = app.reader.cut(FileKind::Md, new.content).await;
    super::create(
        app,
        actor,
        id,
        new.bot_id,
        new.name,
        SourceType::Text,
        document,
    )
    .await
}
