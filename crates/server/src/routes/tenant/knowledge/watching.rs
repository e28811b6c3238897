//! A source's progress as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use application::knowledge;
use domain::actors::Actor;
use domain::knowledge::NamedSource;
use domain::{Result, SourceId};
use futures_util::stream;
use tokio::time::{Instant, sleep};

use super::super::envelope;
use super::views::SourceBriefView;
use crate::http::error::ApiResult;
use crate::routes::sse;
use crate::state::State;

/// How often the source is looked at: whichever replica reads it, the store knows.
const LOOK: Duration = Duration::from_millis(500);
/// How long one stream lasts. Clients of server-sent events come again by themselves, with a key that is checked
/// again.
const LASTS: Duration = Duration::from_secs(300);

/// Where a stream stands.
struct Watch {
    state: Data<State>,
    actor: Arc<Actor>,
    id: SourceId,
    /// What was shown last.
    shown: Option<NamedSource>,
    spoke_at: Instant,
    ends_at: Instant,
    has_ended: bool,
}

/// Answers with the events of a source, from how it is now on.
pub(super) async fn watch(
    state: Data<State>,
    actor: Arc<Actor>,
    id: SourceId,
) -> ApiResult<HttpResponse> {
    let first = knowledge::find(&state.app, &actor, id).await?;
    let now = Instant::now();
    let mut watch = Watch {
        state,
        actor,
        id,
        shown: None,
        spoke_at: now,
        ends_at: now + LASTS,
        has_ended: false,
    };
    let first = watch.show(Ok(first));
    let rest = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((event, watch))
    });
    let events = stream::StreamExt::chain(stream::iter(first), rest);
    Ok(sse::response(stream::StreamExt::map(
        events,
        Ok::<_, Infallible>,
    )))
}

impl Watch {
    /// The next event, or a sign of life. `None`: there are no more.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.has_ended && Instant::now() < self.ends_at && !self.state.is_draining() {
            sleep(LOOK).await;
            let found = knowledge::find(&self.state.app, &self.actor, self.id).await;
            if let Some(event) = self.show(found) {
                return Some(event);
            }
            if self.spoke_at.elapsed() >= sse::HEARTBEAT {
                self.spoke_at = Instant::now();
                return Some(sse::STILL_HERE);
            }
        }
        None
    }

    /// The event for how the source is now, unless that was shown already.
    fn show(&mut self, found: Result<NamedSource>) -> Option<Bytes> {
        let event = match found {
            Ok(named) if self.shown.as_ref() == Some(&named) => return None,
            Ok(named) => {
                self.has_ended = !named.source.is_being_read();
                let name = if self.has_ended {
                    "completed"
                } else {
                    "progress"
                };
                self.shown = Some(named.clone());
                sse::event(name, &envelope::data_body(SourceBriefView::from(named)))
            }
            // It was deleted, or the store can't be asked: the client learns why.
            Err(error) => {
                self.has_ended = true;
                let error = crate::http::error::ApiError::from(error);
                error.log();
                sse::event("error", &error.body())
            }
        };
        self.spoke_at = Instant::now();
        Some(event)
    }
}
