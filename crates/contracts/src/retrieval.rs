//! What every retriever promises, over any store of knowledge.
//!
//! An adapter's tests call [`retriever_contract!`](crate::retriever_contract) with a function that opens a
//! retriever over a store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::knowledge::{Chunk, ChunkDraft, IndexedSource, KnowledgeIndex};
use domain::language::Language;
use domain::messages::Author;
use domain::messages::Utterance;
use domain::retrieval::{ANSWERABLE, Findings, Query, Retriever};
use domain::{BotId, ChunkId, Result, SourceId, TenantId, Timestamp};
use uuid::Uuid;

/// One test per promise of [`Retriever`]. `open` is a `fn(Arc<dyn KnowledgeIndex>) -> impl Retriever`.
#[macro_export]
macro_rules! retriever_contract {
    ($open:expr) => {
        $crate::retriever_contract!($open;
            finds_by_stem_in_every_language, finds_codes_prices_and_addresses,
            finds_by_heading_and_by_the_name_of_the_source, finds_what_was_added_at_once,
            never_finds_what_was_deleted, keeps_tenants_and_bots_apart,
            finds_nothing_where_nothing_is_in_common, keeps_to_the_limit, ranks_the_best_first,
            ranks_the_same_every_time, quotes_the_chunk, quotes_answers_and_rows_with_what_they_are_about,
            follows_up_on_the_question_before, tells_answers_from_chance, survives_hostile_input);
    };
    ($open:expr; $($clause:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $clause() {
            $crate::retrieval::$clause(&|store| Box::new($open(store))).await;
        }
    )+};
}

/// Opens the retriever under test over a store.
pub type Open<'a> = &'a (dyn Fn(Arc<dyn KnowledgeIndex>) -> Box<dyn Retriever> + Sync);

/// A store of knowledge in memory, which counts how often it is asked.
#[derive(Default)]
pub struct Shelf {
    kept: Mutex<Kept>,
    made: AtomicUsize,
    /// Calls of `sources`.
    pub sources_calls: AtomicUsize,
    /// Calls of `chunks_of`.
    pub chunks_of_calls: AtomicUsize,
    /// Calls of `chunks`.
    pub chunks_calls: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    bots: HashMap<(TenantId, BotId), Bot>,
    chunks: HashMap<(TenantId, ChunkId), Chunk>,
}

#[derive(Default)]
struct Bot {
    version: i64,
    sources: Vec<IndexedSource>,
}

impl Shelf {
    /// Keeps a source and raises the version of the bot's knowledge.
    pub fn put(&self, owner: (TenantId, BotId), name: &str, drafts: Vec<ChunkDraft>) -> SourceId {
        let mut kept = self.kept.lock().unwrap();
        let id = SourceId(self.next_id());
        for (draft, index) in drafts.into_iter().zip(0..) {
            let chunk = Chunk {
                id: ChunkId(self.next_id()),
                source_id: id,
                index,
                draft,
                created_at: Timestamp::UNIX_EPOCH,
            };
            kept.chunks.insert((owner.0, chunk.id), chunk);
        }
        let bot = kept.bots.entry(owner).or_default();
        bot.version += 1;
        bot.sources.push(IndexedSource {
            id,
            name: name.to_owned(),
            revision: bot.version,
        });
        id
    }

    /// Deletes a source and raises the version of the bot's knowledge.
    pub fn remove(&self, owner: (TenantId, BotId), id: SourceId) {
        let mut kept = self.kept.lock().unwrap();
        kept.chunks.retain(|_, chunk| chunk.source_id != id);
        let bot = kept.bots.entry(owner).or_default();
        bot.version += 1;
        bot.sources.retain(|source| source.id != id);
    }

    fn next_id(&self) -> Uuid {
        Uuid::from_u128(1 + self.made.fetch_add(1, Ordering::Relaxed) as u128)
    }
}

#[async_trait]
impl KnowledgeIndex for Shelf {
    async fn version(&self, tenant: TenantId, bot: BotId) -> Result<Option<i64>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.bots.get(&(tenant, bot)).map(|bot| bot.version))
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        self.sources_calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let kept = self.kept.lock().unwrap();
        let bot = kept.bots.get(&(tenant, bot));
        Ok(bot.map(|bot| bot.sources.clone()).unwrap_or_default())
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        self.chunks_of_calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let kept = self.kept.lock().unwrap();
        // Chunks are given their ids just after their source, and in order.
        let ids = (source.0.as_u128() + 1..).map(|id| ChunkId(Uuid::from_u128(id)));
        let chunks = ids.map_while(|id| kept.chunks.get(&(tenant, id)));
        Ok(chunks
            .take_while(|c| c.source_id == source)
            .cloned()
            .collect())
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        self.chunks_calls.fetch_add(1, Ordering::Relaxed);
        let kept = self.kept.lock().unwrap();
        // The port promises no order.
        let found = ids
            .iter()
            .rev()
            .filter_map(|id| kept.chunks.get(&(tenant, *id)));
        Ok(found.cloned().collect())
    }
}

/// An owner of knowledge.
pub fn owner(number: u128) -> (TenantId, BotId) {
    (
        TenantId(Uuid::from_u128(number << 64)),
        BotId(Uuid::from_u128((number << 64) + 1)),
    )
}

/// A chunk of these words.
pub fn draft(content: &str) -> ChunkDraft {
    ChunkDraft {
        content: content.to_owned(),
        ..ChunkDraft::default()
    }
}

/// A question in English to the bot of [`owner`]`(1)`, at the newest version of its knowledge.
pub async fn ask(shelf: &Shelf, text: &str) -> Query {
    ask_of(shelf, owner(1), text).await
}

async fn ask_of(shelf: &Shelf, (tenant_id, bot_id): (TenantId, BotId), text: &str) -> Query {
    let version = shelf.version(tenant_id, bot_id).await.unwrap();
    Query {
        tenant_id,
        bot_id,
        knowledge_version: version.unwrap_or_default(),
        language: Language::En,
        text: text.to_owned(),
        history: Vec::new(),
        limit: 10,
    }
}

/// A small shop's knowledge, as the tests of answerability and quotes need it.
pub fn shop() -> Vec<ChunkDraft> {
    [
        "We are open Monday to Friday, 9 am to 6 pm. On Saturdays we close at noon.",
        "You can return any item within 30 days of delivery. Refunds are paid to the original card.",
        "Standard shipping costs $4.99 and takes three to five days. Express shipping costs $12.50.",
        "Write to help@shop.example or call 555-0134 to reach our customer support.",
        "The RX-200 lamp comes in black and white and has a warranty of two years.",
        "Gift cards are sold for $25, $50 and $100 and never expire.",
        "We ship to all countries of Europe and to Canada.",
        "Our store is at 12 Market Street, next to the town hall.",
    ]
    .map(draft)
    .into()
}

struct Bench {
    shelf: Arc<Shelf>,
    retriever: Box<dyn Retriever>,
}

impl Bench {
    fn new(open: Open<'_>) -> Self {
        let shelf = Arc::new(Shelf::default());
        Self {
            retriever: open(Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>),
            shelf,
        }
    }

    fn with(open: Open<'_>, drafts: Vec<ChunkDraft>) -> Self {
        let bench = Self::new(open);
        bench.shelf.put(owner(1), "notes", drafts);
        bench
    }

    async fn search(&self, text: &str) -> Findings {
        let query = ask(&self.shelf, text).await;
        self.retriever.search(&query).await.unwrap()
    }
}

fn contents(findings: &Findings) -> Vec<&str> {
    let contents = findings.hits.iter();
    contents.map(|h| h.chunk.draft.content.as_str()).collect()
}

/// Another form of a word finds it.
pub async fn finds_by_stem_in_every_language(open: Open<'_>) {
    for (language, content, question) in [
        (
            Language::En,
            "Shipping takes two days.",
            "Has my parcel shipped?",
        ),
        (
            Language::Es,
            "Las devoluciones son gratuitas.",
            "¿Puedo hacer una devolucion?",
        ),
        (
            Language::Fr,
            "L'adresse de la boutique : Paris.",
            "Quelles adresses ?",
        ),
        (
            Language::De,
            "Die Öffnungszeiten sind neun bis achtzehn Uhr.",
            "Welche Öffnungszeit gilt?",
        ),
        (
            Language::It,
            "Le prenotazioni si fanno online.",
            "Come faccio la prenotazione?",
        ),
        (
            Language::Pt,
            "As entregas são grátis.",
            "Quanto custa a entrega?",
        ),
    ] {
        let bench = Bench::with(open, vec![draft(content), draft("Xylophon 42.")]);
        let mut query = ask(&bench.shelf, question).await;
        query.language = language;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(contents(&findings), [content], "{language}");
    }
}

/// Codes, prices and addresses are words too.
pub async fn finds_codes_prices_and_addresses(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for (question, word) in [
        ("rx200", "RX-200"),
        ("RX 200", "RX-200"),
        ("what costs 12,50", "12.50"),
        ("help@shop.example", "help@shop.example"),
        ("who has 555-0134", "555-0134"),
    ] {
        let findings = bench.search(question).await;
        let first = findings.hits.first().expect(question);
        assert!(first.chunk.draft.content.contains(word), "{question}");
    }
}

/// The headings above a chunk and the name of its source count.
pub async fn finds_by_heading_and_by_the_name_of_the_source(open: Open<'_>) {
    let bench = Bench::new(open);
    let headed = ChunkDraft {
        heading: Some("Handbook > Parking".to_owned()),
        ..draft("Behind the house, free of charge.")
    };
    bench.shelf.put(
        owner(1),
        "visitors",
        vec![headed, draft("By train, then on foot.")],
    );
    bench
        .shelf
        .put(owner(1), "kitchen.md", vec![draft("Open at noon.")]);
    let parking = bench.search("Is there parking?").await;
    assert_eq!(contents(&parking), ["Behind the house, free of charge."]);
    assert!(!parking.hits[0].quotes.is_empty());
    let kitchen = bench.search("kitchen").await;
    assert_eq!(contents(&kitchen), ["Open at noon."]);
    assert_eq!(kitchen.hits[0].source_name, "kitchen.md");
    assert!(!kitchen.hits[0].quotes.is_empty());
}

/// What was added is found by the next search.
pub async fn finds_what_was_added_at_once(open: Open<'_>) {
    let bench = Bench::new(open);
    assert!(bench.search("giraffes").await.hits.is_empty());
    for number in 0..3 {
        bench.shelf.put(
            owner(1),
            "zoo",
            vec![draft(&format!("Giraffes eat leaf {number}."))],
        );
        assert_eq!(bench.search("giraffe").await.hits.len(), number + 1);
    }
}

/// What was deleted is found no more, whatever version of the knowledge the caller read before.
pub async fn never_finds_what_was_deleted(open: Open<'_>) {
    let bench = Bench::new(open);
    let gone = bench.shelf.put(owner(1), "a", vec![draft("Zebras run.")]);
    bench.shelf.put(owner(1), "b", vec![draft("Zebras sleep.")]);
    let before = ask(&bench.shelf, "zebras").await;
    assert_eq!(bench.retriever.search(&before).await.unwrap().hits.len(), 2);
    bench.shelf.remove(owner(1), gone);
    let late = bench.retriever.search(&before).await.unwrap();
    assert_eq!(contents(&late), ["Zebras sleep."]);
    assert_eq!(contents(&bench.search("zebras").await), ["Zebras sleep."]);
}

/// Nobody finds what is another tenant's or another bot's.
pub async fn keeps_tenants_and_bots_apart(open: Open<'_>) {
    let bench = Bench::with(open, vec![draft("The secret is blue.")]);
    let (tenant, bot) = owner(1);
    let (stranger, other_bot) = owner(2);
    bench.shelf.put(
        (tenant, other_bot),
        "other bot",
        vec![draft("The secret is red.")],
    );
    bench.shelf.put(
        (stranger, bot),
        "stranger",
        vec![draft("The secret is green.")],
    );
    for (owner, content) in [
        ((tenant, bot), Some("The secret is blue.")),
        ((tenant, other_bot), Some("The secret is red.")),
        ((stranger, bot), Some("The secret is green.")),
        ((stranger, other_bot), None),
    ] {
        let query = ask_of(&bench.shelf, owner, "secret").await;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(contents(&findings), Vec::from_iter(content));
    }
}

/// Without a word in common, or without a word to look for, nothing is found, and it says so.
pub async fn finds_nothing_where_nothing_is_in_common(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for text in [
        "quantum chromodynamics",
        "hi",
        "?",
        "",
        "what is the",
        "\u{1f600}",
    ] {
        let findings = bench.search(text).await;
        assert!(findings.hits.is_empty(), "{text}");
        assert!(findings.answerable.abs() < f32::EPSILON, "{text}");
    }
    let empty = Bench::new(open).search("anything").await;
    assert!(empty.hits.is_empty() && empty.answerable.abs() < f32::EPSILON);
}

/// No more hits than asked for, and as many where there are.
pub async fn keeps_to_the_limit(open: Open<'_>) {
    let drafts = (0..60).map(|n| draft(&format!("Lamp number {n} shines.")));
    let bench = Bench::with(open, drafts.collect());
    for limit in [0, 1, 7, 50, usize::MAX] {
        let mut query = ask(&bench.shelf, "lamps").await;
        query.limit = limit;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(findings.hits.len(), limit.min(60));
    }
}

/// The best is first, and a chunk that says the same again is left out.
pub async fn ranks_the_best_first(open: Open<'_>) {
    let mut drafts = shop();
    drafts.push(draft("**Standard shipping** costs $4.99 and takes three to five days. Express shipping costs $12.50."));
    let bench = Bench::with(open, drafts);
    let findings = bench.search("How much does express shipping cost?").await;
    assert!(findings.hits[0].chunk.draft.content.contains("$12.50"));
    let scores: Vec<f32> = findings.hits.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let same = contents(&findings);
    assert_eq!(same.iter().filter(|c| c.contains("$12.50")).count(), 1);
}

/// The same question to the same knowledge has the same answer, also from a retriever just opened.
pub async fn ranks_the_same_every_time(open: Open<'_>) {
    let first = Bench::with(open, shop());
    let again = open(Arc::clone(&first.shelf) as Arc<dyn KnowledgeIndex>);
    let query = ask(
        &first.shelf,
        "Do you ship the white lamp to Europe in 30 days?",
    )
    .await;
    let one = first.retriever.search(&query).await.unwrap();
    assert!(one.hits.len() > 2);
    for retriever in [&first.retriever, &again] {
        let other = retriever.search(&query).await.unwrap();
        assert_eq!(contents(&one), contents(&other));
        assert_eq!(one.answerable.to_bits(), other.answerable.to_bits());
        for (a, b) in one.hits.iter().zip(&other.hits) {
            assert_eq!(
                (a.score.to_bits(), &a.quotes),
                (b.score.to_bits(), &b.quotes)
            );
        }
    }
}

/// Quotes are words of the chunk in its order, without markup, and the best one fits the question.
pub async fn quotes_the_chunk(open: Open<'_>) {
    let mut drafts = shop();
    drafts.push(draft(
        "## Care\n\nWipe the **glass** with a _soft_ [cloth](https://x.example). Never use acid.",
    ));
    let bench = Bench::with(open, drafts);
    let findings = bench.search("With what do I wipe the glass?").await;
    let quotes = &findings.hits[0].quotes;
    assert_eq!(quotes[0].text, "Wipe the glass with a soft cloth.");
    let findings = bench.search("When do you close on Saturdays?").await;
    let best = findings.hits.iter().flat_map(|hit| &hit.quotes);
    let best = best.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap();
    assert_eq!(best.text, "On Saturdays we close at noon.");
    for hit in &findings.hits {
        let mut rest = hit.chunk.draft.content.as_str();
        for quote in &hit.quotes {
            let at = rest
                .find(&quote.text)
                .expect("a quote stands in its chunk, after the one before");
            rest = &rest[at + quote.text.len()..];
        }
    }
}

/// A question's answer is quoted rather than the question, a row with its header.
pub async fn quotes_answers_and_rows_with_what_they_are_about(open: Open<'_>) {
    let bench = Bench::with(
        open,
        vec![
            draft(
                "Q: Can I pay by invoice?\nA: Yes, within fourteen days.\n\nQ: Do you wrap presents?\nA: We do, for two dollars.",
            ),
            draft("| Plan | Price |\n|---|---|\n| Basic | $5 |\n| Team | $20 |"),
        ],
    );
    let best = |findings: Findings| {
        let quotes = findings.hits.into_iter().flat_map(|hit| hit.quotes);
        quotes
            .max_by(|a, b| a.score.total_cmp(&b.score))
            .unwrap()
            .text
    };
    let invoice = best(bench.search("Is it possible to pay by invoice?").await);
    assert_eq!(invoice, "Yes, within fourteen days.");
    let price = best(bench.search("What is the price of the Team plan?").await);
    assert_eq!(price, "Plan: Team, Price: $20");
}

/// A question without words of its own is understood from the one before.
pub async fn follows_up_on_the_question_before(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    let mut query = ask(&bench.shelf, "And how much is that?").await;
    assert!(
        bench
            .retriever
            .search(&query)
            .await
            .unwrap()
            .hits
            .is_empty()
    );
    let said = |author, text: &str| Utterance {
        author,
        text: text.to_owned(),
    };
    query.history = vec![
        said(Author::User, "Do you sell gift cards?"),
        said(Author::Bot, "Yes, at 12 Market Street."),
    ];
    let findings = bench.retriever.search(&query).await.unwrap();
    assert!(findings.hits[0].chunk.draft.content.contains("Gift cards"));
    // Its own words count more.
    query.text = "And the lamp?".to_owned();
    let findings = bench.retriever.search(&query).await.unwrap();
    assert!(findings.hits[0].chunk.draft.content.contains("lamp"));
}

/// In a base of a few chunks, too, what is answered is told from what merely shares a word.
pub async fn tells_answers_from_chance(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for question in [
        "When are you open?",
        "Can I return an item?",
        "How much is standard shipping?",
        "How long is the warranty of the RX-200?",
        "Do gift cards expire?",
        "How do I reach customer support?",
    ] {
        let sure = bench.search(question).await.answerable;
        assert!((ANSWERABLE..=1.0).contains(&sure), "{question} {sure}");
    }
    for question in [
        "Who won the world cup 1998?",
        "What is the capital of Australia?",
        "How do I bake bread with white flour?",
        "Write me a poem about the sea and the town of my youth",
    ] {
        let sure = bench.search(question).await.answerable;
        assert!((0.0..ANSWERABLE).contains(&sure), "{question} {sure}");
    }
}

/// Whatever stands in questions and chunks, there is an answer.
pub async fn survives_hostile_input(open: Open<'_>) {
    let texts = [
        "\0",
        "|",
        "| |",
        "#",
        "######",
        "```",
        "Q:",
        "Q: ? A:",
        "| a |\n|---|",
        "-",
        "1.",
        "[](",
        "&#0;",
        "\u{202e}right to left\u{202c}",
        "e\u{301}\u{301}\u{301}",
        "İ",
        "ﬃ",
        "\u{1f468}\u{200d}\u{1f469}",
        "كتاب",
        "日本語の文章です。",
        "a\u{0}b",
        "'",
        "''''",
        "l'",
        "-1,.5",
        "1.1.1.1",
        "….…",
        "\r\n\r\r",
    ];
    let long = "word ".repeat(20_000);
    let unbroken = "x".repeat(100_000);
    let deep = "> ".repeat(5_000) + "*[".repeat(5_000).as_str();
    let texts: Vec<&str> = texts
        .into_iter()
        .chain([&*long, &*unbroken, &*deep])
        .collect();
    let drafts = texts.iter().map(|text| ChunkDraft {
        heading: Some((*text).to_owned()),
        ..draft(text)
    });
    let bench = Bench::with(open, drafts.collect());
    for language in Language::ALL {
        for text in &texts {
            let mut query = ask(&bench.shelf, text).await;
            query.language = *language;
            let findings = bench.retriever.search(&query).await.unwrap();
            assert!((0.0..=1.0).contains(&findings.answerable));
            assert!(findings.hits.iter().all(|hit| hit.score.is_finite()));
            let first = findings.hits.first();
            assert!(first.is_none_or(|hit| !hit.quotes.is_empty()));
        }
    }
}
