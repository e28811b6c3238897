//! Promises of [`domain::evaluations::Evaluations`].

use domain::bots::Bot;
use domain::evaluations::{
    Case, CaseResult, Evaluation, EvaluationStatus, Expected, Measured, Score,
};
use domain::jobs::JobKind;
use domain::trials::{Change, PromptChanges};
use domain::{ChunkId, Clash, Error, Resource, Timestamp};

use super::Ports;
use super::given::{NOON, after, id, no_bot, page, tenant_with_bot};
use super::jobs::lease;

const EVALUATE: &[JobKind] = &[JobKind::Evaluate];

fn new(bot: &Bot, cases: &[Case], at: Timestamp) -> Evaluation {
    Evaluation {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        status: EvaluationStatus::Running,
        cases: cases.len() as u32,
        score: Score::default(),
        error: None,
        change: None,
        published: None,
        created_at: at,
        finished_at: None,
    }
}

fn cases() -> Vec<Case> {
    let expected = [
        Expected::Phrases(vec!["nine".into(), "\u{1f600}".into()]),
        Expected::Chunks(vec![id::<ChunkId>()]),
        Expected::Nothing,
    ];
    let case = |(number, expected)| Case {
        question: format!("Question {number}?"),
        expected,
    };
    expected.into_iter().enumerate().map(case).collect()
}

/// An evaluation that is kept.
pub async fn evaluation(s: &Ports, bot: &Bot, at: Timestamp) -> Evaluation {
    let cases = cases();
    let evaluation = new(bot, &cases, at);
    s.evaluations
        .create(&evaluation, &cases, id())
        .await
        .unwrap();
    evaluation
}

fn result(rank: u32) -> CaseResult {
    CaseResult {
        rank: Some(rank),
        answerable: 0.5,
        answered: true,
        answer: format!("Answer {rank}."),
        is_right: true,
    }
}

/// An evaluation is kept with its cases, and waits as a job.
pub async fn an_evaluation_is_kept_with_its_cases(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let cases = cases();
    let kept = new(&bot, &cases, NOON);
    s.evaluations.create(&kept, &cases, id()).await.unwrap();
    let found = s.evaluations.find(tenant, kept.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&kept));
    let expected: Vec<_> = cases
        .iter()
        .map(|case| Measured {
            case: case.clone(),
            result: None,
        })
        .collect();
    let found = s.evaluations.cases(tenant, kept.id, 0, 9).await.unwrap();
    assert_eq!(found, expected);
    let part = s.evaluations.cases(tenant, kept.id, 1, 1).await.unwrap();
    assert_eq!(part, expected[1..2]);
    let job = lease(s, EVALUATE, 0).await.unwrap();
    assert_eq!((job.tenant_id, job.evaluation()), (tenant, kept.id));
    s.jobs.retry(&job, after(5)).await.unwrap();
    let again = lease(s, EVALUATE, 5).await.unwrap();
    s.jobs.complete(&again, None).await.unwrap();
    assert_eq!(lease(s, EVALUATE, 9).await, None);

    let taken = s.evaluations.create(&kept, &cases, id()).await;
    assert!(
        matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))),
        "{taken:?}"
    );
    let homeless = Evaluation {
        id: id(),
        bot_id: no_bot(),
        ..kept
    };
    let refused = s.evaluations.create(&homeless, &cases, id()).await;
    assert!(
        matches!(refused, Err(Error::NotFound(Resource::Bot))),
        "{refused:?}"
    );
}

/// Results are kept as they come, and the end after them.
pub async fn results_are_kept_as_they_come(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let one = evaluation(s, &bot, NOON).await;
    let score = Score {
        answerable: 2,
        found_first: 1,
        ..Score::default()
    };
    let results = [result(1), result(2)];
    s.evaluations
        .record(tenant, one.id, 1, &results, &score)
        .await
        .unwrap();
    let found = s.evaluations.cases(tenant, one.id, 0, 9).await.unwrap();
    let results: Vec<_> = found.into_iter().map(|case| case.result).collect();
    assert_eq!(results, [None, Some(result(1)), Some(result(2))]);
    let running = s.evaluations.find(tenant, one.id).await.unwrap().unwrap();
    assert_eq!(
        (running.score, running.status),
        (score, EvaluationStatus::Running)
    );
    let two = evaluation(s, &bot, NOON).await;
    for (evaluation, error, status) in [
        (&one, None, EvaluationStatus::Done),
        (&two, Some("No."), EvaluationStatus::Failed),
    ] {
        s.evaluations
            .finish(tenant, evaluation.id, error, None, after(3))
            .await
            .unwrap();
        let ended = s.evaluations.find(tenant, evaluation.id).await.unwrap();
        let ended = ended.unwrap();
        assert_eq!((ended.status, ended.error.as_deref()), (status, error));
        assert_eq!(ended.finished_at, Some(after(3)));
    }
}

/// A bot's evaluations are listed newest first, and go with it.
pub async fn evaluations_are_listed_and_go_with_their_bot(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (stranger, theirs) = tenant_with_bot(s).await;
    let (old, new) = (
        evaluation(s, &bot, after(1)).await,
        evaluation(s, &bot, after(2)).await,
    );
    evaluation(s, &theirs, after(3)).await;
    let listed = s
        .evaluations
        .list(tenant, bot.id, page(1, 1))
        .await
        .unwrap();
    assert_eq!((listed.items, listed.total), (vec![new.clone()], 2));
    let listed = s
        .evaluations
        .list(tenant, bot.id, page(2, 1))
        .await
        .unwrap();
    assert_eq!(listed.items, [old]);
    let none = s.evaluations.list(stranger, bot.id, page(1, 9)).await;
    assert_eq!(none.unwrap().total, 0);
    assert_eq!(s.evaluations.find(stranger, new.id).await.unwrap(), None);
    let none = s.evaluations.cases(stranger, new.id, 0, 9).await.unwrap();
    assert_eq!(none, []);
    let score = Score::default();
    let forged = [result(1)];
    s.evaluations
        .record(stranger, new.id, 0, &forged, &score)
        .await
        .unwrap();
    let untouched = s.evaluations.cases(tenant, new.id, 0, 1).await.unwrap();
    assert_eq!(untouched[0].result, None);
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(s.evaluations.find(tenant, new.id).await.unwrap(), None);
    let job = lease(s, EVALUATE, 9).await.unwrap();
    assert_eq!(job.tenant_id, stranger);
    assert_eq!(lease(s, EVALUATE, 9).await, None);
}

/// The change that an evaluation decides on is kept, and whether it was made; the newest of what is in force is known.
pub async fn what_an_evaluation_decides_on_is_kept(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let newest = async || {
        let found = s.evaluations.newest_in_force(tenant, bot.id).await.unwrap();
        found.map(|evaluation| evaluation.id)
    };
    let changes = [
        None,
        Some(Change::EnableSource { source_id: id() }),
        Some(Change::SwitchEmbeddings {
            model: None,
            hold: true,
        }),
        Some(Change::Settings(PromptChanges {
            system_prompt: Some(None),
            ..PromptChanges::default()
        })),
    ];
    let mut in_force = None;
    for (at, (change, published)) in
        (1..).zip(
            changes
                .into_iter()
                .zip([None, Some(false), Some(true), Some(false)]),
        )
    {
        let kept = Evaluation {
            change,
            ..new(&bot, &cases(), after(at))
        };
        s.evaluations.create(&kept, &cases(), id()).await.unwrap();
        let found = s.evaluations.find(tenant, kept.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&kept));
        assert_eq!(newest().await, in_force, "it has not ended");
        s.evaluations
            .finish(tenant, kept.id, None, published, after(at))
            .await
            .unwrap();
        let found = s.evaluations.find(tenant, kept.id).await.unwrap().unwrap();
        assert_eq!((found.change, found.published), (kept.change, published));
        if published != Some(false) {
            in_force = Some(kept.id);
        }
        assert_eq!(newest().await, in_force);
    }
    let failed = evaluation(s, &bot, after(9)).await;
    let end = s
        .evaluations
        .finish(tenant, failed.id, Some("No."), None, after(9));
    end.await.unwrap();
    assert_eq!(newest().await, in_force);
    let (stranger, _) = tenant_with_bot(s).await;
    let none = s.evaluations.newest_in_force(stranger, bot.id).await;
    assert_eq!(none.unwrap(), None);
}
