//! Promises of [`domain::jobs::JobQueue`].

use std::collections::BTreeSet;
use std::time::Duration;

use domain::jobs::{Job, JobKind};

use super::Ports;
use super::given::{NOON, after, new_upload, source, tenant_with_bot, upload};
use super::races::at_once;

const LEASE: Duration = Duration::from_secs(60);

async fn lease(s: &Ports, second: i64) -> Option<Job> {
    s.jobs.lease(after(second), LEASE).await.unwrap()
}

/// A staged file's job is leased as it was staged; where nothing waits, there is none.
pub async fn a_staged_file_waits_as_a_job(s: &Ports) {
    assert_eq!(lease(s, 0).await, None);
    let (tenant, bot) = tenant_with_bot(s).await;
    source(s, &bot).await;
    assert_eq!(lease(s, 0).await, None);
    let (source, file) = new_upload(&bot, b"Words.");
    s.knowledge.stage(&source, &file).await.unwrap();
    let expected = Job {
        id: file.job_id,
        tenant_id: tenant,
        kind: JobKind::ReadFile,
        source_id: source.id,
        attempts: 1,
    };
    assert_eq!(lease(s, 1).await, Some(expected));
    assert_eq!(lease(s, 1).await, None);
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
        assert_eq!(lease(s, 40).await.unwrap().source_id, source);
    }
}

/// Twenty workers at once get five jobs, each once.
pub async fn a_job_is_leased_to_one_worker(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    for second in 0..5 {
        upload(s, &bot, after(second)).await;
    }
    let leased = at_once(s, 20, |s, _| async move { lease(&s, 10).await }).await;
    let jobs: Vec<_> = leased.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = jobs.iter().map(|job| job.id).collect();
    assert_eq!((jobs.len(), distinct.len()), (5, 5));
    assert!(jobs.iter().all(|job| job.attempts == 1));
}

/// A lease that ran out is handed out again, counted, and the old holder's word counts no more.
pub async fn a_lease_that_ran_out_is_handed_out_again(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let old = lease(s, 0).await.unwrap();
    assert_eq!(lease(s, 59).await, None);
    let new = lease(s, 61).await.unwrap();
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
        lease(s, 63).await,
        None,
        "the old holder gave back what is not its own"
    );
    s.jobs.complete(&old).await.unwrap();
    assert!(
        s.jobs.extend(&new, after(64), LEASE).await.unwrap(),
        "the old holder's end counted"
    );

    s.jobs.complete(&new).await.unwrap();
    assert!(!s.jobs.extend(&new, after(65), LEASE).await.unwrap());
    assert_eq!(lease(s, 1_000).await, None);
}

/// A job that is held on to is not handed out while its new lease lasts.
pub async fn an_extended_lease_lasts_longer(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let job = lease(s, 0).await.unwrap();
    assert!(s.jobs.extend(&job, after(50), LEASE).await.unwrap());
    assert_eq!(lease(s, 109).await, None);
    assert_eq!(lease(s, 111).await.unwrap().attempts, 2);
}

/// A job that is given back waits until it is due.
pub async fn a_job_given_back_waits_until_it_is_due(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let job = lease(s, 0).await.unwrap();
    s.jobs.retry(&job, after(300)).await.unwrap();
    assert_eq!(lease(s, 299).await, None);
    let again = lease(s, 300).await.unwrap();
    assert_eq!(again, Job { attempts: 2, ..job });
}

/// A job that is done is forgotten.
pub async fn a_job_that_is_done_is_forgotten(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    upload(s, &bot, NOON).await;
    let waiting = upload(s, &bot, after(1)).await;
    let job = lease(s, 10).await.unwrap();
    s.jobs.complete(&job).await.unwrap();
    assert_eq!(lease(s, 1_000).await.unwrap().source_id, waiting);
    assert_eq!(lease(s, 1_000).await, None);
}

/// A job goes with its source, waiting or leased, and with its bot.
pub async fn a_job_goes_with_its_source(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let leased = upload(s, &bot, NOON).await;
    let job = lease(s, 0).await.unwrap();
    let waiting = upload(s, &bot, NOON).await;
    for source in [leased, waiting] {
        assert!(s.knowledge.delete(tenant, source).await.unwrap());
    }
    assert!(!s.jobs.extend(&job, after(1), LEASE).await.unwrap());
    s.jobs.complete(&job).await.unwrap();
    s.jobs.retry(&job, after(2)).await.unwrap();
    upload(s, &bot, NOON).await;
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(lease(s, 1_000).await, None);
}

/// At a start, what a dead process had leased is due at once, and its lease counts no more.
pub async fn released_jobs_are_due_at_once(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    for second in 0..3 {
        upload(s, &bot, after(second)).await;
    }
    let held = [lease(s, 10).await.unwrap(), lease(s, 10).await.unwrap()];
    s.jobs.release_all().await.unwrap();
    let mut attempts = Vec::new();
    while let Some(job) = lease(s, 10).await {
        attempts.push(job.attempts);
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 2]);
    for job in &held {
        assert!(!s.jobs.extend(job, after(11), LEASE).await.unwrap());
    }
}
