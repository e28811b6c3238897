//! A turn as server-sent events, in any dialect. The turn is taken in a task of its own, so that it is stored whole
//! also when nobody listens any more.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use application::answering::AnswerObserver;
use application::conversations::{self, Begun, SendMessage, Turn, TurnObserver};
use async_trait::async_trait;
use domain::ConversationId;
use domain::actors::Actor;
use domain::messages::Message;
use domain::retrieval::Findings;
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tracing::Instrument;

use super::sse;
use crate::http::error::{ApiError, ApiResult};
use crate::state::State;

/// How a dialect tells a turn: each of these is what goes into the stream, if anything.
pub trait Telling: Send + 'static {
    /// The visitor's message is stored.
    fn received(&mut self, message: &Message) -> Bytes;
    /// The knowledge was searched.
    fn found(&mut self, findings: &Findings) -> Bytes;
    /// A further piece of the answer.
    fn piece(&mut self, text: &str) -> Bytes;
    /// What was told of the answer counts no more.
    fn restart(&mut self) -> Bytes;
    /// The whole turn; the last that is told.
    fn completed(&mut self, turn: Turn) -> Bytes;
    /// It went wrong after the stream had begun; the last that is told.
    fn failed(&mut self, error: &ApiError) -> Bytes;
}

/// The turn to tell.
pub enum Wanted {
    /// A new one.
    New(SendMessage),
    /// One that was begun, in the conversation named or in any.
    Begun(Option<ConversationId>, Begun),
}

/// Takes a turn and answers with its events. What goes wrong before the visitor's message is stored is an
/// ordinary error.
pub async fn stream(
    state: Data<State>,
    actor: Arc<Actor>,
    wanted: Wanted,
    telling: impl Telling,
) -> ApiResult<HttpResponse> {
    // Unbounded: a slow reader must not keep the answer from being stored, and answers are small.
    let (events, mut stream) = unbounded_channel();
    let tasks = state.tasks.clone();
    let work = async move {
        let mut observer = Events {
            telling,
            sender: events,
            begun: false,
        };
        let app = &state.app;
        let taken = match wanted {
            Wanted::New(command) => conversations::send(app, &actor, command, &mut observer).await,
            Wanted::Begun(conversation, begun) => {
                conversations::rejoin(app, &actor, conversation, begun, &mut observer).await
            }
        };
        match taken {
            Ok(turn) => {
                let event = observer.telling.completed(turn);
                observer.say(event);
            }
            Err(error) => observer.fail(error.into()),
        }
    };
    tasks.spawn(work.in_current_span());
    match stream.recv().await {
        Some(Event::Failed(error)) => Err(error),
        Some(Event::Said(first)) => Ok(sse::response(body(first, stream))),
        None => Err(ApiError::Domain(domain::Error::internal(
            "the turn ended without an event",
        ))),
    }
}

enum Event {
    Said(Bytes),
    Failed(ApiError),
}

struct Events<T> {
    telling: T,
    sender: UnboundedSender<Event>,
    begun: bool,
}

impl<T: Telling> Events<T> {
    fn say(&mut self, event: Bytes) {
        if event.is_empty() {
            return;
        }
        self.begun = true;
        // Nobody listening is no reason to stop.
        let _ = self.sender.send(Event::Said(event));
    }

    fn fail(&mut self, error: ApiError) {
        if self.begun {
            error.log();
            let event = self.telling.failed(&error);
            self.say(event);
        } else {
            let _ = self.sender.send(Event::Failed(error));
        }
    }
}

#[async_trait]
impl<T: Telling> AnswerObserver for Events<T> {
    async fn found(&mut self, findings: &Findings) {
        let event = self.telling.found(findings);
        self.say(event);
    }

    async fn piece(&mut self, text: &str) {
        let event = self.telling.piece(text);
        self.say(event);
    }

    async fn restart(&mut self) {
        let event = self.telling.restart();
        self.say(event);
    }
}

#[async_trait]
impl<T: Telling> TurnObserver for Events<T> {
    async fn received(&mut self, message: &Message) {
        let event = self.telling.received(message);
        self.say(event);
    }
}

fn body(
    first: Bytes,
    events: UnboundedReceiver<Event>,
) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((Some(first), events), |(first, mut events)| async move {
        if let Some(first) = first {
            return Some((Ok(first), (None, events)));
        }
        match timeout(sse::HEARTBEAT, events.recv()).await {
            Ok(Some(Event::Said(event))) => Some((Ok(event), (None, events))),
            Ok(Some(Event::Failed(_)) | None) => None,
            Err(_) => Some((Ok(sse::STILL_HERE), (None, events))),
        }
    })
}
