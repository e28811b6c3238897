//! The quality of answers, as a bot's owner measures it: by evaluations of the running server.

mod sets;
pub mod site;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::{Provider, Server};
use crate::store::{Engine, Store};

/// How often an evaluation is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A question of a set.
struct Asked {
    question: String,
    /// Of those without an answer, why there is none; `None`: there is one.
    unanswerable: Option<String>,
    /// The chunks that have the answer.
    chunks: Vec<String>,
    /// What a right answer holds one of; empty: the set does not say.
    phrases: Vec<String>,
}

/// What a set came to. Shares are of 1.
struct Figures {
    set: String,
    questions: usize,
    first: f64,
    in_five: f64,
    reciprocal_rank: f64,
    /// `None`: the set has no answers to compare with.
    answered: Option<f64>,
    refused: f64,
    /// Refused of those without an answer, by why.
    rightly: BTreeMap<String, f64>,
}

/// Measures every set of a folder on the embedded store; answers the table.
pub async fn run(program: &Path, data: &Path) -> Result<String> {
    let store = Store::create(program.to_owned(), Engine::Sqlite, "").await?;
    let settings = [("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")];
    let server = Server::start_with(&store, Provider::Extractive, &settings).await?;
    let mut all = Vec::new();
    for (name, folder) in sets::folders(data)? {
        let (bot, asked) = sets::fill(&server, &name, &folder).await?;
        all.push(measure(&server, &bot, name, &asked).await?);
    }
    let site = data.join("site");
    if site.join("questions.jsonl").exists() {
        let (bot, asked) = site::fill(&server, &site).await?;
        all.push(measure(&server, &bot, "site".to_owned(), &asked).await?);
    }
    ensure!(!all.is_empty(), "{} holds no sets", data.display());
    Ok(table(&all)?)
}

async fn measure(server: &Server, bot: &str, set: String, asked: &[Asked]) -> Result<Figures> {
    let by_chunk = |asked: &Asked| json!({ "expected_chunks": asked.chunks });
    let found = evaluate(server, bot, asked, by_chunk).await?;
    let has_phrases = asked.iter().any(|asked| !asked.phrases.is_empty());
    let answered = if has_phrases {
        let by_phrase = |asked: &Asked| json!({ "expected_phrases": asked.phrases });
        let said = evaluate(server, bot, asked, by_phrase).await?;
        said["evaluation"]["score"]["answered_rightly"].as_f64()
    } else {
        None
    };
    let score = |name: &str| {
        found["evaluation"]["score"][name]
            .as_f64()
            .unwrap_or_default()
    };
    let cases = found["cases"].as_array().context("no cases")?;
    let mut reasons: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (asked, case) in asked.iter().zip(cases) {
        if let Some(why) = &asked.unanswerable {
            let (right, of) = reasons.entry(why).or_default();
            *right += usize::from(case["result"]["right"] == true);
            *of += 1;
        }
    }
    let share =
        |(why, (right, of)): (&str, (usize, usize))| (why.to_owned(), right as f64 / of as f64);
    let figures = Figures {
        questions: asked.len(),
        first: score("hit_rate_at_1"),
        in_five: score("hit_rate_at_5"),
        reciprocal_rank: score("mean_reciprocal_rank"),
        answered,
        refused: score("refused_wrongly"),
        rightly: reasons.into_iter().map(share).collect(),
        set,
    };
    eprintln!("eval: {}: {:.3} found first", figures.set, figures.first);
    Ok(figures)
}

/// Puts the questions to the bot by an evaluation, and waits for its end.
async fn evaluate(
    server: &Server,
    bot: &str,
    asked: &[Asked],
    expected: impl Fn(&Asked) -> Value,
) -> Result<Value> {
    let case = |asked: &Asked| {
        let mut case = match asked.unanswerable {
            Some(_) => json!({ "should_not_answer": true }),
            None => expected(asked),
        };
        case["question"] = asked.question.clone().into();
        case
    };
    let cases: Vec<_> = asked.iter().map(case).collect();
    let path = format!("/api/v1/bots/{bot}/evaluations");
    let begun = ask(server, "POST", &path, json!({ "cases": cases })).await?;
    let id = begun["id"].as_str().context("no evaluation was begun")?;
    let path = format!("{path}/{id}");
    loop {
        let now = ask(server, "GET", &path, Value::Null).await?;
        let evaluation = &now["evaluation"];
        if evaluation["status"] != "running" {
            ensure!(evaluation["status"] == "done", "{evaluation}");
            return Ok(now);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks the server; answers the data.
async fn ask(server: &Server, method: &str, path: &str, body: Value) -> Result<Value> {
    let answer = server.ask(method, path, &body).await?;
    let mut answer: Value = serde_json::from_slice(&answer.body)?;
    Ok(answer["data"].take())
}

async fn make_bot(server: &Server, name: &str, language: &str) -> Result<String> {
    let bot = json!({ "name": name, "channel_type": "webchat", "language": language });
    let made = ask(server, "POST", "/api/v1/bots", bot).await?;
    let id = made["id"].as_str().context("no bot was made")?;
    Ok(id.to_owned())
}

/// A source's chunks.
async fn chunks_of(server: &Server, source: &str) -> Result<Vec<Value>> {
    let path = format!("/api/v1/knowledge/sources/{source}");
    let mut found = ask(server, "GET", &path, Value::Null).await?;
    serde_json::from_value(found["chunks"].take()).context("a source without chunks")
}

/// The rows of a file of JSON lines.
fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn table(all: &[Figures]) -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "| set | questions | found first | in five | mean reciprocal rank | answered rightly | answerable refused | refused of those without an answer |\n\
         | --- | --: | --: | --: | --: | --: | --: | --- |\n",
    );
    for figures in all {
        let rightly: Vec<_> = figures
            .rightly
            .iter()
            .map(|(why, share)| format!("{why} {}", share_of(*share)))
            .collect();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            figures.set,
            figures.questions,
            share_of(figures.first),
            share_of(figures.in_five),
            share_of(figures.reciprocal_rank),
            figures.answered.map(share_of).unwrap_or_default(),
            share_of(figures.refused),
            rightly.join(", "),
        )?;
    }
    Ok(out)
}

/// As `.825`.
fn share_of(share: f64) -> String {
    let text = format!("{share:.3}");
    text.strip_prefix('0').unwrap_or(&text).to_owned()
}
