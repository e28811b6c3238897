//! Promises of [`domain::jobs::JobQueue`].

use std::collections::BTreeSet;
use std::time::Duration;

use domain::jobs::{Job, JobKind, NextRun};
use domain::knowledge::{SourceStatus, Staged};

use super::Ports;
use super::given::{
    NOON, after, content, id, new_site, new_upload, read, run_at, site, source, tenant_with_bot,
    upload, web_page,
};
use super::races::at_once;

const LEASE: Duration = Duration::from_secs(60);
/// All but embedding, which waits for every source that can be answered from.
pub(super) const READING: &[JobKind] =
    &[JobKind::ReadFile, JobKind::ReadSite, JobKind::SweepSource];

/// Leases a job of these kinds at that second.
pub(super) async fn lease(s: &Ports, kinds: &'static [JobKind], second: i64) -> Option<Job> {
    s.jobs
        .lease(kinds, after(second), LEASE, &[])
        .await
        .unwrap()
}

/// A staged file's job is leased as it was staged; where nothing waits, there is none.
pub async fn a_staged_file_waits_as_a_job(s: &Ports) {
    assert_eq!(lease(s, JobKind::ALL, 0).await, None);
    let (tenant, bot) = tenant_with_bot(s).await;
    source(s, &bot).await;
    assert_eq!(lease(s, READING, 0).await, None);
    let (source, file) = new_upload(&bot, b"Words.");
    s.knowledge.stage(&source, &file).await.unwrap();
    let expected = Job {
        id: file.job_id,
        tenant_id: tenant,
        kind: JobKind::ReadFile,
        subject: source.id.0,
        attempts: 1,
    };
    assert_eq!(lease(s, READING, 1).await, Some(expected));
    assert_eq!(lease(s, READING, 1).await, None);
}

/// The job that has waited longest is leased first.
pub async fn jobs_are_leased_in_the_order_of_waiting(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let (_, other) = tenant_with_bot(s).await;
    let mut waiting = Vec::new();
    for (second, bot) in [(30, &bot), (10, &other), (20, &bot)] {
        waiting.push((second, upload(s, bot, after(second)).await));
    }
    waiting.sort();
    for (_, source) in waiting {
        assert_eq!(lease(s, READING, 40).await.unwrap().source(), source);
    }
}

/// Twenty workers at once get five jobs, each once.
pub async fn a_job_is_leased_to_one_worker(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    for second in 0..5 {
        upload(s, &bot, after(second)).await;
    }
    let leased = at_once(s, 20, |s, _| async move { lease(&s, READING, 10).await }).await;
    let jobs: Vec<_> = leased.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = jobs.iter().map(|job| job.id).collect();
    assert_eq!((jobs.len(), distinct.len()), (5, 5));
    assert!(jobs.iter().all(|job| job.attempts == 1));
}

/// A lease that ran out is handed out again, counted, and the old holder's word counts no more.
pub async fn a_lease_that_ran_out_is_handed_out_again(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let old = lease(s, READING, 0).await.unwrap();
    assert_eq!(lease(s, READING, 59).await, None);
    let new = lease(s, READING, 61).await.unwrap();
    assert_eq!(
        new,
        Job {
            attempts: 2,
            ..old.clone()
        }
    );

    assert!(!s.jobs.extend(&old, after(62), LEASE).await.unwrap());
    s.jobs.retry(&old, after(62)).await.unwrap();
    assert_eq!(
        lease(s, READING, 63).await,
        None,
        "the old holder gave back what is not its own"
    );
    s.jobs.complete(&old, None).await.unwrap();
    assert!(
        s.jobs.extend(&new, after(64), LEASE).await.unwrap(),
        "the old holder's end counted"
    );

    s.jobs.complete(&new, None).await.unwrap();
    assert!(!s.jobs.extend(&new, after(65), LEASE).await.unwrap());
    assert_eq!(lease(s, READING, 1_000).await, None);
}

/// A job that is held on to is not handed out while its new lease lasts.
pub async fn an_extended_lease_lasts_longer(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let job = lease(s, READING, 0).await.unwrap();
    assert!(s.jobs.extend(&job, after(50), LEASE).await.unwrap());
    assert_eq!(lease(s, READING, 109).await, None);
    assert_eq!(lease(s, READING, 111).await.unwrap().attempts, 2);
}

/// A job that is given back waits until it is due.
pub async fn a_job_given_back_waits_until_it_is_due(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let job = lease(s, READING, 0).await.unwrap();
    s.jobs.retry(&job, after(300)).await.unwrap();
    assert_eq!(lease(s, READING, 299).await, None);
    let again = lease(s, READING, 300).await.unwrap();
    assert_eq!(again, Job { attempts: 2, ..job });
}

/// A job that is done is forgotten.
pub async fn a_job_that_is_done_is_forgotten(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let waiting = upload(s, &bot, after(1)).await;
    let job = lease(s, READING, 10).await.unwrap();
    s.jobs.complete(&job, None).await.unwrap();
    assert_eq!(lease(s, READING, 1_000).await.unwrap().source(), waiting);
    assert_eq!(lease(s, READING, 1_000).await, None);
}

/// A job goes with its source, waiting or leased, and with its bot.
pub async fn a_job_goes_with_its_source(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let leased = upload(s, &bot, NOON).await;
    let job = lease(s, READING, 0).await.unwrap();
    let waiting = upload(s, &bot, NOON).await;
    for source in [leased, waiting] {
        assert!(s.knowledge.delete(tenant, source).await.unwrap());
    }
    assert!(!s.jobs.extend(&job, after(1), LEASE).await.unwrap());
    s.jobs.complete(&job, None).await.unwrap();
    s.jobs.retry(&job, after(2)).await.unwrap();
    upload(s, &bot, NOON).await;
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(lease(s, READING, 1_000).await, None);
}

/// At a start, what a dead process had leased is due at once, and its lease counts no more.
pub async fn released_jobs_are_due_at_once(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    for second in 0..3 {
        upload(s, &bot, after(second)).await;
    }
    let held = [
        lease(s, READING, 10).await.unwrap(),
        lease(s, READING, 10).await.unwrap(),
    ];
    s.jobs.release_all().await.unwrap();
    let mut attempts = Vec::new();
    while let Some(job) = lease(s, READING, 10).await {
        attempts.push(job.attempts);
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 2]);
    for job in &held {
        assert!(!s.jobs.extend(job, after(11), LEASE).await.unwrap());
    }
}

/// A staged website's job is one to read a site.
pub async fn a_staged_site_waits_as_a_job(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (site, _) = new_site(&bot, Vec::new());
    let site = domain::knowledge::KnowledgeSource {
        status: SourceStatus::Processing,
        ..site
    };
    let staged = Staged {
        job_id: id(),
        file: None,
    };
    s.knowledge.stage(&site, &staged).await.unwrap();
    assert_eq!(s.knowledge.file(tenant, site.id).await.unwrap(), None);
    let expected = Job {
        id: staged.job_id,
        tenant_id: tenant,
        kind: JobKind::ReadSite,
        subject: site.id.0,
        attempts: 1,
    };
    assert_eq!(lease(s, READING, 1).await, Some(expected));
}

/// Only jobs of the kinds asked for are leased: of each lane by itself, the one that has waited longest.
pub async fn jobs_are_leased_by_their_kinds(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let site = site(s, &bot, Some(run_at(after(1)))).await;
    let file = upload(s, &bot, after(2)).await;
    let swept = source(s, &bot).await;
    assert!(read(s, tenant, swept, &content(1), after(3)).await);
    let [reading, crawling, embedding, ..] = JobKind::LANES;
    assert_eq!(lease(s, &[], 10).await, None);
    let only = lease(s, &[JobKind::SweepSource], 10).await.unwrap();
    assert_eq!(only.source(), swept);
    s.jobs.retry(&only, after(3)).await.unwrap();
    for expected in [(JobKind::ReadFile, file), (JobKind::SweepSource, swept)] {
        let job = lease(s, reading, 10).await.unwrap();
        assert_eq!((job.kind, job.source()), expected);
    }
    assert_eq!(lease(s, reading, 10).await, None);
    let job = lease(s, crawling, 10).await.unwrap();
    assert_eq!((job.kind, job.source()), (JobKind::ReadSite, site.id));
    let embedded = async || lease(s, embedding, 10).await.map(|job| job.source());
    for expected in [Some(site.id), Some(swept), None] {
        assert_eq!(embedded().await, expected);
    }
    assert_eq!(lease(s, JobKind::ALL, 10).await, None);
}

/// A job that is done can be wanted again: as a new one of its kind, from then on.
pub async fn a_job_that_is_done_can_be_wanted_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let site = site(s, &bot, Some(run_at(NOON))).await;
    let job = lease(s, READING, 0).await.unwrap();
    let next = run_at(after(300));
    s.jobs.complete(&job, Some(next)).await.unwrap();
    assert!(!s.jobs.extend(&job, after(1), LEASE).await.unwrap());
    assert_eq!(lease(s, READING, 299).await, None);
    let expected = Job {
        id: next.job_id,
        tenant_id: tenant,
        kind: JobKind::ReadSite,
        subject: site.id.0,
        attempts: 1,
    };
    assert_eq!(lease(s, READING, 300).await, Some(expected));
}

/// Who has lost a lease says nothing about when the job runs again.
pub async fn a_lost_lease_wants_nothing_again(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let site = site(s, &bot, Some(run_at(NOON))).await;
    let old = lease(s, READING, 0).await.unwrap();
    let new = lease(s, READING, 61).await.unwrap();
    let wanted = Some(run_at(after(70)));
    s.jobs.complete(&old, wanted).await.unwrap();
    assert!(s.jobs.extend(&new, after(62), LEASE).await.unwrap());
    s.jobs.complete(&new, None).await.unwrap();
    s.jobs.complete(&old, wanted).await.unwrap();
    assert_eq!(lease(s, READING, 1_000).await, None);
    // Neither does one whose source is gone.
    let run = NextRun {
        job_id: id(),
        due: after(1_000),
    };
    assert!(s.knowledge.refresh(tenant, site.id, run).await.unwrap());
    let gone = lease(s, READING, 1_000).await.unwrap();
    assert!(s.knowledge.delete(tenant, site.id).await.unwrap());
    s.jobs.complete(&gone, wanted).await.unwrap();
    assert_eq!(lease(s, READING, 2_000).await, None);
}

/// A source has one job of a kind, however often and by how many at once it is asked for.
pub async fn a_source_has_one_job_of_a_kind(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let site = site(s, &bot, None).await.id;
    let pages = vec![web_page("c", "Three")];
    let other = new_site(&bot, pages);
    s.knowledge
        .create(&other.0, &other.1, Some(run_at(after(10))))
        .await
        .unwrap();
    at_once(s, 10, move |s, number| async move {
        let run = run_at(after(number as i64));
        assert!(s.knowledge.refresh(tenant, site, run).await.unwrap());
    })
    .await;
    let mut found = Vec::new();
    while let Some(job) = lease(s, READING, 10).await {
        found.push(job.source());
    }
    found.sort_unstable();
    let mut expected = [site, other.0.id];
    expected.sort_unstable();
    assert_eq!(found, expected);
}
