use domain::actors::Actor;
use domain::documents::{Document, FileKind};
use domain::knowledge::{
    MAX_RESYNC_HOURS, MAX_SITE_PAGES, NamedSource, QuestionAnswer, SourceChange, SourceType,
};
use domain::text::{self, no_nul};
use domain::trials::Change;
use domain::{Error, Resource, Result, SourceId};
use validator::Validate;

use super::create_pairs;
use super::publishing::publish_document;
use super::read_site::next_run;
use crate::App;
use crate::evaluations::gate;

/// What becomes of a source. `None`: as it is.
#[derive(Debug, Clone, Default, Validate)]
pub struct ChangeSource {
    /// Its name.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: Option<String>,
    /// The words of a text source.
    #[validate(length(min = 1, max = text::CONTENT_MAX, message = "must be 1 to 1000000 characters long"), custom(function = no_nul))]
    pub content: Option<String>,
    /// The pairs of a source of questions and answers, all of them.
    pub pairs: Option<Vec<QuestionAnswer>>,
    /// Whether it is answered from.
    pub enabled: Option<bool>,
    /// After how many hours a site is read again; `Some(None)`: only when asked.
    #[validate(range(min = 1, max = MAX_RESYNC_HOURS, message = "must be a whole number from 1 to 8760"))]
    pub resync_hours: Option<Option<u32>>,
    /// The most pages of a site.
    #[validate(range(min = 1, max = MAX_SITE_PAGES, message = "must be a whole number from 1 to 10000"))]
    pub max_pages: Option<u32>,
}

impl ChangeSource {
    /// Refuses what a source of this type does not have.
    fn fits(&self, source_type: SourceType) -> Result<()> {
        for (field, is_given, owner) in [
            ("content", self.content.is_some(), SourceType::Text),
            ("pairs", self.pairs.is_some(), SourceType::Qa),
            ("resync_hours", self.resync_hours.is_some(), SourceType::Url),
            ("max_pages", self.max_pages.is_some(), SourceType::Url),
        ] {
            if is_given && owner != source_type {
                return Err(Error::invalid(
                    field,
                    format!("is of sources of type {} only", owner.as_str()),
                ));
            }
        }
        Ok(())
    }
}

/// Changes the fields given. New words are answered from as soon as this is done, and a gated bot's once its evaluation
/// has not fallen with them.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "knowledge.change", skip_all)]
pub async fn change(
    app: &App,
    actor: &Actor,
    id: SourceId,
    change: ChangeSource,
) -> Result<NamedSource> {
    change.validate()?;
    let tenant = actor.tenant_id();
    let not_found = || Error::NotFound(Resource::KnowledgeSource);
    let found = app.knowledge.find(tenant, id).await?;
    let mut source = found.ok_or_else(not_found)?.source;
    change.fits(source.source_type)?;
    let document = match (change.content, change.pairs) {
        (Some(content), _) => Some(app.reader.cut(FileKind::Md, content).await),
        (_, Some(pairs)) => Some(create_pairs::document(&pairs)?),
        _ => None,
    };
    if let Some(document) = document {
        replace(app, actor, id, document).await?;
    }
    let next = change.resync_hours.and_then(|hours| {
        let plan = source.crawl.as_mut()?;
        plan.resync_hours = hours;
        next_run(app, &source)
    });
    let is_enabled = change.enabled == Some(true) && !source.enabled;
    let waits = is_enabled && gate::is_gated(app, tenant, source.bot_id).await?;
    if waits {
        let wanted = Change::EnableSource { source_id: id };
        gate::propose(app, tenant, source.bot_id, wanted).await?;
    }
    let settings = SourceChange {
        name: change.name,
        enabled: change.enabled.filter(|_| !waits),
        resync_hours: change.resync_hours,
        max_pages: change.max_pages,
    };
    app.knowledge
        .update(tenant, id, &settings, next, app.clock.now())
        .await?
        .ok_or_else(not_found)
}

/// Two who replace the words at once: the one who began last holds, as if the other had been a moment earlier.
async fn replace(app: &App, actor: &Actor, id: SourceId, document: Document) -> Result<()> {
    let draft = app.knowledge.begin(actor.tenant_id(), id).await?;
    let draft = draft.ok_or(Error::NotFound(Resource::KnowledgeSource))?;
    let size = document.text.len() as u64;
    publish_document(app, draft, document, Some(size), None).await?;
    Ok(())
}
