//! The load: clients that each send a message, wait for its answer, and send the next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use crate::http::Connection;

/// Turns in one conversation before a client begins another.
const TURNS: u64 = 8;

/// A connection that was idle for so long may be closed by the server just as a request goes out.
const STALE: Duration = Duration::from_secs(2);

/// What visitors of the demo's shop ask. Some are answered from its handbook, some are not.
const QUESTIONS: [&str; 16] = [
    "What are your opening hours?",
    "Are you open on Sunday?",
    "How long does shipping take?",
    "Do you ship to Switzerland?",
    "How much does shipping cost?",
    "Can I return a bag that I have opened?",
    "How do I get my money back?",
    "Where do the beans come from?",
    "Which coffee is good for espresso?",
    "Do you have decaf?",
    "How should I store the beans?",
    "Can I pay by card?",
    "Is there a subscription, and can I pause it?",
    "Do you offer barista courses?",
    "Where is the shop?",
    "What is the weather like on Mars?",
];

/// Where the load goes.
#[derive(Clone)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// Header lines with the credential.
    pub headers: String,
    /// Conversations that are there already, named `filled-N`; every second conversation is one of them.
    pub filled: u64,
}

/// What a load brought.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Turns that were answered.
    pub turns: usize,
    /// Answered in a second.
    pub per_second: f64,
    /// Half were answered within this many milliseconds.
    pub p50: f64,
    /// All but one in a hundred were.
    pub p99: f64,
}

/// Numbers for conversations that have not been used.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Runs `clients` at once for `time`. An answer that is not 200 ends the benchmark.
pub async fn run(target: &Target, clients: u64, time: Duration) -> Result<Outcome> {
    let target = Arc::new(target.clone());
    let began = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..clients {
        let target = Arc::clone(&target);
        running.spawn(async move { client(&target, number, clients, began + time).await });
    }
    let mut latencies = Vec::new();
    while let Some(done) = running.join_next().await {
        latencies.append(&mut done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    ensure!(!latencies.is_empty(), "no turn was answered in {time:?}");
    Ok(outcome(latencies, seconds))
}

/// Takes so many turns a second for `time`, one client each: however long an answer takes, the next visitor comes.
pub async fn paced(target: &Target, per_second: u32, time: Duration) -> Result<Outcome> {
    let (stop, stopped) = watch::channel(false);
    let timer = async {
        tokio::time::sleep(time).await;
        let _ = stop.send(true);
    };
    tokio::join!(paced_until(target, per_second, stopped), timer).0
}

/// The same until told to stop.
pub async fn paced_until(
    target: &Target,
    per_second: u32,
    mut stopped: watch::Receiver<bool>,
) -> Result<Outcome> {
    let began = Instant::now();
    let target = Arc::new(target.clone());
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut running = JoinSet::new();
    let idle: Arc<Mutex<Vec<(Connection, Instant)>>> = Arc::default();
    let mut turn = 0;
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = ticks.tick() => {}
        }
        let (target, idle) = (Arc::clone(&target), Arc::clone(&idle));
        turn += 1;
        running.spawn(async move {
            let asked = Instant::now();
            // The one used last: where it has been idle for long, so have the others.
            let connection = idle.lock().await.pop();
            let mut connection = match connection {
                Some((connection, since)) if since.elapsed() < STALE => connection,
                _ => Connection::open(target.address).await?,
            };
            let question = QUESTIONS[turn % QUESTIONS.len()];
            let path = path_of(&format!("paced-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
            let body = format!("{{\"message\":\"{question}\"}}");
            ask(&mut connection, &target, &path, &body).await?;
            idle.lock().await.push((connection, Instant::now()));
            anyhow::Ok(asked.elapsed())
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = running.join_next().await {
        latencies.push(done??);
    }
    ensure!(!latencies.is_empty(), "no turn was taken");
    Ok(outcome(latencies, began.elapsed().as_secs_f64()))
}

fn outcome(mut latencies: Vec<Duration>, seconds: f64) -> Outcome {
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = ((latencies.len() - 1) as f64 * share).round() as usize;
        latencies[place].as_secs_f64() * 1000.0
    };
    Outcome {
        turns: latencies.len(),
        per_second: latencies.len() as f64 / seconds,
        p50: at(0.5),
        p99: at(0.99),
    }
}

async fn ask(connection: &mut Connection, target: &Target, path: &str, body: &str) -> Result<()> {
    let answer = connection.ask("POST", path, &target.headers, body).await?;
    ensure!(
        answer.status() == 200,
        "{}: {}",
        answer.first_line,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

async fn client(
    target: &Target,
    number: u64,
    clients: u64,
    until: Instant,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(target.address).await?;
    let mut latencies = Vec::with_capacity(16 * 1024);
    let (mut path, mut turn) = (String::new(), 0);
    while Instant::now() < until {
        if turn % TURNS == 0 {
            path = path_of(&conversation(target, number, clients));
        }
        let question = QUESTIONS[((number * 5 + turn * 3) % QUESTIONS.len() as u64) as usize];
        let body = format!("{{\"message\":\"{question}\"}}");
        let asked = Instant::now();
        ask(&mut connection, target, &path, &body).await?;
        latencies.push(asked.elapsed());
        turn += 1;
    }
    Ok(latencies)
}

/// A new conversation, or one that is there. No two clients share one: that would measure its lock.
fn conversation(target: &Target, client: u64, clients: u64) -> String {
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let own = target.filled / clients;
    if own == 0 || next.is_multiple_of(2) {
        return format!("bench-{next}");
    }
    // A stride that spreads over the whole store, not along its end.
    let place = next.wrapping_mul(0x9E37_79B9_7F4A_7C15) % own;
    format!("filled-{}", place * clients + client)
}

/// Where a message to a conversation is sent.
pub fn path_of(session: &str) -> String {
    format!("/api/v1/conversations/{session}/messages")
}
