//! A provider that misbehaves: each fault has its error, in time, and nothing secret in it.

use std::time::{Duration, Instant};

use contracts::answers::{Pieces, question};
use contracts::fakes::openai::{Behaviour, FakeOpenAi};
use domain::answers::{Answer, AnswerModel, Discard, ProviderError};
use llm::{Limits, OpenAi};

use super::{KEY, limits, openai_with};

async fn ask(model: &OpenAi) -> Result<Answer, ProviderError> {
    let began = Instant::now();
    let result = model
        .answer(&question("What is in stock?"), &mut Discard)
        .await;
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "took {:?}",
        began.elapsed()
    );
    if let Err(error) = &result {
        for secret in [KEY, "stock", "127.0.0.1", "as the test asked"] {
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
        }
    }
    result
}

/// What comes of one fault, with no other to follow, and how many requests were made.
async fn once(behaviour: Behaviour) -> (Result<Answer, ProviderError>, usize) {
    let provider = FakeOpenAi::start().await;
    provider.next(behaviour);
    let result = ask(&openai_with(&provider, limits())).await;
    (result, provider.requests().len())
}

/// What comes of a fault that stays.
async fn always(behaviour: Behaviour) -> (ProviderError, usize) {
    let provider = FakeOpenAi::start().await;
    provider.always(behaviour);
    let error = ask(&openai_with(&provider, limits())).await.unwrap_err();
    (error, provider.requests().len())
}

fn unavailable(why: &str) -> ProviderError {
    ProviderError::Unavailable(why.into())
}

fn bad(why: &str) -> ProviderError {
    ProviderError::BadAnswer(why.into())
}

#[tokio::test]
async fn refused_connections_are_unavailable() {
    let mut provider = FakeOpenAi::start().await;
    let model = openai_with(&provider, limits());
    provider.stop().await;
    assert_eq!(ask(&model).await.unwrap_err(), unavailable("no connection"));
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    for code in [408, 429, 500, 502, 503, 504, 529] {
        let (result, requests) = once(Behaviour::status(code)).await;
        assert!(result.is_ok(), "{code}: {result:?}");
        assert_eq!(requests, 2, "{code}");
    }
    let (result, requests) = once(Behaviour::HangUp).await;
    assert!(result.is_ok() && requests == 2, "{result:?}");
}

#[tokio::test]
async fn faults_that_stay_are_told_after_the_retries() {
    assert_eq!(
        always(Behaviour::status(500)).await,
        (unavailable("500 test_error"), 4)
    );
    assert_eq!(
        always(Behaviour::status(503)).await,
        (unavailable("503 test_error"), 4)
    );
    assert_eq!(
        always(Behaviour::status(429)).await,
        (ProviderError::RateLimited { retry_after: None }, 4)
    );
}

#[tokio::test]
async fn refusals_are_told_at_once() {
    for code in [302, 400, 401, 403, 404, 422] {
        let told = ProviderError::Refused(format!("{code} test_error"));
        assert_eq!(always(Behaviour::status(code)).await, (told, 1));
    }
}

#[tokio::test]
async fn retry_after_is_kept_to() {
    let began = Instant::now();
    let (result, _) = once(Behaviour::status_with(429, &[("retry-after", "1")])).await;
    assert!(result.is_ok() && began.elapsed() >= Duration::from_secs(1));

    let date = [
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT"),
    ];
    let began = Instant::now();
    let (result, _) = once(Behaviour::status_with(503, &date)).await;
    assert!(result.is_ok() && began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_retry_after_that_is_too_long_is_not_waited_for() {
    for (value, seconds) in [("60", 60), ("99999999999999999999", 3600)] {
        let began = Instant::now();
        let (error, requests) =
            always(Behaviour::status_with(429, &[("retry-after", value)])).await;
        let retry_after = Some(Duration::from_secs(seconds));
        assert_eq!(
            (error, requests),
            (ProviderError::RateLimited { retry_after }, 1)
        );
        assert!(began.elapsed() < Duration::from_millis(500));
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up() {
    assert_eq!(always(Behaviour::Hang).await, (ProviderError::TimedOut, 1));
}

#[tokio::test]
async fn slow_pieces_are_waited_for_within_the_idle_time() {
    let slow = |pause| Behaviour::Slow {
        text: "a b c d".into(),
        pause: Duration::from_millis(pause),
    };
    assert_eq!(once(slow(50)).await.0.unwrap().text, "a b c d");
    assert_eq!(
        once(slow(600)).await.0.unwrap_err(),
        ProviderError::TimedOut
    );
}

#[tokio::test]
async fn a_trickle_ends_at_the_total_time() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Trickle {
        pause: Duration::from_millis(100),
    });
    let patient = Limits {
        first_byte: Duration::from_secs(60),
        total: Duration::from_secs(1),
        ..limits()
    };
    let began = Instant::now();
    let error = ask(&openai_with(&provider, patient)).await.unwrap_err();
    assert_eq!(error, ProviderError::TimedOut);
    assert!(began.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn what_is_no_answer_is_a_bad_answer() {
    for (behaviour, why) in [
        (Behaviour::Html, "a web page"),
        (Behaviour::BrokenJson, "broken JSON"),
        (Behaviour::NoChoices, "no text"),
        (Behaviour::EmptyText, "no text"),
        (Behaviour::answer(" \n "), "no text"),
        (Behaviour::PlainJson(String::new()), "no text"),
        (
            Behaviour::Status {
                code: 200,
                headers: Vec::new(),
                body: "{\"choices\": []}".into(),
            },
            "no choices",
        ),
        (
            Behaviour::Status {
                code: 200,
                headers: Vec::new(),
                body: "{\"choices".into(),
            },
            "broken JSON",
        ),
        (
            Behaviour::Status {
                code: 200,
                headers: Vec::new(),
                body: String::new(),
            },
            "broken JSON",
        ),
    ] {
        let shown = format!("{behaviour:?}");
        assert_eq!(always(behaviour).await, (bad(why), 1), "{shown}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_cut_off() {
    let (error, _) = always(Behaviour::Huge(50_000_000)).await;
    assert_eq!(error, bad("too large"));
    let body = format!("{{\"junk\": \"{}\"}}", "x".repeat(20_000_000));
    let (error, _) = always(Behaviour::Status {
        code: 200,
        headers: Vec::new(),
        body,
    })
    .await;
    assert_eq!(error, bad("too large"));
    let (error, _) = always(Behaviour::PlainJson("x".repeat(2_000_000))).await;
    assert_eq!(error, bad("too large"));
}

#[tokio::test]
async fn a_stream_without_its_end_is_no_answer_and_not_asked_for_again() {
    for behaviour in [
        Behaviour::Cut("We have".into()),
        Behaviour::NoEndMark("We have".into()),
    ] {
        let provider = FakeOpenAi::start().await;
        provider.next(behaviour);
        let mut pieces = Pieces::default();
        let model = openai_with(&provider, limits());
        let error = model.answer(&question("?"), &mut pieces).await.unwrap_err();
        assert_eq!(error, unavailable("stream cut"));
        assert_eq!(pieces.0, ["We have"]);
        assert_eq!(provider.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_error_inside_a_stream_is_told() {
    let error = |code: &str| Behaviour::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/event-stream".into())],
        body: format!("data: {{\"error\": {{\"type\": \"{code}\", \"message\": \"m\"}}}}\n\n"),
    };
    assert_eq!(
        always(error("server_error")).await,
        (unavailable("server_error"), 4)
    );
    let refused = ProviderError::Refused("invalid_request_error".into());
    assert_eq!(always(error("invalid_request_error")).await, (refused, 1));
}

#[tokio::test]
async fn a_dead_provider_is_left_alone_for_a_while() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(500));
    let model = openai_with(
        &provider,
        Limits {
            retries: 0,
            ..limits()
        },
    );
    for _ in 0..5 {
        ask(&model).await.unwrap_err();
    }
    let began = Instant::now();
    assert_eq!(
        ask(&model).await.unwrap_err(),
        unavailable("it failed several times in a row")
    );
    assert!(began.elapsed() < Duration::from_millis(20));
    assert_eq!(provider.requests().len(), 5);

    provider.always(Behaviour::Echo);
    tokio::time::sleep(Duration::from_millis(350)).await;
    for _ in 0..3 {
        ask(&model).await.unwrap();
    }
}

#[tokio::test]
async fn dropping_the_future_hangs_up() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Slow {
        text: "a b c d e f g h".into(),
        pause: Duration::from_millis(50),
    });
    let model = openai_with(&provider, limits());
    let asked = question("?");
    let mut sink = Pieces::default();
    let work = model.answer(&asked, &mut sink);
    assert!(
        tokio::time::timeout(Duration::from_millis(120), work)
            .await
            .is_err()
    );
    assert!(!sink.0.is_empty(), "it had begun");
    for _ in 0..50 {
        if provider.connections() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the connection is still open");
}
