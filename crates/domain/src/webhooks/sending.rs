//! One event to one endpoint, signed.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::{Error, EventId, Result, Timestamp};

/// A key that events are signed with, in clear. `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// A key from 32 random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// A key from its bytes as they were kept.
    ///
    /// # Errors
    /// [`Error::Internal`] for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self(bytes.try_into().map_err(Error::internal)?))
    }

    /// The bytes that HMAC takes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as its owner is shown it: `whsec_` and base64.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// An event to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// The event's id.
    pub id: EventId,
    /// When it is sent.
    pub at: Timestamp,
    /// The body.
    pub body: &'a str,
    /// The keys to sign with, the newest first.
    pub keys: &'a [SigningKey],
}

/// What an endpoint answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// How long it wants to be left alone (429 and 503).
    pub retry_after: Option<Duration>,
}

/// Sends events. Every request goes through the egress guard.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether an address may be an endpoint's, as far as it shows in the address itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`url`).
    fn check(&self, url: &str) -> Result<()>;

    /// Signs and sends an event once. Redirects are not followed.
    ///
    /// # Errors
    /// A sentence for the endpoint's owner where there was no answer.
    async fn send(&self, post: Post<'_>) -> Result<Answered, String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_as_the_standard_says_and_hidden_elsewhere() {
        let key = SigningKey::new([0; 32]);
        assert_eq!(key.reveal(), format!("whsec_{}=", "A".repeat(43)));
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
        assert_eq!(SigningKey::from_bytes(key.bytes()).unwrap(), key);
        assert!(SigningKey::from_bytes(&[0; 31]).is_err());
    }
}
