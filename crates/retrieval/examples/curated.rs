//! Measures how often curated pairs win, rightly and wrongly:
//! `BOTWRIGHT_EVAL_DATA=folder cargo run --release -p botwright-retrieval --example curated`.
//!
//! The folder has visitors' messages with what they want (`intents/NAME_train.jsonl`, `_test.jsonl`: `text`,
//! `intent`; `__none__` where nothing fits) and a set as `examples/eval.rs` wants it (`en_squad2`). Messages of the
//! training half become the questions of pairs: one of each intent, in five draws, and then all. Printed are, of
//! the other half, the shares that got a pair of their intent, of another one, and any though nothing fits, and the mean time of a search. Then
//! questions are put to the passages of the set together with pairs on other matters, and with pairs of the
//! questions of the set that have an answer: those that have none win wrongly.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::retrieval::{Shelf, ask, draft, owner};
use domain::knowledge::{KnowledgeIndex, QuestionAnswer};
use domain::retrieval::{Findings, Retriever};
use retrieval::{HybridRetriever, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const NAMES: &[&str] = &[
    "hint3_curekart",
    "hint3_powerplay11",
    "hint3_sofmattress",
    "banking77",
];
const DRAWS: usize = 5;

#[derive(Deserialize)]
struct Message {
    text: String,
    intent: String,
}

#[derive(Deserialize)]
struct Passage {
    text: String,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    #[serde(default)]
    why: String,
}

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let data = std::env::var("BOTWRIGHT_EVAL_DATA")?;
    let data = Path::new(&data);
    let passages: Vec<Passage> = read(&data.join("en_squad2/docs.jsonl"))?;
    let passages: Vec<&str> = passages.iter().map(|passage| &*passage.text).collect();
    let questions: Vec<Question> = read(&data.join("en_squad2/questions.jsonl"))?;
    for name in NAMES {
        let train: Vec<Message> = read(&data.join(format!("intents/{name}_train.jsonl")))?;
        let test: Vec<Message> = read(&data.join(format!("intents/{name}_test.jsonl")))?;
        let train: Vec<&Message> = train.iter().filter(|m| is_intent(&m.intent)).collect();
        let mut counts = Counts::default();
        for draw in 0..DRAWS {
            let pairs = one_of_each(&train, draw);
            counts.add(&pairs, &test).await?;
        }
        counts.print(&format!("{name}, one each"));
        let all: Vec<_> = train.iter().map(|m| (&*m.text, &*m.intent)).collect();
        let mut counts = Counts::default();
        counts.add(&all, &test).await?;
        counts.print(&format!("{name}, all"));
        let knowledge = Knowledge::of(&passages, &all);
        let mut won = 0;
        for question in &questions {
            won += usize::from(knowledge.winner(&question.question).await?.is_some());
        }
        println!("  other matters: {won} of {}", questions.len());
    }
    let answerable = questions.iter().filter(|q| q.why.is_empty());
    let pairs: Vec<_> = answerable.map(|q| (&*q.question, &*q.question)).collect();
    let knowledge = Knowledge::of(&passages, &pairs);
    let mut own = 0;
    for (question, _) in &pairs {
        own += usize::from(knowledge.winner(question).await?.as_deref() == Some(*question));
    }
    println!("asked as it is written: {own} of {}", pairs.len());
    for why in ["absent", "adversarial"] {
        let (mut won, mut all) = (0, 0);
        for question in questions.iter().filter(|q| q.why == why) {
            won += usize::from(knowledge.winner(&question.question).await?.is_some());
            all += 1;
        }
        println!("{why}: {won} of {all}");
    }
    Ok(())
}

fn is_intent(intent: &str) -> bool {
    !matches!(intent, "__none__" | "NO_NODES_DETECTED")
}

fn one_of_each<'m>(train: &[&'m Message], draw: usize) -> Vec<(&'m str, &'m str)> {
    let mut intents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for message in train {
        let texts = intents.entry(&message.intent).or_default();
        texts.push(&message.text);
    }
    let drawn = |(intent, texts): (_, Vec<_>)| (texts[draw * 7 % texts.len()], intent);
    intents.into_iter().map(drawn).collect()
}

struct Knowledge {
    shelf: Arc<Shelf>,
    retriever: HybridRetriever,
}

impl Knowledge {
    /// Pairs of a question and what its answer is to be told by.
    fn of(texts: &[&str], pairs: &[(&str, &str)]) -> Self {
        let shelf = Arc::new(Shelf::default());
        if !texts.is_empty() {
            let drafts = texts.iter().map(|text| draft(text));
            shelf.put(owner(1), "texts", drafts.collect());
        }
        // Sentences that retrieval would not quote together, had the pair not won.
        let answers: Vec<_> = (0..pairs.len())
            .map(|at| format!("{at}. So. It. Is."))
            .collect();
        let questions = pairs.iter().map(|(question, _)| *question);
        let pairs: Vec<_> = questions.zip(answers.iter().map(|a| &**a)).collect();
        shelf.put_pairs(owner(1), "pairs", &pairs);
        let store = Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>;
        Self {
            retriever: HybridRetriever::new(store, Vec::new(), Options::default()),
            shelf,
        }
    }

    /// The question of the pair that wins.
    async fn winner(&self, text: &str) -> Outcome<Option<String>> {
        let query = ask(&self.shelf, text).await;
        let findings = self.retriever.search(&query).await?;
        Ok(winner(&findings))
    }
}

fn winner(findings: &Findings) -> Option<String> {
    let first = findings.hits.first()?;
    let pair = QuestionAnswer::of_chunk(&first.chunk.draft)?;
    (first.quotes[0].text == pair.answer).then_some(pair.question)
}

#[derive(Default)]
struct Counts {
    right: usize,
    wrong: usize,
    asked: usize,
    chance: usize,
    others: usize,
    time: Duration,
}

impl Counts {
    async fn add(&mut self, pairs: &[(&str, &str)], test: &[Message]) -> Outcome {
        let knowledge = Knowledge::of(&[], pairs);
        knowledge.winner("Is it indexed?").await?;
        for message in test {
            let begun = Instant::now();
            let winner = knowledge.winner(&message.text).await?;
            self.time += begun.elapsed();
            let intent = pairs
                .iter()
                .find(|(question, _)| Some(*question) == winner.as_deref());
            let intent = intent.map(|(_, intent)| *intent);
            if is_intent(&message.intent) {
                self.asked += 1;
                self.right += usize::from(intent == Some(&*message.intent));
                self.wrong += usize::from(intent.is_some_and(|intent| intent != message.intent));
            } else {
                self.others += 1;
                self.chance += usize::from(intent.is_some());
            }
        }
        Ok(())
    }

    fn print(&self, name: &str) {
        let share = |of: usize, all: usize| of as f64 / all.max(1) as f64;
        println!(
            "{name:30} right {:.3}, wrong {:.3} of {}; where nothing fits {:.3} of {}; {} us",
            share(self.right, self.asked),
            share(self.wrong, self.asked),
            self.asked,
            share(self.chance, self.others),
            self.others,
            self.time.as_micros() / (self.asked + self.others).max(1) as u128,
        );
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Outcome<Vec<T>> {
    let text = std::fs::read_to_string(path)?;
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    Ok(rows.map(serde_json::from_str).collect::<Result<_, _>>()?)
}
