//! What `/knowledge` is asked with.

use application::knowledge::{ChangeSource, NewSite};
use domain::knowledge::QuestionAnswer;
use domain::text::required;
use domain::websites::CrawlScope;
use domain::{BotId, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::words;
use crate::http::body::{JsonBody, SizeLimit, given, not_null};

/// Which sources, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListSources {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    pub(super) page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub(super) per_page: Option<String>,
    /// Filter by specific bot
    pub(super) bot_id: Option<String>,
    /// Filter by source type
    #[param(schema_with = words::source_type)]
    pub(super) source_type: Option<String>,
}

/// A source to be made. A file comes as `multipart/form-data` with the same fields.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct CreateSource {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// Name of the knowledge source (1 to 200 characters)
    #[schema(required, nullable = false)]
    pub(super) name: Option<String>,
    /// Type of source
    #[schema(required, schema_with = words::source_type)]
    pub(super) source_type: Option<String>,
    /// The knowledge content (required for text type)
    pub(super) content: Option<String>,
    /// Questions with their answers (required for qa type; 1 to 1000)
    pub(super) pairs: Option<Vec<PairBody>>,
    /// Website URL to scrape (required for url type)
    pub(super) url: Option<String>,
    /// Include subpages when scraping (url type only)
    pub(super) include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20; in the background 10000)
    #[schema(minimum = 1, maximum = 10000)]
    pub(super) max_pages: Option<u32>,
    /// How far subpages are followed (url type only; default: origin)
    #[schema(schema_with = words::crawl_scope)]
    pub(super) scope: Option<String>,
    /// Read the site again after so many hours (url type only)
    #[schema(minimum = 1, maximum = 8760)]
    pub(super) resync_hours: Option<u32>,
    /// Answer at once and read the site in the background (url type only; default: false)
    pub(super) background: Option<bool>,
}

impl JsonBody for CreateSource {
    // A million characters, each of which JSON may write as twelve bytes, and the rest.
    const LIMIT: SizeLimit = SizeLimit {
        bytes: 13 * 1024 * 1024,
        told: "13 MB",
    };
}

/// A website to read.
#[derive(Deserialize, ToSchema)]
pub(super) struct ScrapeBody {
    /// ID of the bot to add knowledge to
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// Website URL to scrape
    #[schema(required, nullable = false)]
    pub(super) url: Option<String>,
    /// Include subpages in scraping (default: false)
    pub(super) include_subpages: Option<bool>,
    /// Maximum pages to scrape (default: 5, max: 20)
    #[schema(minimum = 1, maximum = 20)]
    pub(super) max_pages: Option<u32>,
    /// How far subpages are followed (default: origin)
    #[schema(schema_with = words::crawl_scope)]
    pub(super) scope: Option<String>,
    /// Read the site again after so many hours
    #[schema(minimum = 1, maximum = 8760)]
    pub(super) resync_hours: Option<u32>,
}

impl JsonBody for ScrapeBody {}

impl From<CreateSource> for ScrapeBody {
    fn from(body: CreateSource) -> Self {
        Self {
            bot_id: body.bot_id,
            url: body.url,
            include_subpages: body.include_subpages,
            max_pages: body.max_pages,
            scope: body.scope,
            resync_hours: body.resync_hours,
        }
    }
}

impl ScrapeBody {
    /// The site, once the bot's id was looked at: a field that is missing is told of first.
    pub(super) fn read(self, bot_id: Result<BotId>, name: Option<String>) -> Result<NewSite> {
        let url = required("url", self.url)?;
        Ok(NewSite {
            url,
            bot_id: bot_id?,
            name,
            include_subpages: self.include_subpages.unwrap_or(false),
            scope: self.scope.map_or(Ok(CrawlScope::Origin), |word| {
                CrawlScope::read("scope", &word)
            })?,
            max_pages: self.max_pages,
            resync_hours: self.resync_hours,
        })
    }
}

/// A question with its answer.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct PairBody {
    /// As a visitor may ask it (1 to 1000 characters)
    pub(super) question: String,
    /// Given word for word (1 to 8000 characters)
    pub(super) answer: String,
}

impl From<PairBody> for QuestionAnswer {
    fn from(pair: PairBody) -> Self {
        Self {
            question: pair.question,
            answer: pair.answer,
        }
    }
}

impl From<QuestionAnswer> for PairBody {
    fn from(pair: QuestionAnswer) -> Self {
        Self {
            question: pair.question,
            answer: pair.answer,
        }
    }
}

/// How much of a source is shown.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowSource {
    /// Whether to show its content and chunks, which may be large (default: true)
    #[param(value_type = Option<bool>)]
    pub(super) include_content: Option<String>,
}

/// A change to a source: only the fields given change.
#[derive(Deserialize, ToSchema)]
pub(super) struct UpdateSource {
    /// New name
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// New content (text type only)
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    content: Option<Option<String>>,
    /// New questions and answers, all of them (qa type only)
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<PairBody>>)]
    pairs: Option<Option<Vec<PairBody>>>,
    /// Whether the bot answers from it
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    enabled: Option<Option<bool>>,
    /// Read the site again after so many hours; null: only when asked (url type only)
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 8760)]
    resync_hours: Option<Option<u32>>,
    /// Maximum pages to read from now on (url type only)
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10000)]
    max_pages: Option<Option<u32>>,
}

impl JsonBody for UpdateSource {
    const LIMIT: SizeLimit = CreateSource::LIMIT;
}

impl UpdateSource {
    pub(super) fn read(self) -> Result<ChangeSource> {
        Ok(ChangeSource {
            name: self.name.map(|name| required("name", name)).transpose()?,
            content: self
                .content
                .map(|content| required("content", content))
                .transpose()?,
            pairs: not_null("pairs", self.pairs)?
                .map(|pairs| pairs.into_iter().map(QuestionAnswer::from).collect()),
            enabled: not_null("enabled", self.enabled)?,
            resync_hours: self.resync_hours,
            max_pages: not_null("max_pages", self.max_pages)?,
        })
    }
}

/// A question to a bot's knowledge.
#[derive(Deserialize, ToSchema)]
pub(super) struct SearchBody {
    /// Whose knowledge
    #[schema(required, nullable = false)]
    pub(super) bot_id: Option<String>,
    /// The question (1 to 8000 characters)
    #[schema(required, nullable = false)]
    pub(super) query: Option<String>,
    /// The most chunks (default: 10, max: 50)
    #[schema(minimum = 1, maximum = 50)]
    pub(super) limit: Option<u32>,
    /// Earlier messages, oldest first
    pub(super) history: Option<Vec<UtteranceBody>>,
}

impl JsonBody for SearchBody {}

/// An earlier message.
#[derive(Deserialize, ToSchema)]
pub(super) struct UtteranceBody {
    /// `user` or `bot`
    pub(super) sender: String,
    pub(super) message: String,
}
