//! Promises of [`domain::knowledge::KnowledgeSources`]: readings beside the one that a source is answered from.

use std::collections::BTreeSet;

use domain::knowledge::{
    DraftPage, Edition, KnowledgeSource, NewChunk, PageFailure, Progress, ProgressUnit,
    SourceContent, SourceStatus, Stage,
};
use domain::{SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, begin, content, edition, id, new_source, progress, read, site, source,
    tenant_with_bot, upload, web_page,
};
use super::knowledge::check_chunks;
use super::races::at_once;
use super::seen::everything;

async fn found(s: &Ports, tenant: TenantId, id: SourceId) -> KnowledgeSource {
    s.knowledge.find(tenant, id).await.unwrap().unwrap().source
}

/// How many of these chunks are found by their ids.
async fn visible(s: &Ports, tenant: TenantId, chunks: &[NewChunk]) -> usize {
    let ids: Vec<_> = chunks.iter().map(|(id, _)| *id).collect();
    s.index.chunks(tenant, &ids).await.unwrap().len()
}

/// Nothing of a draft is seen until it is published; then all of it is at once, and nothing of what was before,
/// whether that was swept or not.
pub async fn an_edition_is_seen_from_its_publication_on(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let old = content(3);
    let source = new_source(&bot, &old);
    s.knowledge.create(&source, &old, None).await.unwrap();
    let before = everything(s, tenant).await;
    let indexed = s.index.sources(tenant, bot.id).await.unwrap();

    let new = content(5);
    let draft = begin(s, tenant, source.id).await;
    for (index, chunks) in [(0, &new.chunks[..2]), (2, &new.chunks[2..])] {
        assert!(
            s.knowledge
                .append(draft, index, chunks, after(1))
                .await
                .unwrap()
        );
        assert_eq!(everything(s, tenant).await, before);
        assert_eq!(s.index.sources(tenant, bot.id).await.unwrap(), indexed);
        assert_eq!(visible(s, tenant, &new.chunks).await, 0);
        assert_eq!(visible(s, tenant, &old.chunks).await, 3);
    }

    let edition = Edition {
        size_bytes: Some(99),
        ..edition(&new)
    };
    assert!(
        s.knowledge
            .publish(draft, &edition, after(2))
            .await
            .unwrap()
    );
    let expected = KnowledgeSource {
        content_preview: edition.content_preview,
        size_bytes: 99,
        chunk_count: 5,
        updated_at: after(2),
        ..source.clone()
    };
    assert_eq!(found(s, tenant, source.id).await, expected);
    let text = s.knowledge.content(tenant, source.id).await.unwrap();
    assert_eq!(text, new.text);
    let chunks = s.knowledge.chunks(tenant, source.id).await.unwrap();
    check_chunks(&chunks, &source, &new, after(1));
    assert_eq!(s.index.chunks_of(tenant, source.id).await.unwrap(), chunks);
    assert_eq!(visible(s, tenant, &new.chunks).await, 5);
    assert_eq!(visible(s, tenant, &old.chunks).await, 0);
    let now = s.index.sources(tenant, bot.id).await.unwrap();
    let state = s.index.state(tenant, bot.id).await.unwrap().unwrap();
    assert!(Some(state.version) > before.versions[0] && now[0].revision > indexed[0].revision);
}

/// Of two drafts the later holds: the earlier takes nothing more, whatever it took before is never seen, and it
/// ends nothing.
pub async fn the_later_draft_wins(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    let (lost, won) = (content(4), content(2));
    let first = begin(s, tenant, source).await;
    let append = async |draft, content: &SourceContent| {
        s.knowledge
            .append(draft, 0, &content.chunks, after(1))
            .await
            .unwrap()
    };
    assert!(append(first, &lost).await);
    let second = begin(s, tenant, source).await;
    assert!(second.generation > first.generation);
    let is_over = async |draft| {
        let page = web_page("c", "Three");
        let page = DraftPage::Read(page);
        assert!(!append(draft, &content(1)).await);
        assert!(!s.knowledge.put_page(draft, 0, &page).await.unwrap());
        assert!(!s.knowledge.has_changed(draft).await.unwrap());
        let published = s.knowledge.publish(draft, &edition(&lost), after(2)).await;
        assert!(!published.unwrap());
        assert!(!s.knowledge.discard(draft, &[], after(2)).await.unwrap());
    };
    is_over(first).await;
    assert!(append(second, &won).await);
    is_over(first).await;
    let published = s.knowledge.publish(second, &edition(&won), after(3)).await;
    assert!(published.unwrap());
    let after_it = everything(s, tenant).await;
    is_over(first).await;
    is_over(second).await;
    assert_eq!(everything(s, tenant).await, after_it);
    assert_eq!(visible(s, tenant, &lost.chunks).await, 0);
    assert_eq!(visible(s, tenant, &won.chunks).await, 2);
    assert!(begin(s, tenant, source).await.generation > second.generation);
}

/// Many who read a source at once leave one edition, which is one of theirs and whole.
pub async fn drafts_at_once_leave_one_edition(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    for _ in 0..5 {
        let published = at_once(s, 8, move |s, number| async move {
            let content = content(number + 1);
            let Some(draft) = s.knowledge.begin(tenant, source).await.unwrap() else {
                panic!("the source is gone");
            };
            for (index, chunk) in (0..).zip(content.chunks.chunks(1)) {
                if !s.knowledge.append(draft, index, chunk, NOON).await.unwrap() {
                    return None;
                }
            }
            let published = s.knowledge.publish(draft, &edition(&content), NOON).await;
            published.unwrap().then_some((draft.generation, content))
        })
        .await;
        let last = published.into_iter().flatten().max_by_key(|(at, _)| *at);
        let (_, content) = last.expect("the last draft was published");
        let chunks = s.knowledge.chunks(tenant, source).await.unwrap();
        check_chunks(&chunks, &found(s, tenant, source).await, &content, NOON);
        let now = found(s, tenant, source).await;
        assert_eq!(now.chunk_count as usize, chunks.len());
        let text = s.knowledge.content(tenant, source).await.unwrap();
        assert_eq!(text, content.text);
    }
}

/// A reading that died leaves what was published, and the next one begins anew.
pub async fn a_draft_that_died_leaves_the_edition(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    let before = everything(s, tenant).await;
    let died = begin(s, tenant, source).await;
    let half = content(9);
    s.knowledge
        .append(died, 0, &half.chunks, after(1))
        .await
        .unwrap();
    assert_eq!(everything(s, tenant).await, before);
    let whole = content(2);
    assert!(read(s, tenant, source, &whole, after(2)).await);
    assert_eq!(visible(s, tenant, &half.chunks).await, 0);
    let chunks = s.knowledge.chunks(tenant, source).await.unwrap();
    check_chunks(&chunks, &found(s, tenant, source).await, &whole, after(2));
}

/// What can't be read again is answered from as before, and says why; a good reading takes that back.
pub async fn a_source_that_fails_again_is_answered_from_as_before(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    let before = everything(s, tenant).await;
    let was = found(s, tenant, source).await;
    let draft = begin(s, tenant, source).await;
    let told = progress(ProgressUnit::Chunks, 1, 2);
    s.knowledge
        .set_progress(tenant, source, told)
        .await
        .unwrap();
    let failed = s.knowledge.fail(tenant, source, "It is down.", after(1));
    assert!(failed.await.unwrap());
    let expected = KnowledgeSource {
        error: Some("It is down.".into()),
        updated_at: after(1),
        ..was
    };
    assert_eq!(found(s, tenant, source).await, expected);
    let now = everything(s, tenant).await;
    assert_eq!(now.versions, before.versions);
    assert_eq!(now.sources[0].2, before.sources[0].2);
    let kept = s.knowledge.append(draft, 0, &content(1).chunks, NOON).await;
    assert!(!kept.unwrap(), "a reading went on after its end");
    for is_better in [false, true] {
        let draft = begin(s, tenant, source).await;
        if is_better {
            let edition = edition(&content(1));
            let published = s.knowledge.publish(draft, &edition, after(2)).await;
            assert!(published.unwrap());
        } else {
            assert!(s.knowledge.discard(draft, &[], after(2)).await.unwrap());
        }
        assert_eq!(found(s, tenant, source).await.error, None);
        // A reading that has ended well does not end badly later.
        let late = s.knowledge.fail(tenant, source, "Too late.", after(3));
        assert!(late.await.unwrap());
        assert_eq!(found(s, tenant, source).await.error, None);
    }
}

/// A draft that is no better leaves the source as it was, but for what this reading could not read.
pub async fn a_discarded_draft_leaves_the_edition(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await;
    let before = everything(s, tenant).await;
    let draft = begin(s, tenant, source.id).await;
    let told = progress(ProgressUnit::Pages, 1, 2);
    s.knowledge
        .set_progress(tenant, source.id, told)
        .await
        .unwrap();
    s.knowledge
        .append(draft, 0, &content(4).chunks, NOON)
        .await
        .unwrap();
    let failures = [PageFailure {
        url: "https://example.com/b".into(),
        reason: "The page answered 500.".into(),
    }];
    let discarded = s.knowledge.discard(draft, &failures, after(5)).await;
    assert!(discarded.unwrap());
    let expected = KnowledgeSource {
        failures: failures.to_vec(),
        synced_at: Some(after(5)),
        ..source.clone()
    };
    assert_eq!(found(s, tenant, source.id).await, expected);
    let mut now = everything(s, tenant).await;
    now.sources[0].0.source = source;
    assert_eq!(now, before);
}

/// Progress is told while a source is read, and neither before nor after.
pub async fn progress_is_told_while_a_source_is_read(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    let told = async |progress| {
        let told = s.knowledge.set_progress(tenant, source, progress).await;
        told.unwrap();
        found(s, tenant, source).await.progress
    };
    assert_eq!(told(progress(ProgressUnit::Chunks, 1, 2)).await, None);
    let draft = begin(s, tenant, source).await;
    for stage in Stage::ALL {
        for unit in ProgressUnit::ALL {
            let progress = Progress {
                stage: *stage,
                unit: *unit,
                done: 7,
                total: 1 << 40,
            };
            assert_eq!(told(progress).await, Some(progress));
        }
    }
    assert!(found(s, tenant, source).await.is_being_read());
    let published = s
        .knowledge
        .publish(draft, &edition(&content(1)), NOON)
        .await;
    assert!(published.unwrap());
    assert_eq!(found(s, tenant, source).await.progress, None);
    assert_eq!(told(progress(ProgressUnit::Chunks, 2, 2)).await, None);
    let unknown = s
        .knowledge
        .set_progress(tenant, id(), progress(ProgressUnit::Pages, 1, 1));
    unknown.await.unwrap();
}

/// An edition without a text of its own has that of its chunks, and a later one can have its own again.
pub async fn an_edition_may_have_the_text_of_its_chunks(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    let content = content(3);
    let texts: Vec<_> = content
        .chunks
        .iter()
        .map(|(_, draft)| draft.content.as_str())
        .collect();
    let joined = texts.join("\n\n");
    for text in [None, Some("Of its own.".to_owned()), None] {
        let draft = begin(s, tenant, source).await;
        let chunks: Vec<_> = content
            .chunks
            .iter()
            .map(|(_, draft)| (id(), draft.clone()))
            .collect();
        s.knowledge.append(draft, 0, &chunks, NOON).await.unwrap();
        let edition = Edition {
            text: text.clone(),
            ..edition(&content)
        };
        assert!(s.knowledge.publish(draft, &edition, NOON).await.unwrap());
        let now = s.knowledge.content(tenant, source).await.unwrap();
        assert_eq!(now, text.unwrap_or_else(|| joined.clone()));
    }
}

/// A source of a failed first reading can be read again, and is ready then.
pub async fn a_failed_source_can_be_read_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = upload(s, &bot, NOON).await;
    for round in 1..3 {
        begin(s, tenant, source).await;
        let failed = s.knowledge.fail(tenant, source, "No words.", after(round));
        assert!(failed.await.unwrap());
        let now = found(s, tenant, source).await;
        assert_eq!(now.status, SourceStatus::Failed);
        assert_eq!((now.progress, now.updated_at), (None, after(round)));
    }
    assert!(read(s, tenant, source, &content(2), after(5)).await);
    let now = found(s, tenant, source).await;
    assert_eq!((now.status, now.error), (SourceStatus::Ready, None));
    let indexed = s.index.sources(tenant, bot.id).await.unwrap();
    let ids: BTreeSet<_> = indexed.iter().map(|indexed| indexed.id).collect();
    assert!(ids.contains(&source));
}
