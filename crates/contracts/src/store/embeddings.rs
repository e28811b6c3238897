//! Promises of [`domain::embeddings::Embeddings`].

use domain::bots::Bot;
use domain::embeddings::{Embedding, EmbeddingRun, EmbeddingState, PassageHash, passage};
use domain::jobs::JobKind;
use domain::knowledge::{IndexedSource, KnowledgeState, SourceContent};
use domain::{SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, bot, content, new_source, no_bot, read, source, tenant, tenant_with_bot, upload,
};
use super::jobs::lease;

/// A model.
pub const MODEL: &str = "openai:one";
const OTHER: &str = "openai:two";
const EMBED: &[JobKind] = &[JobKind::EmbedSource];

async fn begun(s: &Ports, tenant: TenantId, source: SourceId, model: &str) -> EmbeddingRun {
    let run = s.embeddings.begin(tenant, source, model).await.unwrap();
    run.expect("the source is ready")
}

/// Embeds a source by a model, as its job would. Answers how many passages were not there yet.
pub async fn embed(s: &Ports, tenant: TenantId, source: SourceId, model: &str) -> usize {
    let run = begun(s, tenant, source, model).await;
    let (mut index, mut made) = (0, 0);
    loop {
        let chunks = s.embeddings.chunks_from(&run, index, 2).await.unwrap();
        if chunks.is_empty() {
            break;
        }
        index += chunks.len() as u32;
        let passages: Vec<_> = chunks.iter().map(passage).collect();
        let hashes: Vec<_> = passages.iter().map(|p| PassageHash::of(p)).collect();
        let known = s.embeddings.reuse(&run, &hashes).await.unwrap();
        let new = hashes.into_iter().filter(|hash| !known.contains(hash));
        let new: Vec<_> = new.map(|hash| (hash, vector(hash.0[0]))).collect();
        made += new.len();
        assert!(s.embeddings.keep(&run, &new, index).await.unwrap());
    }
    assert!(s.embeddings.finish(&run, true).await.unwrap());
    made
}

fn vector(first: u8) -> Embedding {
    Embedding::of(&[f32::from(first), 1.0, 2.0]).unwrap()
}

async fn state(s: &Ports, bot: &Bot) -> EmbeddingState {
    s.embeddings
        .state(bot.tenant_id, bot.id)
        .await
        .unwrap()
        .unwrap()
}

async fn knowledge(s: &Ports, bot: &Bot) -> KnowledgeState {
    s.index.state(bot.tenant_id, bot.id).await.unwrap().unwrap()
}

async fn indexed(s: &Ports, bot: &Bot, source: SourceId) -> IndexedSource {
    let sources = s.index.sources(bot.tenant_id, bot.id).await.unwrap();
    sources
        .into_iter()
        .find(|found| found.id == source)
        .unwrap()
}

async fn made(s: &Ports, tenant: TenantId, source: SourceId, model: &str) -> usize {
    let found = s.index.embeddings_of(tenant, source, model).await;
    found.unwrap().len()
}

async fn sweep(s: &Ports, tenant: TenantId, source: SourceId) {
    while s.knowledge.sweep(tenant, source).await.unwrap() {}
}

/// What is to be embedded waits as a job from the moment that it can be answered from, and not before; a new reading
/// begins the job anew.
pub async fn what_can_be_answered_from_waits_to_be_embedded(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let text = source(s, &bot).await;
    let job = lease(s, EMBED, 1).await.unwrap();
    assert_eq!((job.tenant_id, job.source()), (tenant, text));
    s.jobs.complete(&job, None).await.unwrap();
    let file = upload(s, &bot, NOON).await;
    assert_eq!(lease(s, EMBED, 1).await, None);
    assert_eq!(s.embeddings.begin(tenant, file, MODEL).await.unwrap(), None);
    assert!(read(s, tenant, file, &content(2), after(1)).await);
    let job = lease(s, EMBED, 2).await.unwrap();
    assert!(read(s, tenant, file, &content(2), after(2)).await);
    s.jobs.complete(&job, None).await.unwrap();
    assert!(lease(s, EMBED, 3).await.is_some(), "the second reading");
}

/// A source that a model has embedded is found by its vectors, by the bot's model only.
pub async fn embeddings_are_found_by_source_and_model(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let one = source(s, &bot).await;
    assert_eq!(knowledge(s, &bot).await.embedding_model, None);
    assert_eq!(indexed(s, &bot, one).await.embedded, 0);
    let before = knowledge(s, &bot).await.version;
    assert_eq!(embed(s, tenant, one, MODEL).await, 3);
    let now = knowledge(s, &bot).await;
    assert_eq!(now.embedding_model.as_deref(), Some(MODEL));
    assert!(now.version > before);
    assert_ne!(indexed(s, &bot, one).await.embedded, 0);
    let chunks = s.index.chunks_of(tenant, one).await.unwrap();
    let mut wanted: Vec<_> = chunks
        .iter()
        .map(|chunk| PassageHash::of(&passage(&chunk.draft)))
        .map(|hash| (hash, vector(hash.0[0])))
        .collect();
    let found = s.index.embeddings_of(tenant, one, MODEL).await;
    let mut found = found.unwrap();
    wanted.sort_by_key(|(hash, _)| *hash);
    found.sort_by_key(|(hash, _)| *hash);
    assert_eq!(found, wanted);
    assert_eq!(made(s, tenant, one, OTHER).await, 0);
}

/// The same words are embedded once, in whichever source of the tenant they stand.
pub async fn the_same_words_are_embedded_once(s: &Ports) {
    let (owner, bot) = tenant_with_bot(s).await;
    let words = content(3);
    let again = |bot: &Bot| {
        let source = new_source(bot, &words);
        let content = SourceContent {
            chunks: content(3).chunks,
            ..words.clone()
        };
        async move {
            s.knowledge.create(&source, &content, None).await.unwrap();
            source.id
        }
    };
    let first = again(&bot).await;
    assert_eq!(embed(s, owner, first, MODEL).await, 3);
    assert_eq!(embed(s, owner, first, MODEL).await, 0, "again");
    let second = again(&bot).await;
    assert_eq!(embed(s, owner, second, MODEL).await, 0, "elsewhere");
    assert_eq!(made(s, owner, second, MODEL).await, 3);
    assert_eq!(embed(s, owner, first, OTHER).await, 3, "another model");
    let (stranger, theirs) = tenant_with_bot(s).await;
    let third = again(&theirs).await;
    assert_eq!(embed(s, stranger, third, MODEL).await, 3, "another tenant");
}

/// A new reading is embedded as far as it has new words, and words that it has no more are forgotten.
pub async fn a_new_reading_keeps_what_it_still_has(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let file = upload(s, &bot, NOON).await;
    assert!(read(s, tenant, file, &content(3), NOON).await);
    assert_eq!(embed(s, tenant, file, MODEL).await, 3);
    let embedded = indexed(s, &bot, file).await.embedded;
    assert!(read(s, tenant, file, &content(5), NOON).await);
    assert_eq!(embed(s, tenant, file, MODEL).await, 2);
    assert_ne!(indexed(s, &bot, file).await.embedded, embedded);
    assert!(read(s, tenant, file, &content(1), NOON).await);
    assert_eq!(embed(s, tenant, file, MODEL).await, 0);
    assert_eq!(made(s, tenant, file, MODEL).await, 1);
}

/// A run ends when its source is answered from another reading, or is gone.
pub async fn a_run_that_was_overtaken_keeps_nothing(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let file = upload(s, &bot, NOON).await;
    assert!(read(s, tenant, file, &content(1), NOON).await);
    let run = begun(s, tenant, file, MODEL).await;
    assert!(read(s, tenant, file, &content(1), NOON).await);
    let one = [(PassageHash([7; 16]), vector(7))];
    assert!(!s.embeddings.keep(&run, &one, 1).await.unwrap());
    assert!(!s.embeddings.finish(&run, true).await.unwrap());
    assert_eq!(made(s, tenant, file, MODEL).await, 0);
    assert_eq!(knowledge(s, &bot).await.embedding_model, None);
    let run = begun(s, tenant, file, MODEL).await;
    assert!(s.knowledge.delete(tenant, file).await.unwrap());
    assert!(!s.embeddings.keep(&run, &one, 1).await.unwrap());
    assert!(!s.embeddings.finish(&run, true).await.unwrap());
    assert!(
        s.embeddings
            .chunks_from(&run, 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(s.embeddings.begin(tenant, file, MODEL).await.unwrap(), None);
}

/// Another model is taken up when it has embedded all of a bot's sources that are ready, and the one before stays to
/// go back to; the one before that is swept away.
pub async fn a_bot_is_switched_when_all_is_embedded(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let sources = [source(s, &bot).await, source(s, &bot).await];
    let waiting = upload(s, &bot, NOON).await;
    let mut expected = None;
    for (model, previous) in [
        (MODEL, None),
        (OTHER, Some(MODEL)),
        ("local:x", Some(OTHER)),
    ] {
        embed(s, tenant, sources[0], model).await;
        assert_eq!(
            knowledge(s, &bot).await.embedding_model,
            expected,
            "{model}"
        );
        embed(s, tenant, sources[1], model).await;
        let now = state(s, &bot).await;
        assert_eq!(now.active.as_deref(), Some(model));
        assert_eq!(now.previous.as_deref(), previous);
        expected = Some(model.to_owned());
    }
    for source in sources {
        sweep(s, tenant, source).await;
        assert_eq!(made(s, tenant, source, MODEL).await, 0, "two before");
        assert_eq!(made(s, tenant, source, OTHER).await, 3, "the one before");
        assert_eq!(
            made(s, tenant, source, "local:x").await,
            3,
            "the one in use"
        );
    }
    sweep(s, tenant, waiting).await;
    let other = self::bot(s, tenant).await;
    assert_eq!(knowledge(s, &other).await.embedding_model, None);
}

/// A switch can be undone, and holds until the owner switches again.
pub async fn a_switch_is_undone_and_holds(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let one = source(s, &bot).await;
    embed(s, tenant, one, MODEL).await;
    let first = indexed(s, &bot, one).await.embedded;
    embed(s, tenant, one, OTHER).await;
    let second = indexed(s, &bot, one).await.embedded;
    assert_ne!(first, second);
    let switch = |model, hold| s.embeddings.switch(tenant, bot.id, model, hold);
    let before = knowledge(s, &bot).await.version;
    assert!(switch(Some(MODEL), true).await.unwrap());
    let now = knowledge(s, &bot).await;
    assert!(now.version > before);
    assert_eq!(now.embedding_model.as_deref(), Some(MODEL));
    assert_eq!(indexed(s, &bot, one).await.embedded, first);
    assert_eq!(state(s, &bot).await.previous.as_deref(), Some(OTHER));
    embed(s, tenant, one, "local:x").await;
    let held = state(s, &bot).await;
    assert_eq!((held.active.as_deref(), held.is_held), (Some(MODEL), true));
    assert!(switch(None, true).await.unwrap());
    assert_eq!(knowledge(s, &bot).await.embedding_model, None);
    assert_eq!(indexed(s, &bot, one).await.embedded, 0);
    assert!(switch(Some(OTHER), false).await.unwrap());
    assert!(!state(s, &bot).await.is_held);
    assert!(
        !s.embeddings
            .switch(tenant, no_bot(), None, true)
            .await
            .unwrap()
    );
}

/// The state says how far each model has come, and why it goes no further.
pub async fn the_state_shows_how_far_a_model_has_come(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (one, two) = (source(s, &bot).await, source(s, &bot).await);
    assert!(state(s, &bot).await.models.is_empty());
    embed(s, tenant, one, MODEL).await;
    let run = begun(s, tenant, two, MODEL).await;
    let some = [
        (PassageHash([1; 16]), vector(1)),
        (PassageHash([2; 16]), vector(2)),
    ];
    assert!(s.embeddings.keep(&run, &some, 2).await.unwrap());
    s.embeddings.hold_up(&run, "It is down.").await.unwrap();
    let models = state(s, &bot).await.models;
    let [model] = models.as_slice() else {
        panic!("{models:?}")
    };
    assert_eq!(model.model, MODEL);
    assert_eq!((model.sources_done, model.sources), (1, 2));
    assert_eq!((model.chunks_done, model.chunks), (5, 6));
    assert_eq!(model.error.as_deref(), Some("It is down."));
    assert!(s.embeddings.keep(&run, &[], 3).await.unwrap());
    assert_eq!(state(s, &bot).await.models[0].error, None);
    let missing = s.embeddings.state(tenant, no_bot()).await.unwrap();
    assert_eq!(missing, None);
}

/// A model that is new has all embedded that it has not embedded as it is now, of every tenant.
pub async fn a_new_model_wants_every_source(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (_, theirs) = tenant_with_bot(s).await;
    let (one, two) = (source(s, &bot).await, source(s, &bot).await);
    let foreign = source(s, &theirs).await;
    let waiting = async || {
        let mut sources = Vec::new();
        while let Some(job) = lease(s, EMBED, 9).await {
            s.jobs.complete(&job, None).await.unwrap();
            sources.push(job.source());
        }
        sources.sort();
        sources
    };
    waiting().await;
    embed(s, tenant, one, MODEL).await;
    s.embeddings.want(MODEL, NOON).await.unwrap();
    assert_eq!(waiting().await, [two, foreign]);
    s.embeddings.want(OTHER, NOON).await.unwrap();
    assert_eq!(waiting().await, [one, two, foreign]);
    assert_eq!(state(s, &bot).await.active, None);
}

/// A model of before goes on embedding what is new and moves no bot; wanted again, it is taken up at once where
/// nothing is missing.
pub async fn a_model_of_before_moves_no_bot_until_it_is_wanted_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let held = self::bot(s, tenant).await;
    for bot in [&bot, &held] {
        let one = source(s, bot).await;
        embed(s, tenant, one, MODEL).await;
        embed(s, tenant, one, OTHER).await;
        let run = begun(s, tenant, one, MODEL).await;
        assert!(s.embeddings.finish(&run, false).await.unwrap());
        assert_eq!(state(s, bot).await.active.as_deref(), Some(OTHER));
    }
    let hold = s.embeddings.switch(tenant, held.id, Some(OTHER), true);
    assert!(hold.await.unwrap());
    s.embeddings.want(MODEL, NOON).await.unwrap();
    assert_eq!(state(s, &bot).await.active.as_deref(), Some(MODEL));
    assert_eq!(state(s, &bot).await.previous.as_deref(), Some(OTHER));
    assert_eq!(state(s, &held).await.active.as_deref(), Some(OTHER));
}

/// Another tenant sees, makes and switches nothing.
pub async fn tenants_have_their_own_embeddings(s: &Ports) {
    let (owner, bot) = tenant_with_bot(s).await;
    let one = source(s, &bot).await;
    embed(s, owner, one, MODEL).await;
    let thief = tenant(s).await;
    assert_eq!(made(s, thief, one, MODEL).await, 0);
    assert_eq!(s.embeddings.begin(thief, one, MODEL).await.unwrap(), None);
    assert_eq!(s.embeddings.state(thief, bot.id).await.unwrap(), None);
    assert!(
        !s.embeddings
            .switch(thief, bot.id, None, true)
            .await
            .unwrap()
    );
    let run = EmbeddingRun {
        tenant_id: thief,
        ..begun(s, owner, one, MODEL).await
    };
    assert!(
        s.embeddings
            .chunks_from(&run, 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let forged = [(PassageHash([9; 16]), vector(9))];
    assert!(!s.embeddings.keep(&run, &forged, 1).await.unwrap());
    assert!(!s.embeddings.finish(&run, true).await.unwrap());
    assert_eq!(made(s, owner, one, MODEL).await, 3);
    assert_eq!(
        knowledge(s, &bot).await.embedding_model.as_deref(),
        Some(MODEL)
    );
}
