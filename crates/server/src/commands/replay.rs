use application::App;
use application::conversations::{self, Given, Replayed};
use serde_json::{Value, json};

use super::embeddings::bot_id;
use super::tenants::tenant_id;

/// Answers recorded questions again and prints what changed.
pub async fn run(
    app: &App,
    tenant: &str,
    bot: &str,
    limit: usize,
    json: bool,
) -> anyhow::Result<()> {
    let (tenant, bot) = (tenant_id(tenant)?, bot_id(bot)?);
    let replayed = conversations::replay(app, tenant, bot, limit).await?;
    let changed: Vec<_> = replayed.iter().filter(|turn| turn.has_changed()).collect();
    if json {
        for turn in &changed {
            println!("{}", line(turn));
        }
        return Ok(());
    }
    println!(
        "{} questions, {} answered otherwise.",
        replayed.len(),
        changed.len()
    );
    for turn in changed {
        let now = match &turn.now {
            Ok(now) => told(now),
            Err(why) => format!("no answer: {why}"),
        };
        println!("\n? {}\n- {}\n+ {now}", turn.question, told(&turn.before));
    }
    Ok(())
}

/// An answer on a line, with where it comes from.
fn told(given: &Given) -> String {
    let receipt = &given.receipt;
    let model = receipt.model.as_deref().unwrap_or(&receipt.provider);
    let cited: Vec<_> = receipt
        .citations
        .iter()
        .map(|citation| format!("{} {}", citation.source_name, citation.chunk_index))
        .collect();
    format!(
        "{} [{model}; {}]",
        given.text.replace('\n', " "),
        cited.join(", ")
    )
}

fn line(turn: &Replayed) -> Value {
    let shown = |given: &Given| json!({ "answer": given.text, "receipt": given.receipt });
    json!({
        "question": turn.question,
        "before": shown(&turn.before),
        "now": turn.now.as_ref().ok().map(shown),
        "error": turn.now.as_ref().err(),
    })
}
