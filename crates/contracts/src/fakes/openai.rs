//! A provider of chat completions on 127.0.0.1: real HTTP/1.1 over a real socket, with the answers and the
//! faults that a test asks for. It speaks the dialects of OpenAI (`/v1/chat/completions`) and of Anthropic
//! (`/v1/messages`), streamed and whole, calls tools, and embeds (`/v1/embeddings`) unless a fault was asked for.
//!
//! It is written on bare TCP because a fault must be exact: a stream cut between two bytes, an answer that
//! never comes. Without faults it costs little enough to stand behind a benchmark.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use contracts::fakes::openai::{Behaviour, FakeOpenAi};
//!
//! let provider = FakeOpenAi::start().await;           // echoes, unless told otherwise
//! provider.always(Behaviour::answer("We open at nine."));
//! provider.next(Behaviour::status(503));              // the first request fails, all others are answered
//! // ... point the system under test to provider.base_url(), then look at what it sent:
//! assert!(provider.requests().is_empty());
//! # });
//! ```

mod connection;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How many requests are remembered; the oldest are forgotten, so that a benchmark can run for long.
const REMEMBERED: usize = 1_000;

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers with these words, a word at a time where a stream is asked for.
    Answer(String),
    /// Wants these tools called (names, and arguments as the model writes them, whole or broken), whole.
    Calls(Vec<(String, String)>),
    /// Answers with the visitor's last message.
    Echo,
    /// Answers with a status and these headers (names and values) and body.
    Status {
        /// Status code.
        code: u16,
        /// Headers beside the content length.
        headers: Vec<(String, String)>,
        /// The body; JSON by its content type unless `headers` has another.
        body: String,
    },
    /// Takes the request and never answers.
    Hang,
    /// Streams the words with a pause before each.
    Slow {
        /// The words.
        text: String,
        /// The pause.
        pause: Duration,
    },
    /// Sends the bytes of a good stream one by one, with a pause before each.
    Trickle {
        /// The pause.
        pause: Duration,
    },
    /// Closes the connection without an answer.
    HangUp,
    /// Streams these words, then cuts the connection in the middle of the stream.
    Cut(String),
    /// Streams these words and ends the body properly, but with no finish reason and no end mark.
    NoEndMark(String),
    /// A web page with status 200, as captive portals and wrong addresses give.
    Html,
    /// JSON that breaks off, as one event of a stream.
    BrokenJson,
    /// A good stream without a single choice.
    NoChoices,
    /// A good stream or body whose text is empty.
    EmptyText,
    /// Streams words until this many bytes are sent.
    Huge(usize),
    /// Answers whole, as JSON, although a stream was asked for.
    PlainJson(String),
}

impl Behaviour {
    /// [`Behaviour::Answer`].
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer(text.into())
    }

    /// [`Behaviour::Calls`] of one tool.
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::calls(&[(name, arguments)])
    }

    /// [`Behaviour::Calls`].
    pub fn calls(calls: &[(&str, Value)]) -> Self {
        let calls = calls
            .iter()
            .map(|(name, arguments)| ((*name).into(), arguments.to_string()));
        Self::Calls(calls.collect())
    }

    /// A status with an error body as OpenAI writes it.
    pub fn status(code: u16) -> Self {
        Self::status_with(code, &[])
    }

    /// A status with headers.
    pub fn status_with(code: u16, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        Self::Status {
            code,
            headers: headers.collect(),
            body: json!({"error": {"message": "as the test asked", "type": "test_error", "code": null}})
                .to_string(),
        }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The path with its query.
    pub path: String,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; `Null` where it was no JSON.
    pub body: Value,
}

impl Recorded {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Behaviour>,
    default: Option<Behaviour>,
    requests: VecDeque<Recorded>,
    synonyms: HashMap<String, String>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    open: AtomicUsize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The provider; it stops when dropped.
pub struct FakeOpenAi {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinSet<()>,
}

impl FakeOpenAi {
    /// Starts a provider on a free port, which echoes.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let mut listening = JoinSet::new();
        listening.spawn(connection::accept(listener, shared.clone()));
        Self {
            address,
            shared,
            listening,
        }
    }

    /// Where it is, for the dialect of OpenAI: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it is, for the dialect of Anthropic: `http://127.0.0.1:PORT`.
    pub fn anthropic_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What to do with the next request for which nothing was planned yet.
    pub fn next(&self, behaviour: Behaviour) -> &Self {
        self.shared.state().queue.push_back(behaviour);
        self
    }

    /// What to do when nothing is planned.
    pub fn always(&self, behaviour: Behaviour) -> &Self {
        self.shared.state().default = Some(behaviour);
        self
    }

    /// Embeds words as if they were the first of them: in lower case, each of more than three letters.
    pub fn teach(&self, words: &[&str]) -> &Self {
        let mut state = self.shared.state();
        for word in words {
            state.synonyms.insert((*word).into(), words[0].into());
        }
        drop(state);
        self
    }

    /// What was asked, oldest first; the last thousand requests.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().requests.iter().cloned().collect()
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Stops listening and cuts all connections: from now on they are refused.
    pub async fn stop(&mut self) {
        self.listening.shutdown().await;
    }
}
