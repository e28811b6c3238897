//! One request for one page, and what became of it.

use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::egress::{Ask, Egress, EgressError, Hop, Response};
use markup::{Content, Extracted};

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageError {
    /// The guard refuses its address.
    NotAllowed(String),
    /// Everything else.
    Unreadable(String),
}

impl PageError {
    pub(crate) fn sentence(self) -> String {
        let (Self::NotAllowed(sentence) | Self::Unreadable(sentence)) = self;
        sentence
    }
}

impl From<EgressError> for PageError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::BadUrl(_) | EgressError::Closed => Self::NotAllowed(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

/// What one request for a page brought.
pub(crate) enum Fetched {
    Page(Content),
    /// The page is elsewhere.
    Redirect(Url),
}

/// Asks for pages and reads them.
pub(crate) struct Fetcher {
    pub(crate) egress: Arc<Egress>,
    pub(crate) user_agent: String,
    /// The most that is read of a page, in bytes.
    pub(crate) max_bytes: usize,
    /// Reading a page is work for a processor: so many at a time, over all crawls.
    pub(crate) readers: Arc<Semaphore>,
}

impl Fetcher {
    /// One request, done by `deadline`.
    pub(crate) async fn fetch(&self, url: &Url, deadline: Instant) -> Result<Fetched, PageError> {
        let work = async {
            let ask = Ask {
                user_agent: &self.user_agent,
                accept: "text/html, application/xhtml+xml, text/markdown;q=0.9, text/plain;q=0.8, */*;q=0.1",
                time: deadline.saturating_duration_since(Instant::now()),
                body: self.max_bytes,
            };
            match self.egress.hop(url, ask).await? {
                Hop::Redirect(target) => Ok(Fetched::Redirect(target)),
                Hop::Response(response) => self.read(response).await,
            }
        };
        tokio::time::timeout_at(deadline, work)
            .await
            .unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    async fn read(&self, response: Response) -> Result<Fetched, PageError> {
        let unreadable = |sentence: String| Err(PageError::Unreadable(sentence));
        if !(200..300).contains(&response.status) {
            return unreadable(format!(
                "The page answers with HTTP status {}.",
                response.status
            ));
        }
        let content_type = content_type(&response.headers);
        let Some(kind) = Kind::of(&content_type, &response.body) else {
            let essence = content_type
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            return unreadable(format!(
                "The address leads to '{essence}', which is not a web page."
            ));
        };
        let Ok(turn) = Arc::clone(&self.readers).acquire_owned().await else {
            return unreadable("The page could not be read.".to_owned());
        };
        // Foreign HTML in foreign parsers: a panic there ends this task alone. The turn is over when the work is,
        // not when nobody waits for it any more.
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let text = markup::decode(&response.body, &content_type);
            match kind {
                Kind::Html => markup::html(&text, &response.url),
                Kind::Text => markup::plain(&text).map(Extracted::Page),
            }
        });
        match reading.await {
            Ok(Ok(Extracted::Page(content))) => Ok(Fetched::Page(content)),
            Ok(Ok(Extracted::Refresh(target))) => Ok(Fetched::Redirect(target)),
            Ok(Err(sentence)) => unreadable(sentence.to_owned()),
            Err(_) => unreadable("The page could not be read.".to_owned()),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Html,
    Text,
}

impl Kind {
    /// By what the server says; by the first bytes where it says nothing.
    fn of(content_type: &str, body: &[u8]) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            "text/plain" | "text/markdown" | "text/x-markdown" => Some(Self::Text),
            "" => body
                .trim_ascii_start()
                .starts_with(b"<")
                .then_some(Self::Html),
            _ => None,
        }
    }
}

/// The header's value, of a length that can be shown.
fn content_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], |value| value.as_bytes());
    String::from_utf8_lossy(value).chars().take(200).collect()
}
