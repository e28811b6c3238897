use domain::actors::Actor;
use domain::documents::Document;
use domain::knowledge::{
    ANSWER_MAX, KnowledgeSource, MAX_PAIRS, QUESTION_MAX, QuestionAnswer, SourceType,
};
use domain::text::{self, no_nul};
use domain::{BotId, Error, Result, SourceId};
use validator::Validate;

use crate::App;

/// Questions and the answers that a bot's owner wants given.
#[derive(Debug, Clone, Validate)]
pub struct NewPairs {
    /// The bot that will answer with them.
    pub bot_id: BotId,
    /// The source's name.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: String,
    /// The pairs, each a chunk of the source.
    pub pairs: Vec<QuestionAnswer>,
}

/// Makes a source of questions and answers; they are given at once, before anything that retrieval finds.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "knowledge.create_pairs", skip_all)]
pub async fn create_pairs(
    app: &App,
    actor: &Actor,
    id: SourceId,
    new: NewPairs,
) -> Result<KnowledgeSource> {
    new.validate()?;
    let document = document(&new.pairs)?;
    super::check_bot(app, actor, new.bot_id).await?;
    super::create(
        app,
        actor,
        id,
        new.bot_id,
        new.name,
        SourceType::Qa,
        document,
    )
    .await
}

/// Pairs as the document that they are kept as.
///
/// # Errors
/// [`Error::Invalid`], naming the pair.
pub(super) fn document(pairs: &[QuestionAnswer]) -> Result<Document> {
    if pairs.is_empty() || pairs.len() > MAX_PAIRS {
        return Err(Error::invalid(
            "pairs",
            format!("must be a list of 1 to {MAX_PAIRS} pairs of question and answer"),
        ));
    }
    for (at, pair) in pairs.iter().enumerate() {
        check(at, "question", &pair.question, QUESTION_MAX)?;
        check(at, "answer", &pair.answer, ANSWER_MAX)?;
    }
    let texts: Vec<String> = pairs.iter().map(QuestionAnswer::text).collect();
    Ok(Document {
        text: texts.join("\n\n"),
        chunks: pairs.iter().map(QuestionAnswer::chunk).collect(),
    })
}

fn check(at: usize, field: &str, text: &str, most: u64) -> Result<()> {
    let fits = !text.trim().is_empty() && text.chars().count() as u64 <= most;
    if fits && !text.contains('\0') {
        return Ok(());
    }
    Err(Error::invalid(
        format!("pairs[{at}].{field}"),
        format!("must be 1 to {most} characters long, not blank, without the NUL character"),
    ))
}
