//! Promises of [`domain::knowledge::KnowledgeIndex`]: what retrieval reads.

use std::collections::BTreeSet;

use domain::bots::{Bot, BotChanges};
use domain::knowledge::IndexedSource;
use domain::{BotId, SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, bot, content, id, incoming, new_source, no_bot, received, source, tenant_with_bot,
    turn, upload,
};
use super::races::at_once;

async fn version(s: &Ports, bot: &Bot) -> i64 {
    s.index
        .version(bot.tenant_id, bot.id)
        .await
        .unwrap()
        .unwrap()
}

async fn indexed(s: &Ports, tenant: TenantId, bot: BotId) -> Vec<IndexedSource> {
    let mut sources = s.index.sources(tenant, bot).await.unwrap();
    sources.sort_by_key(|source| source.revision);
    sources
}

async fn revision(s: &Ports, bot: &Bot, source: SourceId) -> Option<i64> {
    let sources = indexed(s, bot.tenant_id, bot.id).await;
    sources
        .into_iter()
        .find(|found| found.id == source)
        .map(|found| found.revision)
}

/// The version of a bot's knowledge grows whenever what can be found changes.
pub async fn the_version_grows_with_every_change(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let mut last = version(s, &bot).await;
    let mut grown = async |what| {
        let now = version(s, &bot).await;
        assert!(now > last, "{what}: {last} to {now}");
        last = now;
    };
    let text = source(s, &bot).await;
    grown("create").await;
    let file = upload(s, &bot, NOON).await;
    s.knowledge
        .finish(tenant, file, &content(2), after(1))
        .await
        .unwrap();
    grown("finish").await;
    for source in [text, file] {
        s.knowledge.delete(tenant, source).await.unwrap();
        grown("delete").await;
    }
}

/// The version stays while nothing that can be found changes: through reading, talking, changes of the bot,
/// other bots' knowledge, and what was refused or came too late.
pub async fn the_version_stays_while_nothing_changes(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    let (other, _) = tenant_with_bot(s).await;
    let text = source(s, &first).await;
    let gone = upload(s, &first, NOON).await;
    s.knowledge.delete(tenant, gone).await.unwrap();
    let before = version(s, &first).await;

    source(s, &second).await;
    turn(s, tenant, "session", NOON).await;
    let changes = BotChanges {
        name: Some("Grace".into()),
        ..BotChanges::default()
    };
    s.bots
        .update(tenant, first.id, &changes, after(1))
        .await
        .unwrap();
    let again = domain::knowledge::KnowledgeSource {
        id: text,
        ..new_source(&first, &content(1))
    };
    assert!(s.knowledge.create(&again, &content(1)).await.is_err());
    assert!(
        !s.knowledge
            .finish(tenant, gone, &content(1), after(1))
            .await
            .unwrap()
    );
    assert!(!s.knowledge.delete(tenant, gone).await.unwrap());
    assert!(!s.knowledge.delete(other, text).await.unwrap());
    indexed(s, tenant, first.id).await;
    assert_eq!(version(s, &first).await, before);
}

/// Twenty changes at once are twenty versions.
pub async fn changes_at_once_all_raise_the_version(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let before = version(s, &bot).await;
    let id = bot.id;
    let changed = bot.clone();
    at_once(s, 20, move |s, _| {
        let bot = changed.clone();
        async move {
            source(&s, &bot).await;
        }
    })
    .await;
    assert!(version(s, &bot).await >= before + 20);
    let sources = indexed(s, tenant, id).await;
    let revisions: BTreeSet<_> = sources.iter().map(|source| source.revision).collect();
    assert_eq!((sources.len(), revisions.len()), (20, 20));
}

/// A message is received with the version of that moment.
pub async fn a_message_comes_with_the_version(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for _ in 0..3 {
        let got = received(s, tenant, &incoming("session", "Hello?")).await;
        assert_eq!(got.knowledge_version, version(s, &bot).await);
        source(s, &bot).await;
    }
}

/// Only sources that are ready are shown, each with its name and the version at which it last changed.
pub async fn only_ready_sources_are_shown_with_their_revision(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    assert!(indexed(s, tenant, bot.id).await.is_empty());
    let text = source(s, &bot).await;
    let of_text = version(s, &bot).await;
    assert_eq!(revision(s, &bot, text).await, Some(of_text));
    let [file, failed, _waiting] = [
        upload(s, &bot, NOON).await,
        upload(s, &bot, NOON).await,
        upload(s, &bot, NOON).await,
    ];
    s.knowledge
        .fail(tenant, failed, "No words.", after(1))
        .await
        .unwrap();
    assert_eq!(indexed(s, tenant, bot.id).await.len(), 1);
    s.knowledge
        .finish(tenant, file, &content(2), after(1))
        .await
        .unwrap();
    let of_file = version(s, &bot).await;
    let expected = [(text, of_text), (file, of_file)].map(|(id, revision)| IndexedSource {
        id,
        name: "Handbook".into(),
        revision,
    });
    assert_eq!(indexed(s, tenant, bot.id).await, expected);
    s.knowledge.delete(tenant, text).await.unwrap();
    assert_eq!(indexed(s, tenant, bot.id).await, expected[1..]);
}

/// Chunks are found by their ids, in any number, of several sources; those that are gone are left out.
pub async fn chunks_are_found_by_their_ids(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let source = source(s, &bot).await;
        kept.extend(s.index.chunks_of(tenant, source).await.unwrap());
    }
    let gone = source(s, &bot).await;
    let mut ids: Vec<_> = kept.iter().map(|chunk| chunk.id).collect();
    ids.extend(
        s.index
            .chunks_of(tenant, gone)
            .await
            .unwrap()
            .iter()
            .map(|chunk| chunk.id),
    );
    ids.push(id());
    s.knowledge.delete(tenant, gone).await.unwrap();
    assert!(s.index.chunks_of(tenant, gone).await.unwrap().is_empty());
    let by_id = |chunk: &domain::knowledge::Chunk| chunk.id;
    let mut found = s.index.chunks(tenant, &ids).await.unwrap();
    found.sort_by_key(by_id);
    kept.sort_by_key(by_id);
    assert_eq!(found, kept);
    assert!(s.index.chunks(tenant, &[]).await.unwrap().is_empty());
    let one = s.index.chunks(tenant, &[kept[4].id]).await.unwrap();
    assert_eq!(one, kept[4..5]);
    // More than an engine takes as parameters of one statement.
    let many: Vec<_> = (0..40_000).map(|_| id()).chain([kept[0].id]).collect();
    assert_eq!(s.index.chunks(tenant, &many).await.unwrap(), kept[..1]);
}

/// What does not exist is none, or empty.
pub async fn an_unknown_bot_has_no_version(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    assert_eq!(s.index.version(tenant, no_bot()).await.unwrap(), None);
    assert!(indexed(s, tenant, no_bot()).await.is_empty());
    assert!(s.index.chunks_of(tenant, id()).await.unwrap().is_empty());
}
