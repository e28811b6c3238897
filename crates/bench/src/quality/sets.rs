//! Sets of passages with questions: `docs.jsonl` and `questions.jsonl` in a folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::{Asked, ask, chunks_of, make_bot, rows};
use crate::server::Server;

#[derive(Deserialize)]
struct Passage {
    id: String,
    title: String,
    text: String,
    lang: String,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    answerable: bool,
    #[serde(default)]
    why: String,
    #[serde(default)]
    gold: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
}

/// The sets of a folder, by name.
pub(super) fn folders(data: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data).with_context(|| data.display().to_string())? {
        let entry = entry?;
        if entry.path().join("docs.jsonl").exists() {
            let name = entry.file_name().to_string_lossy().into_owned();
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a bot that knows the passages of a set, each as a source of its own.
pub(super) async fn fill(
    server: &Server,
    name: &str,
    folder: &Path,
) -> Result<(String, Vec<Asked>)> {
    let passages: Vec<Passage> = rows(&folder.join("docs.jsonl"))?;
    let questions: Vec<Question> = rows(&folder.join("questions.jsonl"))?;
    let language = passages.first().context("a set without passages")?;
    let bot = make_bot(server, name, &language.lang).await?;
    let mut chunks: HashMap<&str, Vec<String>> = HashMap::new();
    for passage in &passages {
        let source = json!({
            "bot_id": bot, "name": passage.title, "source_type": "text", "content": passage.text,
        });
        let made = ask(server, "POST", "/api/v1/knowledge/sources", source).await?;
        let id = made["id"].as_str().context("no source was made")?;
        let cut = chunks_of(server, id).await?;
        let ids = cut.iter().filter_map(|chunk| chunk["id"].as_str());
        chunks.insert(&passage.id, ids.map(str::to_owned).collect());
    }
    let asked = questions.into_iter().map(|question| Asked {
        question: question.question,
        unanswerable: (!question.answerable).then_some(question.why),
        chunks: question
            .gold
            .iter()
            .filter_map(|id| chunks.get(id.as_str()))
            .flatten()
            .take(100)
            .cloned()
            .collect(),
        phrases: question.answers.into_iter().take(100).collect(),
    });
    Ok((bot, asked.collect()))
}
