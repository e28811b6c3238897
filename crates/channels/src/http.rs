//! A platform's API over HTTP.

use std::sync::Once;
use std::time::Duration;

use domain::channels::{ChannelError, Secret};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use url::Url;

/// For a request from the look-up of the name to the last byte of the answer.
const TIME: Duration = Duration::from_secs(10);
/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const BODY: usize = 1024 * 1024;
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Why there is no adapter. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError(String);

impl std::fmt::Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

/// The API of a platform.
pub(crate) struct Api {
    /// The platform's name, in sentences.
    pub platform: &'static str,
    base: String,
    client: Client,
}

/// What an API answered.
pub(crate) struct Reply {
    pub status: u16,
    /// The wait that a header asks for (RFC 9110, 10.2.3), where it is in seconds.
    pub retry_after: Option<Duration>,
    /// `Null` where it is no JSON.
    pub body: Value,
}

impl Api {
    pub fn new(platform: &'static str, base: &str) -> Result<Self, SetupError> {
        static CRYPTO: Once = Once::new();
        CRYPTO.call_once(|| {
            // An error says that somebody else has chosen one already, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let base = base.trim().trim_end_matches('/');
        let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.query().is_none();
        if !Url::parse(base).is_ok_and(is_web) {
            let problem = format!("The address of {platform}'s API must begin with https://.");
            return Err(SetupError(problem));
        }
        let client = Client::builder()
            .user_agent("botwright")
            // A redirect would carry the token and the visitor's words to another host.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TIME)
            .build()
            .map_err(|error| SetupError(format!("No HTTP client can be made: {error}")))?;
        Ok(Self {
            platform,
            base: base.to_owned(),
            client,
        })
    }

    /// Makes a request. Whatever status comes is a [`Reply`]; `path` begins with a slash and may hold a secret.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&Secret>,
        body: Option<&Value>,
    ) -> Result<Reply, ChannelError> {
        let url = Url::parse(&format!("{}{path}", self.base))
            .map_err(|_| self.invalid("did not get a request, for its address can't be written"))?;
        let mut request = self.client.request(method, url);
        if let Some(bearer) = bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose()))
                .map_err(|_| self.dead("can't be given a token with such characters"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Reply, ChannelError> {
        let retry_after = response.headers().get(RETRY_AFTER).and_then(seconds);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len() + piece.len() > BODY {
                return Err(self.later("answered with more than is believable"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Reply {
            status,
            retry_after,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }

    /// What a status means by itself, where the platform has not said more.
    pub fn by_status(&self, reply: &Reply) -> ChannelError {
        match reply.status {
            401 => self.dead("does not accept the credential"),
            429 => self.busy(reply.retry_after),
            408 | 500..=599 => ChannelError::Later {
                retry_after: reply.retry_after,
                reason: format!(
                    "{} has a fault of its own ({}).",
                    self.platform, reply.status
                ),
            },
            // Neither a redirect nor a success or a ban that says nothing is in any platform's documents: somebody
            // stands in between.
            200..=399 | 403 | 404 => self.later("answered in a way that can't be understood"),
            status => self.invalid(&format!("refused the request ({status})")),
        }
    }

    /// [`ChannelError::Dead`]; `what` goes on after the platform's name.
    pub fn dead(&self, what: &str) -> ChannelError {
        ChannelError::Dead(format!("{} {what}.", self.platform))
    }

    /// [`ChannelError::Refused`].
    pub fn refused(&self, what: &str) -> ChannelError {
        ChannelError::Refused(format!("{} {what}.", self.platform))
    }

    /// [`ChannelError::Invalid`].
    pub fn invalid(&self, what: &str) -> ChannelError {
        ChannelError::Invalid(format!("{} {what}.", self.platform))
    }

    /// [`ChannelError::Later`], and nobody knows when.
    pub fn later(&self, what: &str) -> ChannelError {
        ChannelError::later(format!("{} {what}.", self.platform))
    }

    /// The platform's limit is reached.
    pub fn busy(&self, retry_after: Option<Duration>) -> ChannelError {
        ChannelError::Later {
            retry_after: retry_after.map(|wait| wait.min(LONGEST_WAIT)),
            reason: format!("{} takes no more requests for a while.", self.platform),
        }
    }

    /// `reqwest`'s own words hold the address, and with it Telegram's token: they are left out.
    fn lost(&self, error: &reqwest::Error) -> ChannelError {
        let what = match (error.is_connect(), error.is_timeout()) {
            (_, true) => "took too long to answer",
            (true, _) => "could not be reached",
            _ => "broke the connection off",
        };
        self.later(what)
    }
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error's code in words, to be told. Whatever does not look like one (a sentence, a token) is left out.
pub(crate) fn code(value: &Value) -> Option<&str> {
    value.as_str().filter(|code| {
        (1..=60).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    })
}
