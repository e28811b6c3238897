//! Promises of [`domain::knowledge::KnowledgeSources`]: deleting what readings of a source left.

use domain::jobs::JobKind;
use domain::{Clash, Error};

use super::Ports;
use super::given::{
    NOON, after, begin, content, edition, new_source, read, source, tenant_with_bot, upload,
};
use super::jobs::lease;
use super::knowledge::check_chunks;
use super::seen::everything;

/// Sweeping deletes what was left, part by part, comes to an end, and takes nothing of the edition or the draft.
pub async fn sweeping_ends_and_takes_only_what_was_left(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let other = source(s, &bot).await;
    let (first, died) = (content(1_300), content(700));
    let source = new_source(&bot, &first);
    s.knowledge.create(&source, &first, None).await.unwrap();
    let source = source.id;
    assert!(!s.knowledge.sweep(tenant, source).await.unwrap());
    let draft = begin(s, tenant, source).await;
    s.knowledge
        .append(draft, 0, &died.chunks, NOON)
        .await
        .unwrap();
    assert!(read(s, tenant, source, &content(600), NOON).await);
    let new = content(800);
    let under_way = begin(s, tenant, source).await;
    s.knowledge
        .append(under_way, 0, &new.chunks, NOON)
        .await
        .unwrap();
    let before = everything(s, tenant).await;

    // A chunk that is still there keeps its id taken.
    let taken = s.knowledge.append(under_way, 5_000, &died.chunks, NOON);
    let taken = taken.await;
    assert!(
        matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))),
        "{taken:?}"
    );
    let mut parts = 0;
    while s.knowledge.sweep(tenant, source).await.unwrap() {
        parts += 1;
        assert!(parts < 100, "sweeping comes to no end");
    }
    assert!(parts >= 4, "2000 chunks went in {parts} parts");
    assert_eq!(everything(s, tenant).await, before);
    for (index, gone) in [(5_000, &died), (9_000, &first)] {
        let free = s.knowledge.append(under_way, index, &gone.chunks, NOON);
        assert!(free.await.is_ok(), "a chunk was left");
    }
    assert_eq!(s.knowledge.chunks(tenant, other).await.unwrap().len(), 3);
}

/// A draft under way is not swept.
pub async fn a_draft_under_way_is_not_swept(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    assert!(read(s, tenant, source, &content(1), NOON).await);
    let new = content(800);
    let draft = begin(s, tenant, source).await;
    let (some, others) = new.chunks.split_at(300);
    for (index, chunks) in [(0, some), (300, others)] {
        s.knowledge
            .append(draft, index, chunks, NOON)
            .await
            .unwrap();
        while s.knowledge.sweep(tenant, source).await.unwrap() {}
    }
    let published = s.knowledge.publish(draft, &edition(&new), NOON).await;
    assert!(published.unwrap());
    let chunks = s.knowledge.chunks(tenant, source).await.unwrap();
    let found = s.knowledge.find(tenant, source).await.unwrap().unwrap();
    check_chunks(&chunks, &found.source, &new, NOON);
}

/// Where a reading left something to sweep there is a job for it, and only there; one that is under way begins
/// anew when there is more.
pub async fn what_was_left_waits_to_be_swept(s: &Ports) {
    const SWEEPS: &[JobKind] = &[JobKind::SweepSource];
    let (tenant, bot) = tenant_with_bot(s).await;
    let new = upload(s, &bot, NOON).await;
    assert!(read(s, tenant, new, &content(2), after(1)).await);
    assert_eq!(lease(s, SWEEPS, 9).await, None);

    assert!(read(s, tenant, new, &content(2), after(2)).await);
    assert_eq!(lease(s, SWEEPS, 1).await, None);
    let job = lease(s, SWEEPS, 2).await.unwrap();
    assert_eq!((job.tenant_id, job.source()), (tenant, new));
    while s.knowledge.sweep(tenant, new).await.unwrap() {}
    assert!(read(s, tenant, new, &content(2), after(3)).await);
    s.jobs.complete(&job, None).await.unwrap();
    let again = lease(s, SWEEPS, 3).await.unwrap();
    assert!(s.knowledge.sweep(tenant, new).await.unwrap());
    while s.knowledge.sweep(tenant, new).await.unwrap() {}
    s.jobs.complete(&again, None).await.unwrap();
    assert_eq!(lease(s, SWEEPS, 9).await, None);

    for round in 0..2 {
        let draft = begin(s, tenant, new).await;
        let chunks = content(1).chunks;
        s.knowledge.append(draft, 0, &chunks, NOON).await.unwrap();
        if round == 0 {
            assert!(s.knowledge.discard(draft, &[], after(4)).await.unwrap());
        } else {
            assert!(
                s.knowledge
                    .fail(tenant, new, "No.", after(4))
                    .await
                    .unwrap()
            );
        }
        let job = lease(s, SWEEPS, 4).await.unwrap();
        assert!(s.knowledge.sweep(tenant, new).await.unwrap());
        assert!(!s.knowledge.sweep(tenant, new).await.unwrap());
        s.jobs.complete(&job, None).await.unwrap();
    }
    assert_eq!(s.knowledge.chunks(tenant, new).await.unwrap().len(), 2);
}
