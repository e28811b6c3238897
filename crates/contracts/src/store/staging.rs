//! Promises of [`domain::knowledge::KnowledgeSources`]: files that are read later, and races with their end.

use domain::knowledge::{KnowledgeSource, SourceStatus, UPLOAD_MAX};

use super::Ports;
use super::given::{
    NOON, after, begin, content, edition, new_upload, read, tenant_with_bot, upload,
};
use super::knowledge::check_chunks;
use super::races::at_once;
use super::seen::everything;

/// A file of the largest size comes back to the byte, before and after it was read, until its source is gone.
pub async fn a_large_file_comes_back_to_the_byte(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let bytes: Vec<u8> = (0..UPLOAD_MAX).map(|at| (at * 31 % 257) as u8).collect();
    let (source, file) = new_upload(&bot, &bytes);
    s.knowledge.stage(&source, &file).await.unwrap();
    assert!(
        s.knowledge
            .file(tenant, source.id)
            .await
            .unwrap()
            .as_deref()
            == Some(&bytes)
    );
    assert!(read(s, tenant, source.id, &content(1), after(1)).await);
    assert!(
        s.knowledge
            .file(tenant, source.id)
            .await
            .unwrap()
            .as_deref()
            == Some(&bytes)
    );
    assert!(s.knowledge.delete(tenant, source.id).await.unwrap());
    assert_eq!(s.knowledge.file(tenant, source.id).await.unwrap(), None);
}

/// A staged file is processing, without content; read well it is ready, with its content and chunks.
pub async fn a_staged_file_is_read_well(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (source, file) = new_upload(&bot, b"\0\xff bytes");
    s.knowledge.stage(&source, &file).await.unwrap();
    let found = s.knowledge.find(tenant, source.id).await.unwrap().unwrap();
    assert_eq!(found.source, source);
    assert_eq!(s.knowledge.content(tenant, source.id).await.unwrap(), "");
    assert!(
        s.knowledge
            .chunks(tenant, source.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        s.knowledge.file(tenant, source.id).await.unwrap(),
        file.file
    );

    let content = content(20);
    assert!(read(s, tenant, source.id, &content, after(5)).await);
    let expected = KnowledgeSource {
        status: SourceStatus::Ready,
        content_preview: domain::text::preview(&content.text, 200).into(),
        chunk_count: 20,
        progress: None,
        updated_at: after(5),
        ..source.clone()
    };
    let found = s.knowledge.find(tenant, source.id).await.unwrap().unwrap();
    assert_eq!(found.source, expected);
    assert_eq!(
        s.knowledge.content(tenant, source.id).await.unwrap(),
        content.text
    );
    let chunks = s.knowledge.chunks(tenant, source.id).await.unwrap();
    check_chunks(&chunks, &source, &content, after(5));
}

/// A file that could not be read has failed, with the reason, and no content.
pub async fn a_staged_file_is_read_badly(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (source, file) = new_upload(&bot, b"?");
    s.knowledge.stage(&source, &file).await.unwrap();
    let reason = "The file has no words: save it as UTF-8.";
    assert!(
        s.knowledge
            .fail(tenant, source.id, reason, after(5))
            .await
            .unwrap()
    );
    let expected = KnowledgeSource {
        status: SourceStatus::Failed,
        error: Some(reason.into()),
        progress: None,
        updated_at: after(5),
        ..source.clone()
    };
    let found = s.knowledge.find(tenant, source.id).await.unwrap().unwrap();
    assert_eq!(found.source, expected);
    assert_eq!(s.knowledge.content(tenant, source.id).await.unwrap(), "");
    assert!(s.index.sources(tenant, bot.id).await.unwrap().is_empty());
}

/// A file that two workers read has its chunks once.
pub async fn a_file_read_twice_has_its_chunks_once(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for at_same_time in [false, true] {
        let source = upload(s, &bot, NOON).await;
        let count = if at_same_time { 2 } else { 1 };
        for _ in 0..(2 / count) {
            at_once(s, count, move |s, _| async move {
                // Which of two at the same time counts is the store's to say.
                read(&s, tenant, source, &content(4), after(1)).await;
            })
            .await;
        }
        let chunks = s.knowledge.chunks(tenant, source).await.unwrap();
        let places: Vec<_> = chunks.iter().map(|chunk| chunk.index).collect();
        assert_eq!(places, [0, 1, 2, 3]);
        let found = s
            .knowledge
            .find(tenant, source)
            .await
            .unwrap()
            .unwrap()
            .source;
        assert_eq!((found.chunk_count, found.status), (4, SourceStatus::Ready));
        assert_eq!(s.index.chunks_of(tenant, source).await.unwrap(), chunks);
    }
}

/// What ends after its source was deleted keeps nothing.
pub async fn a_deleted_source_stays_gone(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let before = everything(s, tenant).await;
    let source = upload(s, &bot, NOON).await;
    let draft = begin(s, tenant, source).await;
    assert!(s.knowledge.delete(tenant, source).await.unwrap());
    let content = content(3);
    let kept = s
        .knowledge
        .append(draft, 0, &content.chunks, after(1))
        .await;
    assert!(!kept.unwrap());
    let published = s
        .knowledge
        .publish(draft, &edition(&content), after(1))
        .await;
    assert!(!published.unwrap());
    assert_eq!(s.knowledge.begin(tenant, source).await.unwrap(), None);
    assert!(
        !s.knowledge
            .fail(tenant, source, "Too late.", after(1))
            .await
            .unwrap()
    );
    assert!(!s.knowledge.delete(tenant, source).await.unwrap());
    assert_eq!(s.knowledge.find(tenant, source).await.unwrap(), None);
    let ids: Vec<_> = content.chunks.iter().map(|(id, _)| *id).collect();
    assert!(s.index.chunks(tenant, &ids).await.unwrap().is_empty());
    let mut after = everything(s, tenant).await;
    after.versions.clone_from(&before.versions);
    assert_eq!(after, before);
}

/// Whichever of reading and deleting comes first, in the end the source is gone with all of it.
pub async fn reading_and_deleting_at_once_leave_nothing(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for _ in 0..10 {
        let source = upload(s, &bot, NOON).await;
        let content = content(5);
        let ids: Vec<_> = content.chunks.iter().map(|(id, _)| *id).collect();
        at_once(s, 3, move |s, number| {
            let content = content.clone();
            async move {
                match number {
                    0 => drop(read(&s, tenant, source, &content, after(1)).await),
                    1 => assert!(s.knowledge.delete(tenant, source).await.unwrap()),
                    _ => drop(
                        s.knowledge
                            .fail(tenant, source, "No.", after(1))
                            .await
                            .unwrap(),
                    ),
                }
            }
        })
        .await;
        assert_eq!(s.knowledge.find(tenant, source).await.unwrap(), None);
        assert!(s.index.chunks(tenant, &ids).await.unwrap().is_empty());
        assert!(s.index.sources(tenant, bot.id).await.unwrap().is_empty());
    }
}
