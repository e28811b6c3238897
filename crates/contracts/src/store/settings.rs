//! Promises of [`domain::knowledge::KnowledgeSources`]: settings of sources, and readings that are asked for.

use domain::jobs::{Job, JobKind, NextRun};
use domain::knowledge::{
    CrawlPlan, KnowledgeSource, NamedSource, ProgressUnit, SourceChange, SourceStatus,
};
use domain::{SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, begin, id, progress, run_at, site, source, tenant_with_bot, upload,
};
use super::jobs::{READING, lease};
use super::races::at_once;
use super::seen::everything;

const SITES: &[JobKind] = &[JobKind::ReadSite];

async fn found(s: &Ports, tenant: TenantId, id: SourceId) -> KnowledgeSource {
    s.knowledge.find(tenant, id).await.unwrap().unwrap().source
}

/// A change of how often a site is read.
fn every(hours: Option<u32>) -> SourceChange {
    SourceChange {
        resync_hours: Some(hours),
        ..SourceChange::default()
    }
}

async fn reschedule(s: &Ports, source: &KnowledgeSource, next: Option<NextRun>, second: i64) {
    let change = every(next.map(|_| 1));
    let (tenant, at) = (source.tenant_id, after(second));
    let updated = s.knowledge.update(tenant, source.id, &change, next, at);
    assert!(updated.await.unwrap().is_some());
}

/// An update writes only the fields given, and answers with the source as it is then.
pub async fn a_sources_update_writes_only_the_fields_given(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let mut expected = site(s, &bot, None).await;
    let plan = |source: &KnowledgeSource| source.crawl.expect("a site has a plan");
    type Apply = fn(&mut KnowledgeSource, CrawlPlan);
    let steps: [(SourceChange, Apply); 6] = [
        (SourceChange::default(), |_, _| {}),
        (
            SourceChange {
                name: Some("Manual".into()),
                ..SourceChange::default()
            },
            |source, _| source.name = "Manual".into(),
        ),
        (
            SourceChange {
                enabled: Some(false),
                ..SourceChange::default()
            },
            |source, _| source.enabled = false,
        ),
        (every(Some(12)), |source, plan| {
            source.crawl = Some(CrawlPlan {
                resync_hours: Some(12),
                ..plan
            });
        }),
        (
            SourceChange {
                max_pages: Some(9),
                ..SourceChange::default()
            },
            |source, plan| {
                source.crawl = Some(CrawlPlan {
                    max_pages: 9,
                    ..plan
                });
            },
        ),
        (every(None), |source, plan| {
            source.crawl = Some(CrawlPlan {
                resync_hours: None,
                ..plan
            });
        }),
    ];
    for (second, (change, apply)) in (1..).zip(steps) {
        let plan = plan(&expected);
        apply(&mut expected, plan);
        expected.updated_at = after(second);
        let updated = s
            .knowledge
            .update(tenant, expected.id, &change, None, after(second))
            .await;
        let named = NamedSource {
            source: expected.clone(),
            bot_name: bot.name.clone(),
        };
        assert_eq!(updated.unwrap(), Some(named));
        assert_eq!(found(s, tenant, expected.id).await, expected);
    }
}

/// What only sites have changes nothing of other sources; a source that is not there is none.
pub async fn a_change_of_what_a_source_does_not_have_is_none(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let text = source(s, &bot).await;
    let before = everything(s, tenant).await;
    let change = SourceChange {
        max_pages: Some(3),
        ..every(Some(1))
    };
    let next = Some(run_at(after(1)));
    let updated = s.knowledge.update(tenant, text, &change, next, NOON).await;
    assert_eq!(updated.unwrap().unwrap().source.crawl, None);
    let unknown = s.knowledge.update(tenant, id(), &change, next, NOON).await;
    assert_eq!(unknown.unwrap(), None);
    assert_eq!(everything(s, tenant).await, before);
    assert_eq!(lease(s, READING, 60).await, None);
}

/// Changes of different fields at once all hold.
pub async fn changes_of_different_fields_at_once_all_hold(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    for round in 1..10 {
        at_once(s, 4, move |s, number| async move {
            let nothing = SourceChange::default();
            let change = match number {
                0 => SourceChange {
                    name: Some(format!("Name {round}")),
                    ..nothing
                },
                1 => SourceChange {
                    enabled: Some(round % 2 == 0),
                    ..nothing
                },
                2 => every(Some(round)),
                _ => SourceChange {
                    max_pages: Some(round),
                    ..nothing
                },
            };
            let updated = s.knowledge.update(tenant, source, &change, None, NOON);
            assert!(updated.await.unwrap().is_some());
        })
        .await;
        let now = found(s, tenant, source).await;
        let plan = now.crawl.expect("a site has a plan");
        assert_eq!(
            (now.name, now.enabled),
            (format!("Name {round}"), round % 2 == 0)
        );
        assert_eq!((plan.resync_hours, plan.max_pages), (Some(round), round));
    }
}

/// The next reading of a site is moved, made and forgotten with how often it is read.
pub async fn the_next_reading_follows_its_hours(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let first = run_at(after(1_000));
    let source = site(s, &bot, Some(first)).await;
    reschedule(s, &source, Some(run_at(after(500))), 0).await;
    reschedule(s, &source, Some(run_at(after(2_000))), 0).await;
    let renamed = SourceChange {
        name: Some("Manual".into()),
        max_pages: Some(9),
        ..SourceChange::default()
    };
    s.knowledge
        .update(tenant, source.id, &renamed, None, NOON)
        .await
        .unwrap();
    assert_eq!(lease(s, SITES, 1_999).await, None);
    let job = lease(s, SITES, 2_000).await.unwrap();
    assert_eq!(job.id, first.job_id);
    s.jobs
        .complete(&job, Some(run_at(after(3_000))))
        .await
        .unwrap();
    reschedule(s, &source, None, 2_000).await;
    assert_eq!(lease(s, SITES, 9_000).await, None);
    let made = run_at(after(4_000));
    reschedule(s, &source, Some(made), 2_000).await;
    assert_eq!(lease(s, SITES, 3_999).await, None);
    assert_eq!(lease(s, SITES, 4_000).await.unwrap().id, made.job_id);
}

/// A reading that is due, at work, or to be tried again stays as it is, however often the site is to be read.
pub async fn a_reading_at_hand_is_left(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, Some(run_at(after(10)))).await;
    for next in [Some(run_at(after(900))), None] {
        // Due.
        reschedule(s, &source, next, 10).await;
    }
    let job = lease(s, SITES, 10).await.unwrap();
    for next in [Some(run_at(after(900))), None] {
        // At work.
        reschedule(s, &source, next, 11).await;
        assert_eq!(lease(s, SITES, 12).await, None);
    }
    s.jobs.retry(&job, after(30)).await.unwrap();
    for next in [Some(run_at(after(900))), None] {
        // To be tried again.
        reschedule(s, &source, next, 20).await;
    }
    assert_eq!(lease(s, SITES, 29).await, None);
    let again = lease(s, SITES, 30).await.unwrap();
    assert_eq!(again, Job { attempts: 2, ..job });
}

/// A source that is to be read again says so and has its job; it is answered from as before.
pub async fn a_refreshed_source_waits_to_be_read(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let before = site(s, &bot, None).await;
    let seen = everything(s, tenant).await;
    let run = run_at(after(5));
    assert!(s.knowledge.refresh(tenant, before.id, run).await.unwrap());
    let expected = KnowledgeSource {
        progress: Some(progress(ProgressUnit::Pages, 0, 2)),
        ..before.clone()
    };
    assert_eq!(found(s, tenant, before.id).await, expected);
    let mut now = everything(s, tenant).await;
    now.sources[0].0.source = before.clone();
    assert_eq!(now, seen);
    assert_eq!(lease(s, READING, 4).await, None);
    let expected = Job {
        id: run.job_id,
        tenant_id: tenant,
        kind: JobKind::ReadSite,
        subject: before.id.0,
        attempts: 1,
    };
    assert_eq!(lease(s, READING, 5).await, Some(expected));
}

/// A file that could not be read waits to be read as if it were new.
pub async fn a_refreshed_file_is_read_as_if_it_were_new(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let file = upload(s, &bot, NOON).await;
    let before = found(s, tenant, file).await;
    let job = lease(s, READING, 0).await.unwrap();
    s.knowledge
        .fail(tenant, file, "No words.", after(1))
        .await
        .unwrap();
    s.jobs.complete(&job, None).await.unwrap();
    let run = run_at(after(5));
    assert!(s.knowledge.refresh(tenant, file, run).await.unwrap());
    let now = found(s, tenant, file).await;
    assert_eq!((now.status, &now.error), (SourceStatus::Processing, &None));
    assert_eq!(now.progress, before.progress);
    let job = lease(s, READING, 5).await.unwrap();
    assert_eq!((job.kind, job.id), (JobKind::ReadFile, run.job_id));
    assert!(s.knowledge.file(tenant, file).await.unwrap().is_some());
}

/// Refreshing makes a later reading due now, leaves one that is due or at work, and works again after that.
pub async fn a_reading_is_hurried_unless_it_is_at_work(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let planned = run_at(after(1_000));
    let source = site(s, &bot, Some(planned)).await.id;
    let refresh = async |second| {
        let run = run_at(after(second));
        assert!(s.knowledge.refresh(tenant, source, run).await.unwrap());
        run
    };
    refresh(10).await;
    refresh(20).await;
    let job = lease(s, SITES, 10).await.unwrap();
    assert_eq!(job.id, planned.job_id);

    begin(s, tenant, source).await;
    let told = progress(ProgressUnit::Pages, 1, 2);
    s.knowledge
        .set_progress(tenant, source, told)
        .await
        .unwrap();
    let before = found(s, tenant, source).await;
    refresh(30).await;
    assert_eq!(found(s, tenant, source).await, before);
    assert_eq!(lease(s, SITES, 40).await, None);
    s.jobs.complete(&job, None).await.unwrap();
    assert_eq!(lease(s, SITES, 2_000).await, None);

    let new = refresh(50).await;
    assert_eq!(lease(s, SITES, 50).await.unwrap().id, new.job_id);
}

/// What was not read from anywhere is not read again; a source that is not there is none.
pub async fn text_is_not_read_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let text = source(s, &bot).await;
    let before = everything(s, tenant).await;
    let run = run_at(NOON);
    assert!(s.knowledge.refresh(tenant, text, run).await.unwrap());
    assert!(!s.knowledge.refresh(tenant, id(), run).await.unwrap());
    assert_eq!(everything(s, tenant).await, before);
    assert_eq!(lease(s, READING, 60).await, None);
}
