//! The platforms that bots talk on, one file each, behind [`domain::channels::ChannelAdapter`].
//!
//! What they have in common: [`parts`](crate) cuts long texts, `proof` checks signatures, `http` speaks to the
//! platforms' APIs. Nothing here keeps state or tries anything twice.

mod email;
mod graph;
mod http;
mod messenger;
mod parts;
mod proof;
mod slack;
mod telegram;
mod webchat;
mod whatsapp;

use std::sync::Arc;

use domain::channels::{ChannelAdapter, ChannelError};
use egress::Egress;

pub use email::Email;
pub use http::SetupError;
pub use messenger::Messenger;
pub use slack::Slack;
pub use telegram::Telegram;
pub use webchat::Webchat;
pub use whatsapp::Whatsapp;

/// Where the platforms' APIs are. The defaults are the real ones; an operator may put a proxy there, and tests put
/// fakes. They are no tenant's to choose, so no egress guard stands before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Telegram's Bot API.
    pub telegram: String,
    /// Meta's Graph API with its version, for WhatsApp and Messenger.
    pub graph: String,
    /// Slack's Web API.
    pub slack: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            telegram: "https://api.telegram.org".into(),
            graph: "https://graph.facebook.com/v23.0".into(),
            slack: "https://slack.com/api".into(),
        }
    }
}

/// An adapter for each of [`domain::channels::CHANNEL_KINDS`], in their order.
///
/// # Errors
/// [`SetupError`] for an endpoint that is no address, or where TLS can't be set up.
pub fn adapters(
    endpoints: &Endpoints,
    egress: Arc<Egress>,
) -> Result<Vec<Arc<dyn ChannelAdapter>>, SetupError> {
    Ok(vec![
        Arc::new(Webchat),
        Arc::new(Telegram::new(&endpoints.telegram)?),
        Arc::new(Whatsapp::new(&endpoints.graph)?),
        Arc::new(Messenger::new(&endpoints.graph)?),
        Arc::new(Slack::new(&endpoints.slack)?),
        Arc::new(Email::new(egress)),
    ])
}

/// A connection of another kind came to an adapter: a mistake of the caller's.
fn wrong_kind() -> ChannelError {
    ChannelError::Invalid("The channel is of another kind.".into())
}
