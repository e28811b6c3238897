//! A thread that embeds, one request after the other.

use std::sync::{Arc, mpsc};

use domain::answers::ProviderError;
use domain::embeddings::Embedding;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::folder::OpenError;
use crate::model::{Model, Tokens};

/// Tokens embedded at a time, padding included: more take memory and gain no speed.
const BATCH_TOKENS: usize = 1024;

type Embedded = Result<Vec<Embedding>, ProviderError>;

struct Request {
    texts: Vec<String>,
    reply: oneshot::Sender<Embedded>,
}

/// Takes requests; it ends when it is dropped.
pub(crate) struct Worker(mpsc::Sender<Request>);

impl Worker {
    /// `threads`: how many compute. `stands_back`: only on what processor time others leave.
    pub(crate) fn start(
        name: &str,
        threads: usize,
        stands_back: bool,
        model: Arc<Model>,
    ) -> Result<Self, OpenError> {
        let no_thread = |error: &dyn std::error::Error| OpenError::Thread(error.to_string());
        // The library computes on the pool that it is called in.
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name({
                let name = name.to_owned();
                move |_| name.clone()
            })
            .start_handler(move |_| {
                if stands_back {
                    stand_back();
                }
            })
            .build()
            .map_err(|error| no_thread(&error))?;
        let (sender, requests) = mpsc::channel();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(&requests, &pool, &model))
            .map_err(|error| no_thread(&error))?;
        Ok(Self(sender))
    }

    pub(crate) async fn embed(&self, texts: Vec<String>) -> Embedded {
        let gone = || ProviderError::Unavailable("the embedding thread has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.send(Request { texts, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn serve(requests: &mpsc::Receiver<Request>, pool: &ThreadPool, model: &Model) {
    while let Ok(request) = requests.recv() {
        // A fault of a library costs one request, not all that come after it.
        let work = || pool.install(|| embed(model, &request));
        let embedded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        if let Some(embedded) = embedded.unwrap_or_else(|_| Some(failed("it panicked"))) {
            // Nobody waits any more: nothing is lost, it can be made again.
            let _ = request.reply.send(embedded);
        }
    }
}

fn failed(why: &str) -> Embedded {
    tracing::warn!(why, "the local model failed");
    Err(ProviderError::BadAnswer(
        "the local model failed".to_owned(),
    ))
}

/// `None`: who asked waits no more.
fn embed(model: &Model, request: &Request) -> Option<Embedded> {
    let tokens: Result<Vec<Tokens>, String> = request
        .texts
        .iter()
        .map(|text| model.tokens(text))
        .collect();
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(why) => return Some(failed(&why)),
    };
    // Of like lengths together, so that little is padding.
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(tokens[at].len()));
    let mut made: Vec<Option<Embedding>> = vec![None; tokens.len()];
    let mut rest = order.as_slice();
    while let Some(&first) = rest.first() {
        if request.reply.is_closed() {
            return None;
        }
        let size = (BATCH_TOKENS / tokens[first].len()).clamp(1, rest.len());
        let (now, later) = rest.split_at(size);
        let batch: Vec<Tokens> = now.iter().map(|&at| tokens[at].clone()).collect();
        match model.embed(&batch) {
            Ok(vectors) => {
                for (&at, vector) in now.iter().zip(vectors) {
                    made[at] = Some(vector);
                }
            }
            Err(why) => return Some(failed(&why)),
        }
        rest = later;
    }
    Some(Ok(made.into_iter().flatten().collect()))
}

/// Gives this thread what processor time others leave.
fn stand_back() {
    // Elsewhere than on Linux, this would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::debug!(%error, "embedding can't stand back");
    }
}
