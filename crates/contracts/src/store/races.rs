//! Doing things at once.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Ports;

/// Runs `count` tasks that start together, and answers what they answer.
pub async fn at_once<T, F>(
    s: &Ports,
    count: usize,
    task: impl Fn(Ports, usize) -> F + Clone + Send + 'static,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (s, task, barrier) = (s.clone(), task.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            task(s, number).await
        });
    }
    tasks.join_all().await
}

/// How many of the answers are good.
pub fn successes<T, E>(answers: &[Result<T, E>]) -> usize {
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// Lets a call go on for a while (zero: polls it once) and drops it, as a server does with the work of a
/// client that hung up.
pub async fn drop_after<F: Future>(patience: Duration, call: F) {
    let mut call = Box::pin(call);
    if patience.is_zero() {
        std::future::poll_fn(|context| {
            let _ = call.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    } else {
        let _ = tokio::time::timeout(patience, call).await;
    }
}

/// Waits until something holds: work whose caller has gone may still be on its way.
pub async fn eventually<F: Future<Output = Result<(), String>>>(check: impl Fn() -> F) {
    let mut problem = String::new();
    for _ in 0..100 {
        match check().await {
            Ok(()) => return,
            Err(found) => problem = found,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still after five seconds: {problem}");
}
