//! Promises of [`domain::knowledge::KnowledgeIndex`]: what retrieval reads.

use std::collections::BTreeSet;

use domain::bots::{Bot, BotChanges};
use domain::knowledge::{IndexedSource, KnowledgeSource, SourceChange, SourceType};
use domain::{BotId, SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, begin, bot, content, id, incoming, new_source, no_bot, read, received, source,
    tenant_with_bot, turn, upload,
};
use super::races::at_once;

async fn version(s: &Ports, bot: &Bot) -> i64 {
    s.index
        .state(bot.tenant_id, bot.id)
        .await
        .unwrap()
        .unwrap()
        .version
}

async fn indexed(s: &Ports, tenant: TenantId, bot: BotId) -> Vec<IndexedSource> {
    let mut sources = s.index.sources(tenant, bot).await.unwrap();
    sources.sort_by_key(|source| source.revision);
    sources
}

fn enable(enabled: bool) -> SourceChange {
    SourceChange {
        enabled: Some(enabled),
        ..SourceChange::default()
    }
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
    read(s, tenant, file, &content(2), after(1)).await;
    grown("publish").await;
    read(s, tenant, text, &content(2), after(2)).await;
    grown("publish again").await;
    for change in [
        SourceChange {
            name: Some("Manual".into()),
            ..SourceChange::default()
        },
        enable(false),
        enable(true),
    ] {
        s.knowledge
            .update(tenant, text, &change, None, after(3))
            .await
            .unwrap();
        grown("update").await;
    }
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
    let again = KnowledgeSource {
        id: text,
        ..new_source(&first, &content(1))
    };
    assert!(s.knowledge.create(&again, &content(1), None).await.is_err());
    assert!(!read(s, tenant, gone, &content(1), after(1)).await);
    let draft = begin(s, tenant, text).await;
    let chunks = content(2).chunks;
    s.knowledge
        .append(draft, 0, &chunks, after(1))
        .await
        .unwrap();
    assert!(s.knowledge.discard(draft, &[], after(1)).await.unwrap());
    while s.knowledge.sweep(tenant, text).await.unwrap() {}
    let same = SourceChange {
        name: Some("Handbook".into()),
        enabled: Some(true),
        ..SourceChange::default()
    };
    s.knowledge
        .update(tenant, text, &same, None, after(1))
        .await
        .unwrap();
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
        assert_eq!(got.knowledge.version, version(s, &bot).await);
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
    read(s, tenant, file, &content(2), after(1)).await;
    let of_file = version(s, &bot).await;
    let expected = [(text, of_text), (file, of_file)].map(|(id, revision)| IndexedSource {
        id,
        name: "Handbook".into(),
        is_curated: false,
        revision,
        embedded: 0,
    });
    assert_eq!(indexed(s, tenant, bot.id).await, expected);
    s.knowledge.delete(tenant, text).await.unwrap();
    assert_eq!(indexed(s, tenant, bot.id).await, expected[1..]);
}

/// Questions with the answers that are wanted are told apart, and nothing else is.
pub async fn curated_sources_are_told_apart(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for source_type in SourceType::ALL {
        let content = content(1);
        let source = KnowledgeSource {
            source_type: *source_type,
            ..new_source(&bot, &content)
        };
        s.knowledge.create(&source, &content, None).await.unwrap();
        let shown = indexed(s, tenant, bot.id).await;
        let is_curated = shown.last().unwrap().is_curated;
        assert_eq!(is_curated, *source_type == SourceType::Qa, "{source_type}");
    }
}

/// A disabled source is not shown and its chunks are not found, though its owner sees them; enabled again, it is
/// there with the same chunks and the same revision.
pub async fn a_disabled_source_is_not_found_until_it_is_enabled(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (kept, off) = (source(s, &bot).await, source(s, &bot).await);
    let before = indexed(s, tenant, bot.id).await;
    let chunks = s.index.chunks_of(tenant, off).await.unwrap();
    let ids: Vec<_> = chunks.iter().map(|chunk| chunk.id).collect();
    let set = async |enabled| {
        let updated = s
            .knowledge
            .update(tenant, off, &enable(enabled), None, after(1))
            .await;
        assert_eq!(updated.unwrap().unwrap().source.enabled, enabled);
    };
    set(false).await;
    let shown = indexed(s, tenant, bot.id).await;
    assert_eq!((shown.len(), shown[0].id), (1, kept));
    assert!(s.index.chunks(tenant, &ids).await.unwrap().is_empty());
    assert_eq!(s.knowledge.chunks(tenant, off).await.unwrap(), chunks);
    // An index that was begun while it was enabled is the same as ever.
    assert_eq!(s.index.chunks_of(tenant, off).await.unwrap(), chunks);
    set(true).await;
    assert_eq!(indexed(s, tenant, bot.id).await, before);
    assert_eq!(s.index.chunks(tenant, &ids).await.unwrap().len(), 3);
}

/// What a disabled source is changed to is there once it is enabled.
pub async fn a_disabled_source_can_be_read_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let off = source(s, &bot).await;
    let before = revision(s, &bot, off).await;
    let update = async |enabled| {
        s.knowledge
            .update(tenant, off, &enable(enabled), None, after(1))
            .await
            .unwrap();
    };
    update(false).await;
    assert!(read(s, tenant, off, &content(5), after(2)).await);
    assert!(indexed(s, tenant, bot.id).await.is_empty());
    update(true).await;
    assert!(revision(s, &bot, off).await > before);
    assert_eq!(s.index.chunks_of(tenant, off).await.unwrap().len(), 5);
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
    assert_eq!(s.index.state(tenant, no_bot()).await.unwrap(), None);
    assert!(indexed(s, tenant, no_bot()).await.is_empty());
    assert!(s.index.chunks_of(tenant, id()).await.unwrap().is_empty());
}
