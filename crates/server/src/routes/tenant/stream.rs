//! An answer as server-sent events. The turn is taken in a task of its own, so that it is stored whole
//! also when nobody listens any more.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use application::answering::AnswerObserver;
use application::conversations::{self, SendMessage, TurnObserver};
use async_trait::async_trait;
use domain::actors::Actor;
use domain::messages::Message;
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tracing::Instrument;

use super::conversations::{SentMessage, TurnView};
use super::{envelope, sse};
use crate::http::error::{ApiError, ApiResult};
use crate::state::State;

/// Takes a turn and answers with its events. What goes wrong before the visitor's message is stored is an
/// ordinary error.
pub async fn turn(
    state: Data<State>,
    actor: Arc<Actor>,
    command: SendMessage,
) -> ApiResult<HttpResponse> {
    // Unbounded: a slow reader must not keep the answer from being stored, and answers are small.
    let (events, mut stream) = unbounded_channel();
    let tasks = state.tasks.clone();
    let work = async move {
        let mut observer = Events {
            sender: events,
            begun: false,
        };
        let result = conversations::send(&state.app, &actor, command, &mut observer).await;
        match result {
            Ok(turn) => observer.send("completed", &envelope::data_body(TurnView::from(turn))),
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

struct Events {
    sender: UnboundedSender<Event>,
    begun: bool,
}

impl Events {
    fn send(&mut self, name: &str, data: &impl Serialize) {
        self.begun = true;
        // Nobody listening is no reason to stop.
        let _ = self.sender.send(Event::Said(sse::event(name, data)));
    }

    fn fail(&mut self, error: ApiError) {
        if self.begun {
            error.log();
            self.send("error", &error.body());
        } else {
            let _ = self.sender.send(Event::Failed(error));
        }
    }
}

#[async_trait]
impl AnswerObserver for Events {
    async fn piece(&mut self, text: &str) {
        self.send("chunk", &json!({ "text": text }));
    }

    async fn restart(&mut self) {
        self.send("restart", &json!({}));
    }
}

#[async_trait]
impl TurnObserver for Events {
    async fn received(&mut self, message: &Message) {
        self.send("user_message", &SentMessage::from(message.clone()));
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
