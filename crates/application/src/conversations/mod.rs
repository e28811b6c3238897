//! What can be done with conversations.

mod abandon;
mod answer;
pub(crate) mod by_id;
mod chat;
mod delete;
mod end;
mod get;
mod list;
mod receipt;
mod rejoin;
pub(crate) mod replay;
mod send;

pub use abandon::abandon;
pub(crate) use answer::Asked;
pub use by_id::{LearnedMessage, get_by_id, give_feedback, messages_by_id};
pub use chat::{ChatMessage, chat};
pub use delete::delete;
pub use end::end;
pub use get::{get, messages};
pub use list::list;
pub use receipt::receipt;
pub(crate) use receipt::receipt_of;
pub use rejoin::{Begun, rejoin};
pub use replay::{Given, Replayed, replay};
pub use send::{SendMessage, Silent, Turn, TurnObserver, send};

use domain::text::{SESSION_ID_MAX, no_nul};
use domain::{Error, Result};

/// Checks a client's name for a conversation.
///
/// # Errors
/// [`Error::Invalid`] unless it has 1 to 128 characters and no NUL.
fn check_session_id(session_id: &str) -> Result<()> {
    let length = session_id.chars().count() as u64;
    if !(1..=SESSION_ID_MAX).contains(&length) || no_nul(session_id).is_err() {
        return Err(Error::invalid(
            "session_id",
            "The session id must be 1 to 128 characters long, without NUL.",
        ));
    }
    Ok(())
}
