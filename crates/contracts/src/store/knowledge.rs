//! Promises of [`domain::knowledge::KnowledgeSources`]: sources and their content.

use domain::bots::Bot;
use domain::knowledge::{
    Chunk, ChunkDraft, KnowledgeSource, NamedSource, PageFailure, ProgressUnit, QuestionAnswer,
    SourceContent, SourceCounts, SourceFilter, SourceType,
};
use domain::{Clash, Error, Resource, Timestamp};

use super::Ports;
use super::given::{
    NOON, after, all, bot, content, id, new_bot, new_site, new_source, new_upload, no_bot, page,
    progress, read, source, tenant_with_bot, upload, web_page,
};
use super::jobs::{READING, lease};
use super::races::{at_once, successes};
use super::seen::everything;

pub(super) fn check_chunks(
    chunks: &[Chunk],
    source: &KnowledgeSource,
    content: &SourceContent,
    at: Timestamp,
) {
    let expected: Vec<_> = (0..)
        .zip(&content.chunks)
        .map(|(index, (id, draft))| Chunk {
            id: *id,
            source_id: source.id,
            index,
            draft: draft.clone(),
            created_at: at,
        })
        .collect();
    assert_eq!(chunks, expected);
}

/// A bot's sources are counted by their status.
pub async fn sources_are_counted_by_their_status(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let counts = async |tenant| s.knowledge.counts(tenant, bot.id).await.unwrap();
    assert_eq!(counts(tenant).await, SourceCounts::default());
    source(s, &bot).await;
    source(s, &bot).await;
    upload(s, &bot, NOON).await;
    let unread = upload(s, &bot, NOON).await;
    let failed = s.knowledge.fail(tenant, unread, "No.", after(1)).await;
    assert!(failed.unwrap());
    let expected = SourceCounts {
        processing: 1,
        ready: 2,
        failed: 1,
    };
    assert_eq!(counts(tenant).await, expected);
    assert_eq!(counts(stranger).await, SourceCounts::default());
}

/// A source is found as it was created, with its content and its chunks in order.
pub async fn a_source_is_found_as_it_was_created(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (site, website) = new_site(&bot, vec![web_page("a", "One")]);
    let text = content(1);
    let pair = QuestionAnswer {
        question: "When?".into(),
        answer: "Now.".into(),
    };
    let pairs = SourceContent {
        text: pair.text(),
        chunks: vec![(id(), pair.chunk())],
        pages: Vec::new(),
    };
    let sources = [
        (
            KnowledgeSource {
                failures: vec![PageFailure {
                    url: "https://example.com/gone".into(),
                    reason: "The page answered 404.".into(),
                }],
                progress: Some(progress(ProgressUnit::Pages, 1, 2)),
                synced_at: Some(after(1)),
                updated_at: after(1),
                ..site
            },
            website,
        ),
        (
            KnowledgeSource {
                enabled: false,
                ..new_source(&bot, &text)
            },
            text,
        ),
        (
            KnowledgeSource {
                source_type: SourceType::Qa,
                ..new_source(&bot, &pairs)
            },
            pairs,
        ),
    ];
    for (source, content) in sources {
        s.knowledge.create(&source, &content, None).await.unwrap();
        let expected = NamedSource {
            source: source.clone(),
            bot_name: bot.name.clone(),
        };
        assert_eq!(
            s.knowledge.find(tenant, source.id).await.unwrap(),
            Some(expected)
        );
        assert_eq!(
            s.knowledge.content(tenant, source.id).await.unwrap(),
            content.text
        );
        let chunks = s.knowledge.chunks(tenant, source.id).await.unwrap();
        check_chunks(&chunks, &source, &content, NOON);
        assert_eq!(s.index.chunks_of(tenant, source.id).await.unwrap(), chunks);
    }
}

/// A million characters and thousands of chunks come back whole.
pub async fn large_content_comes_back_whole(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let piece = "ä€🙂x ".repeat(50);
    let count = 1_000_000 / piece.chars().count();
    let draft = |number| ChunkDraft {
        content: format!("{number} {piece}"),
        ..ChunkDraft::default()
    };
    let content = SourceContent {
        text: piece.repeat(count),
        chunks: (0..count).map(|number| (id(), draft(number))).collect(),
        pages: Vec::new(),
    };
    assert_eq!(content.text.chars().count(), 1_000_000);
    let source = new_source(&bot, &content);
    s.knowledge.create(&source, &content, None).await.unwrap();
    assert!(s.knowledge.content(tenant, source.id).await.unwrap() == content.text);
    let chunks = s.knowledge.chunks(tenant, source.id).await.unwrap();
    check_chunks(&chunks, &source, &content, NOON);
}

/// Deleting a source deletes its content, chunks and file, once, and no other source's.
pub async fn a_deleted_source_is_gone_with_all_of_it(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let kept = source(s, &bot).await;
    let gone = source(s, &bot).await;
    let chunks = s.knowledge.chunks(tenant, gone).await.unwrap();
    assert!(s.knowledge.delete(tenant, gone).await.unwrap());
    assert!(!s.knowledge.delete(tenant, gone).await.unwrap());
    assert_eq!(s.knowledge.find(tenant, gone).await.unwrap(), None);
    assert_eq!(s.knowledge.content(tenant, gone).await.unwrap(), "");
    assert!(s.knowledge.chunks(tenant, gone).await.unwrap().is_empty());
    let ids: Vec<_> = chunks.iter().map(|chunk| chunk.id).collect();
    assert!(s.index.chunks(tenant, &ids).await.unwrap().is_empty());
    assert_eq!(s.knowledge.chunks(tenant, kept).await.unwrap().len(), 3);
}

/// A source needs a bot of its tenant; refused, it leaves nothing behind, and no job.
pub async fn a_source_needs_a_bot_of_its_tenant(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let theirs = tenant_with_bot(s).await.1;
    let before = everything(s, tenant).await;
    for bot_id in [no_bot(), theirs.id] {
        let wrong = Bot {
            id: bot_id,
            ..bot.clone()
        };
        let content = content(2);
        let created = s
            .knowledge
            .create(&new_source(&wrong, &content), &content, None)
            .await;
        let (source, file) = new_upload(&wrong, b"Words.");
        let staged = s.knowledge.stage(&source, &file).await;
        for result in [created, staged] {
            assert!(
                matches!(result, Err(Error::NotFound(Resource::Bot))),
                "{result:?}"
            );
        }
    }
    assert_eq!(everything(s, tenant).await, before);
    assert_eq!(lease(s, READING, 60).await, None);
}

/// An id that is taken is a conflict, and what is there stays as it is, with no job more.
pub async fn a_taken_source_id_is_a_conflict(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let taken = source(s, &bot).await;
    let before = everything(s, tenant).await;
    let content = content(2);
    let again = KnowledgeSource {
        id: taken,
        ..new_source(&bot, &content)
    };
    let created = s.knowledge.create(&again, &content, None).await;
    let (upload, file) = new_upload(&bot, b"Words.");
    let staged = s
        .knowledge
        .stage(
            &KnowledgeSource {
                id: taken,
                ..upload
            },
            &file,
        )
        .await;
    for result in [created, staged] {
        assert!(
            matches!(result, Err(Error::Conflict(Clash::AlreadyExists))),
            "{result:?}"
        );
    }
    assert_eq!(everything(s, tenant).await, before);
    assert_eq!(lease(s, READING, 60).await, None);
}

/// The same source created ten times at once is there once.
pub async fn the_same_source_at_once_is_there_once(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let content = content(3);
    let source = new_source(&bot, &content);
    let made = at_once(s, 10, move |s, _| {
        let (source, content) = (source.clone(), content.clone());
        async move { s.knowledge.create(&source, &content, None).await }
    })
    .await;
    assert_eq!(successes(&made), 1);
    let listed = s
        .knowledge
        .list(tenant, SourceFilter::default(), all())
        .await
        .unwrap();
    assert_eq!((listed.total, listed.items[0].source.chunk_count), (1, 3));
}

/// What does not exist is none, or empty.
pub async fn an_unknown_source_is_none(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    source(s, &bot).await;
    let before = everything(s, tenant).await;
    assert_eq!(s.knowledge.find(tenant, id()).await.unwrap(), None);
    assert_eq!(s.knowledge.file(tenant, id()).await.unwrap(), None);
    assert_eq!(s.knowledge.content(tenant, id()).await.unwrap(), "");
    assert!(s.knowledge.chunks(tenant, id()).await.unwrap().is_empty());
    assert!(!read(s, tenant, id(), &content(1), NOON).await);
    assert!(!s.knowledge.fail(tenant, id(), "No.", NOON).await.unwrap());
    assert!(!s.knowledge.delete(tenant, id()).await.unwrap());
    assert_eq!(everything(s, tenant).await, before);
}

/// Sources are listed newest first, in pages that together hold each once, with the total on each.
pub async fn sources_are_listed_newest_first_in_pages(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for number in 0..25 {
        upload(s, &bot, after((number * 7) % 25 / 3)).await;
    }
    let list = |page| s.knowledge.list(tenant, SourceFilter::default(), page);
    let whole = list(all()).await.unwrap().items;
    assert!(whole.is_sorted_by(|a, b| a.source.created_at >= b.source.created_at));
    let mut paged = Vec::new();
    for number in 1..=3 {
        let listed = list(page(number, 10)).await.unwrap();
        assert_eq!(listed.items.len(), [10, 10, 5][number as usize - 1]);
        assert_eq!(listed.total, 25);
        paged.extend(listed.items);
    }
    assert_eq!(paged, whole);
    for past in [page(4, 10), page(u32::MAX, 100)] {
        let listed = list(past).await.unwrap();
        assert_eq!((listed.items.len(), listed.total), (0, 25));
    }
}

/// Filters pick by bot and by type, alone and together; each source shows its bot's name.
pub async fn sources_are_filtered_by_bot_and_type(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let named = Bot {
        name: "Grace".into(),
        ..new_bot(tenant)
    };
    let second = s.bots.create(&named, None).await.unwrap();
    let theirs = bot(s, tenant_with_bot(s).await.0).await;
    for bot in [&first, &second, &second] {
        source(s, bot).await;
    }
    upload(s, &first, NOON).await;
    for (bot_id, source_type, count) in [
        (None, None, 4),
        (Some(first.id), None, 2),
        (Some(second.id), None, 2),
        (None, Some(SourceType::Text), 3),
        (None, Some(SourceType::Url), 0),
        (Some(first.id), Some(SourceType::File), 1),
        (Some(second.id), Some(SourceType::File), 0),
        (Some(theirs.id), None, 0),
    ] {
        let filter = SourceFilter {
            bot_id,
            source_type,
        };
        let short = s.knowledge.list(tenant, filter, page(1, 1)).await.unwrap();
        assert_eq!(short.total, count, "{filter:?}");
        let listed = s.knowledge.list(tenant, filter, all()).await.unwrap();
        assert_eq!(listed.items.len() as u64, count, "{filter:?}");
        for NamedSource { source, bot_name } in listed.items {
            let bot = if source.bot_id == first.id {
                &first
            } else {
                &second
            };
            assert_eq!(bot_name, bot.name);
            assert!(bot_id.is_none_or(|wanted| wanted == source.bot_id));
            assert!(source_type.is_none_or(|wanted| wanted == source.source_type));
        }
    }
}
