//! Measures retrieval on sets of passages and questions:
//! `BOTWRIGHT_EVAL_DATA=folder cargo run --release -p botwright-retrieval --example eval [set ...]`.
//!
//! With `BOTWRIGHT_EVAL_VECTORS=folder`, sets that have vectors there are searched by them as well. `SET.bin` holds the
//! number of dimensions (four bytes, little-endian), and then for each text the first 16 bytes of the SHA-256 of the
//! text behind `p:` (a passage) or `q:` (a question) and its vector (four bytes a dimension).
//!
//! A set is a folder with `docs.jsonl` (`id`, `doc`, `title`, `text`, `lang`) and `questions.jsonl` (`id`, `question`,
//! `lang`, `answerable`, `why`, `gold`: passages, `answers`: strings). A row of numbers between spaces is printed for
//! each set and part of it: `all` questions; the half that settings may be `fit` on, and the one that is `held` out (by
//! the hash of their ids); and `each` document as a bot of its own, for small bases. The numbers: recall at 1 and 5 and
//! nDCG at 10 over answerable questions; AUROC of `answerable`; the shares refused of answerable questions, of those
//! about what is `absent` (or in another document), and of `adversarial` ones; the share of questions with a gold
//! answer in the best 60 words of quotes; the AUROCs against absent and adversarial questions alone; and microseconds
//! per search. `-` is what the set can't tell.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use contracts::retrieval::{Shelf, draft, owner};
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, PassageHash, Purpose};
use domain::knowledge::{ChunkDraft, KnowledgeIndex};
use domain::language::Language;
use domain::retrieval::{ANSWERABLE, Findings, Query, Retriever};
use retrieval::{HybridRetriever, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const COLUMNS: [&str; 11] = [
    "R@1", "R@5", "nDCG", "AUROC", "refused", "absent", "advers.", "quoted", "absAUROC",
    "advAUROC", "us",
];
/// How many words an answer made of quotes may have.
const ANSWER_WORDS: usize = 60;

#[derive(Deserialize)]
struct Passage {
    id: String,
    doc: String,
    title: String,
    text: String,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
    lang: String,
    answerable: bool,
    #[serde(default)]
    why: String,
    #[serde(default)]
    gold: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let data = std::env::var("BOTWRIGHT_EVAL_DATA")?;
    let mut sets: Vec<String> = std::env::args().skip(1).collect();
    if sets.is_empty() {
        for entry in std::fs::read_dir(&data)? {
            let entry = entry?;
            if entry.path().join("docs.jsonl").exists() {
                sets.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        sets.sort();
    }
    print!("{:12} {:4}", "set", "part");
    for column in COLUMNS {
        print!(" {column:>8}");
    }
    println!();
    for set in sets {
        measure(&Path::new(&data).join(&set), &set).await?;
    }
    Ok(())
}

async fn measure(folder: &Path, name: &str) -> Outcome {
    let passages: Vec<Passage> = read(&folder.join("docs.jsonl"))?;
    let questions: Vec<Question> = read(&folder.join("questions.jsonl"))?;
    let mut documents: BTreeMap<&str, Vec<&Passage>> = BTreeMap::new();
    for passage in &passages {
        documents.entry(&passage.doc).or_default().push(passage);
    }
    let shelf = Arc::new(Shelf::default());
    let mut passage_at = HashMap::new();
    for (number, passages) in (2..).zip(documents.values()) {
        for bot in [1, number] {
            let drafts: Vec<ChunkDraft> = passages.iter().map(|p| draft(&p.text)).collect();
            let source = shelf.put(owner(bot), &passages[0].title, drafts);
            for (index, passage) in (0_u32..).zip(passages) {
                passage_at.insert((source, index), passage.id.as_str());
            }
        }
    }
    let store = Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>;
    let vectors = std::env::var("BOTWRIGHT_EVAL_VECTORS");
    let vectors = vectors.map(|folder| Path::new(&folder).join(name).with_extension("bin"));
    let mut embedders: Vec<Arc<dyn Embedder>> = Vec::new();
    if let Some(path) = vectors.ok().filter(|path| path.exists()) {
        let recorded = Arc::new(Recorded::read(&path)?);
        for bot in (1..).take(documents.len() + 1) {
            let (tenant, bot_id) = owner(bot);
            for source in shelf.sources(tenant, bot_id).await? {
                shelf.embed(owner(bot), source.id, &*recorded).await;
            }
            shelf.search_by(owner(bot), Some(recorded.model()));
        }
        embedders.push(recorded);
    }
    let retriever = HybridRetriever::new(store, embedders, Options::default());
    let mut whole = Scores::default();
    let mut halves = [Scores::default(), Scores::default()];
    let mut small = Scores::default();
    let mut micros = Vec::new();
    for question in &questions {
        let query = query(&shelf, 1, question).await?;
        retriever.search(&query).await?;
        let begun = Instant::now();
        let findings = retriever.search(&query).await?;
        micros.push(begun.elapsed().as_micros());
        let ranked = findings.hits.iter().map(|hit| {
            let key = (hit.chunk.source_id, hit.chunk.index);
            passage_at.get(&key).copied().unwrap_or_default()
        });
        let ranked: Vec<&str> = ranked.collect();
        whole.add(question, &ranked, &findings);
        halves[half(&question.id)].add(question, &ranked, &findings);
        // The same question to the document that has the answer, and to another one of a similar size.
        let number = (2_u128..).zip(&documents);
        let own = |(_, (_, of)): &(u128, (_, &Vec<&Passage>))| {
            of.iter().any(|p| question.gold.contains(&p.id))
        };
        let bots: Vec<u128> = number.clone().filter(own).map(|(n, _)| n).collect();
        let other = 2 + (question.question.len() as u128 * 7) % documents.len() as u128;
        for (bot, answerable) in bots.iter().map(|b| (*b, true)).chain([(other, false)]) {
            if !answerable && (bots.contains(&bot) || question.why == "adversarial") {
                continue;
            }
            let query = self::query(&shelf, bot, question).await?;
            let asked = Question {
                id: String::new(),
                answerable,
                why: "absent".to_owned(),
                question: String::new(),
                lang: String::new(),
                gold: question.gold.clone(),
                answers: question.answers.clone(),
            };
            let findings = retriever.search(&query).await?;
            let ranked = findings.hits.iter().map(|hit| {
                let key = (hit.chunk.source_id, hit.chunk.index);
                passage_at.get(&key).copied().unwrap_or_default()
            });
            small.add(&asked, &ranked.collect::<Vec<_>>(), &findings);
        }
    }
    micros.sort_unstable();
    whole.print(name, "all", micros.get(micros.len() / 2).copied());
    for (scores, part) in halves.iter().zip(["fit", "held"]) {
        scores.print(name, part, None);
    }
    small.print(name, "each", None);
    Ok(())
}

/// Whether settings may be fit on a question (0), or it is held out (1).
fn half(id: &str) -> usize {
    usize::from(PassageHash::of(id).0[0] % 2)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(path)?;
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    Ok(rows.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// Vectors of texts that a model made before.
struct Recorded(HashMap<PassageHash, Embedding>);

impl Recorded {
    fn read(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(path)?;
        let (dimensions, rows) = bytes.split_first_chunk().ok_or("no dimensions")?;
        let rows = rows.chunks_exact(16 + 4 * u32::from_le_bytes(*dimensions) as usize);
        let read = rows.filter_map(|row| {
            let (hash, vector) = row.split_first_chunk()?;
            let (values, _) = vector.as_chunks();
            let vector: Vec<f32> = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
            Some((PassageHash(*hash), Embedding::of(&vector)?))
        });
        Ok(Self(read.collect()))
    }
}

#[async_trait]
impl Embedder for Recorded {
    fn model(&self) -> &str {
        "recorded"
    }

    async fn embed(
        &self,
        purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError> {
        let kind = match purpose {
            Purpose::Passage => "p:",
            Purpose::Query => "q:",
        };
        let found = texts.iter().map(|text| {
            let hash = PassageHash::of(&format!("{kind}{text}"));
            self.0.get(&hash).cloned()
        });
        let found: Option<Vec<_>> = found.collect();
        found.ok_or_else(|| ProviderError::BadAnswer("not recorded".to_owned()))
    }
}

async fn query(shelf: &Shelf, bot: u128, question: &Question) -> domain::Result<Query> {
    let (tenant_id, bot_id) = owner(bot);
    Ok(Query {
        tenant_id,
        bot_id,
        knowledge: shelf.state(tenant_id, bot_id).await?.unwrap_or_default(),
        language: Language::parse(&question.lang).unwrap_or(Language::En),
        text: question.question.clone(),
        history: Vec::new(),
        limit: 10,
    })
}

#[derive(Default)]
struct Scores {
    recall_1: Vec<f64>,
    recall_5: Vec<f64>,
    ndcg: Vec<f64>,
    quoted: Vec<f64>,
    sure_right: Vec<f32>,
    sure_wrong: BTreeMap<String, Vec<f32>>,
}

impl Scores {
    fn add(&mut self, question: &Question, ranked: &[&str], findings: &Findings) {
        if !question.answerable {
            let wrong = self.sure_wrong.entry(question.why.clone()).or_default();
            wrong.push(findings.answerable);
            return;
        }
        self.sure_right.push(findings.answerable);
        let is_gold = |id: &&str| question.gold.iter().any(|gold| gold == id);
        let gold = question.gold.len().max(1) as f64;
        let recall =
            |k: usize| ranked.iter().take(k).filter(|id| is_gold(id)).count() as f64 / gold;
        self.recall_1.push(recall(1));
        self.recall_5.push(recall(5));
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let found = ranked
            .iter()
            .take(10)
            .enumerate()
            .filter(|(_, id)| is_gold(id));
        let ideal: f64 = (0..question.gold.len().min(10)).map(gain).sum();
        self.ndcg
            .push(found.map(|(place, _)| gain(place)).sum::<f64>() / ideal.max(1e-9));
        if !question.answers.is_empty() {
            let said = words(&best_quotes(findings));
            let holds = |answer: &String| said.contains(&words(answer));
            self.quoted
                .push(f64::from(question.answers.iter().any(holds)));
        }
    }

    fn print(&self, name: &str, part: &str, micros: Option<u128>) {
        let mean = |values: &[f64]| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let refused = |sure: &[f32]| {
            let refused: Vec<_> = sure.iter().map(|s| f64::from(*s < ANSWERABLE)).collect();
            mean(&refused)
        };
        let area = |sure: &[f32]| (!sure.is_empty()).then(|| auroc(&self.sure_right, sure));
        let wrong: Vec<f32> = self.sure_wrong.values().flatten().copied().collect();
        let of = |why: &str| self.sure_wrong.get(why).map_or(&[][..], Vec::as_slice);
        let (absent, adversarial) = (of("absent"), of("adversarial"));
        print!("{name:12} {part:4}");
        for number in [
            mean(&self.recall_1),
            mean(&self.recall_5),
            mean(&self.ndcg),
            area(&wrong),
            refused(&self.sure_right),
            refused(absent),
            refused(adversarial),
            mean(&self.quoted),
            area(absent),
            area(adversarial),
        ] {
            match number {
                Some(number) => print!(" {number:8.3}"),
                None => print!(" {:>8}", "-"),
            }
        }
        match micros {
            Some(micros) => println!(" {micros:8}"),
            None => println!(" {:>8}", "-"),
        }
    }
}

fn auroc(right: &[f32], wrong: &[f32]) -> f64 {
    let pairs = right.iter().flat_map(|r| wrong.iter().map(move |w| (r, w)));
    let won = pairs.map(|(r, w)| {
        if r > w {
            1.0
        } else if r < w {
            0.0
        } else {
            0.5
        }
    });
    won.sum::<f64>() / (right.len() * wrong.len()).max(1) as f64
}

fn best_quotes(findings: &Findings) -> String {
    let mut quotes: Vec<_> = findings.hits.iter().flat_map(|hit| &hit.quotes).collect();
    quotes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let words = quotes
        .iter()
        .flat_map(|quote| quote.text.split_whitespace());
    words.take(ANSWER_WORDS).collect::<Vec<_>>().join(" ")
}

/// Lower-case words between spaces, so that an answer is looked for as whole words.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}
