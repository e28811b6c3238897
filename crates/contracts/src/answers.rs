//! The promises of [`AnswerModel`], and questions to ask in tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::answers::{Answer, AnswerModel, AnswerSink, Question};
use domain::knowledge::{Chunk, ChunkDraft};
use domain::language::Language;
use domain::retrieval::{Findings, Hit, Quote};
use uuid::Uuid;

/// Makes one test per promise of [`AnswerModel`]. `$open` is the path of an `async fn() -> (M, G)` that gives
/// a model, and what must live as long as it (`()` where there is nothing). The model must answer every
/// question with words of the question or of its findings.
#[macro_export]
macro_rules! answer_model_contract {
    ($open:path) => {
        $crate::answer_model_contract!(@ $open:
            joined_pieces_are_the_text,
            an_answer_is_never_empty,
            an_answer_names_its_provider,
            used_hits_are_hits_of_the_question,
            dropping_the_future_stops_the_work,
            questions_asked_at_once_do_not_mix,
        );
    };
    (@ $open:path: $($promise:ident,)+) => {$(
        #[tokio::test]
        async fn $promise() {
            let (model, _guard) = $open().await;
            $crate::answers::$promise(std::sync::Arc::new(model)).await;
        }
    )+};
}

/// A question in English, with nothing found.
pub fn question(text: &str) -> Question {
    Question {
        system_prompt: "You are Ada, an assistant who answers visitors' questions.".into(),
        language: Language::En,
        welcome_message: None,
        history: Vec::new(),
        text: text.into(),
        findings: Findings::default(),
    }
}

/// A question whose answer was found in one hit.
pub fn answerable(text: &str, quotes: &[(&str, f32)]) -> Question {
    let mut asked = question(text);
    asked.findings = Findings {
        answerable: 0.9,
        hits: vec![hit(
            &quotes.iter().map(|q| q.0).collect::<Vec<_>>().join(" "),
            quotes,
        )],
        embedded: false,
    };
    asked
}

/// A hit with these words and quotes (each with its score).
pub fn hit(content: &str, quotes: &[(&str, f32)]) -> Hit {
    Hit {
        chunk: Chunk {
            id: Uuid::nil().into(),
            source_id: Uuid::nil().into(),
            index: 0,
            draft: ChunkDraft {
                content: content.into(),
                ..ChunkDraft::default()
            },
            created_at: domain::Timestamp::UNIX_EPOCH,
        },
        source_name: "Handbook".into(),
        score: quotes.iter().map(|q| q.1).fold(0.0, f32::max),
        quotes: quotes
            .iter()
            .map(|&(text, score)| Quote {
                text: text.into(),
                score,
            })
            .collect(),
    }
}

/// A sink that keeps the pieces.
#[derive(Debug, Default)]
pub struct Pieces(pub Vec<String>);

#[async_trait]
impl AnswerSink for Pieces {
    async fn piece(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

/// A sink whose taker never comes back.
struct Stuck;

#[async_trait]
impl AnswerSink for Stuck {
    async fn piece(&mut self, _text: &str) {
        std::future::pending().await
    }
}

async fn ask(model: &impl AnswerModel, asked: &Question) -> (Answer, Pieces) {
    let mut pieces = Pieces::default();
    let answer = model.answer(asked, &mut pieces).await.expect("an answer");
    (answer, pieces)
}

/// Questions of every kind: with and without findings, greetings, other scripts, next to no words.
fn samples() -> Vec<Question> {
    let mut all = vec![
        answerable(
            "When are you open?",
            &[("We open at nine.", 0.9), ("We close at six.", 0.8)],
        ),
        question("What is the weight of the moon?"),
        question("Hello!"),
        question("?"),
        question("営業時間は？ 👋🏽"),
    ];
    let mut without_quotes = answerable("When?", &[]);
    without_quotes.findings.hits[0].chunk.draft.content = "At nine.".into();
    all.push(without_quotes);
    let mut blank = answerable("When?", &[(" ", 0.9)]);
    blank.welcome_message = Some(String::new());
    all.push(blank);
    all
}

/// "The answer's text is the pieces joined."
pub async fn joined_pieces_are_the_text(model: Arc<impl AnswerModel>) {
    for asked in samples() {
        let (answer, pieces) = ask(&*model, &asked).await;
        assert_eq!(answer.text, pieces.0.concat(), "asked: {}", asked.text);
    }
}

/// "... and never empty."
pub async fn an_answer_is_never_empty(model: Arc<impl AnswerModel>) {
    for asked in samples() {
        let (answer, _) = ask(&*model, &asked).await;
        assert!(!answer.text.trim().is_empty(), "asked: {}", asked.text);
    }
}

/// [`Answer::provider`] is the name that the provider goes by.
pub async fn an_answer_names_its_provider(model: Arc<impl AnswerModel>) {
    let (answer, _) = ask(&*model, &question("Who are you?")).await;
    assert_eq!(answer.provider, model.provider());
}

/// [`Answer::used_hits`] are indexes into the question's hits, each once.
pub async fn used_hits_are_hits_of_the_question(model: Arc<impl AnswerModel>) {
    for asked in samples() {
        let (answer, _) = ask(&*model, &asked).await;
        let mut used = answer.used_hits.clone();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), answer.used_hits.len());
        assert!(used.iter().all(|&index| index < asked.findings.hits.len()));
    }
    let (answer, _) = ask(&*model, &samples()[0]).await;
    assert_eq!(
        answer.used_hits,
        [0],
        "the hit that holds the answer is named"
    );
}

/// "Dropping the future stops the work", and leaves nothing behind that the next question would meet.
pub async fn dropping_the_future_stops_the_work(model: Arc<impl AnswerModel>) {
    let asked = &samples()[0];
    for _ in 0..10 {
        let mut sink = Stuck;
        let work = model.answer(asked, &mut sink);
        let ended = tokio::time::timeout(Duration::from_millis(20), work).await;
        assert!(ended.is_err(), "the sink never comes back");
    }
    let (answer, _) = ask(&*model, asked).await;
    assert!(!answer.text.is_empty());
}

/// Twenty questions at once each get their own answer.
pub async fn questions_asked_at_once_do_not_mix(model: Arc<impl AnswerModel + 'static>) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let model = model.clone();
        tasks.spawn(async move {
            let marker = format!("number-{n}-of-twenty");
            let asked = answerable(
                &format!("What is {marker}?"),
                &[(&format!("It is {marker}."), 0.9)],
            );
            let (answer, pieces) = ask(&*model, &asked).await;
            assert!(answer.text.contains(&marker), "{} for {n}", answer.text);
            assert_eq!(answer.text, pieces.0.concat());
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("a question failed");
    }
}
