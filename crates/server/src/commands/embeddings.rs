use anyhow::Context;
use application::{App, embeddings};
use domain::BotId;
use domain::embeddings::EmbeddingState;
use serde_json::json;

use super::EmbeddingsCommand;
use super::tenants::tenant_id;

/// What stands for no model.
const WORDS: &str = "words";

/// Runs a command about the embeddings that a bot is searched with.
pub async fn run(command: EmbeddingsCommand, app: &App) -> anyhow::Result<()> {
    match command {
        EmbeddingsCommand::Show { tenant, bot } => {
            let state = embeddings::show(app, tenant_id(&tenant)?, bot_id(&bot)?).await?;
            print(&state);
        }
        EmbeddingsCommand::Compare { tenant, bot, model } => {
            let (tenant, bot) = (tenant_id(&tenant)?, bot_id(&bot)?);
            let compared = embeddings::compare(app, tenant, bot, model_of(&model)).await?;
            println!(
                "{} questions that were answered from knowledge. The chunk that the answer was made from is found",
                compared.questions
            );
            for (name, found) in [
                ("by what is used now", compared.active),
                (&*model, compared.other),
            ] {
                println!("  {name}: first {}, in five {}", found.first, found.in_five);
            }
            println!("Another chunk comes first for {}.", compared.changed);
        }
        EmbeddingsCommand::Switch {
            tenant,
            bot,
            model,
            release,
        } => {
            let (tenant, bot) = (tenant_id(&tenant)?, bot_id(&bot)?);
            let state = embeddings::switch(app, tenant, bot, model_of(&model), !release).await?;
            print(&state);
        }
    }
    Ok(())
}

fn print(state: &EmbeddingState) {
    let models: Vec<_> = state
        .models
        .iter()
        .map(|model| {
            json!({
                "model": model.model,
                "sources": model.sources,
                "sources_done": model.sources_done,
                "chunks": model.chunks,
                "chunks_done": model.chunks_done,
                "error": model.error,
            })
        })
        .collect();
    println!(
        "{:#}",
        json!({ "active": state.active, "previous": state.previous, "held": state.is_held, "models": models })
    );
}

fn model_of(word: &str) -> Option<&str> {
    (word != WORDS).then_some(word)
}

/// Reads a bot's id.
pub fn bot_id(text: &str) -> anyhow::Result<BotId> {
    BotId::parse(text).with_context(|| format!("'{text}' is not a bot's id"))
}
