//! Events to tenants' endpoints, signed as the Standard Webhooks say: the port [`domain::webhooks::WebhookSender`].

use std::time::Duration;

use async_trait::async_trait;
use domain::webhooks::{Answered, Post, WebhookSender};
use domain::{Error, Result};
use egress::{Egress, EgressError, sign};
use ipnet::IpNet;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use url::Url;

/// How long connecting to an endpoint may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer's body, in bytes: it is read so that the connection can be used again, and not looked at.
const BODY: usize = 16 * 1024;
const AGENT: &str = concat!("Botwright-Webhooks/", env!("CARGO_PKG_VERSION"));

/// How events are sent.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// For everything, from the look-up to the answer's last byte.
    pub time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(15),
        }
    }
}

/// Sends events by HTTP, through the egress guard.
pub struct HttpSender {
    egress: Egress,
    options: Options,
}

impl HttpSender {
    /// A sender that may reach `allow` (`BOTWRIGHT_EGRESS_ALLOW`) besides the public Internet.
    ///
    /// # Errors
    /// Where the TLS library can't be set up.
    pub fn new(allow: Vec<IpNet>, options: Options) -> Result<Self> {
        let egress = Egress::connecting_within(CONNECT, allow).map_err(Error::internal)?;
        Ok(Self { egress, options })
    }

    async fn post(&self, post: Post<'_>) -> Result<Answered, EgressError> {
        let url =
            Url::parse(post.url).map_err(|_| EgressError::BadUrl("The address can't be read."))?;
        let (id, timestamp) = (post.id.to_string(), post.at.unix_timestamp());
        let keys: Vec<&[u8]> = post.keys.iter().map(|key| &key.bytes()[..]).collect();
        let request = self
            .egress
            .request(Method::POST, &url)?
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(&id, timestamp, post.body, &keys))
            .body(post.body.to_owned());
        let answer = self.egress.send(&url, request, self.options.time, BODY);
        let answer = answer.await?;
        Ok(Answered {
            status: answer.status,
            retry_after: answer.retry_after(),
        })
    }
}

#[async_trait]
impl WebhookSender for HttpSender {
    fn check(&self, url: &str) -> Result<()> {
        let url = Url::parse(url).map_err(|_| {
            Error::invalid(
                "url",
                "The 'url' field must be a whole address, such as https://example.com/hook.",
            )
        })?;
        self.egress.check(&url).map_err(|error| {
            let problem = match error {
                EgressError::Closed => {
                    "The 'url' field must lead to the public Internet.".to_owned()
                }
                other => other.to_string(),
            };
            Error::invalid("url", problem)
        })
    }

    async fn send(&self, post: Post<'_>) -> Result<Answered, String> {
        self.post(post).await.map_err(|error| match error {
            EgressError::Closed => {
                "This address is not allowed: it must be on the public Internet.".to_owned()
            }
            other => other.to_string(),
        })
    }
}
