//! One page asked for, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use domain::websites::PageMark;
use markup::{Content, Extracted};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::directives::Directives;
use crate::hosts::Hosts;
use crate::mark::{Digest, mark};
use crate::retry;
use crate::robots::product;
use egress::{Ask, Egress, EgressError, Hop, Response};

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageError {
    /// The guard refuses its address.
    NotAllowed(String),
    /// The site says that there is no such page.
    Gone(String),
    /// Everything else.
    Unreadable(String),
}

impl PageError {
    pub(crate) fn sentence(self) -> String {
        let (Self::NotAllowed(sentence) | Self::Gone(sentence) | Self::Unreadable(sentence)) = self;
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

/// A page that was read.
pub(crate) struct Read {
    pub(crate) title: String,
    pub(crate) markdown: String,
    pub(crate) links: Vec<Url>,
    pub(crate) canonical: Option<Url>,
    pub(crate) digest: Digest,
    pub(crate) mark: PageMark,
    /// Whether it may be kept.
    pub(crate) is_for_robots: bool,
}

/// What asking for a page brought.
pub(crate) enum Fetched {
    Page(Box<Read>),
    /// It is as it was.
    Unchanged,
    /// The page is elsewhere.
    Redirect(Url),
}

/// Asks for pages and reads them.
pub(crate) struct Fetcher {
    pub(crate) egress: Arc<Egress>,
    pub(crate) user_agent: String,
    /// The most that is read of a page, in bytes.
    pub(crate) max_bytes: usize,
    /// For one page.
    pub(crate) page_time: Duration,
    pub(crate) hosts: Hosts,
    /// Reading a page is work for a processor: so many at a time, over all crawls.
    pub(crate) readers: Arc<Semaphore>,
}

impl Fetcher {
    /// Asks for a page, which may take as long as `time` from when it is the crawl's turn at the host; once more,
    /// where the server asks for a pause that is short enough. All is done by `deadline`.
    pub(crate) async fn fetch(
        &self,
        url: &Url,
        known: Option<&PageMark>,
        time: Duration,
        deadline: Instant,
    ) -> Result<Fetched, PageError> {
        let once = |time| async move {
            let turn = timeout_at(deadline, self.hosts.turn(url)).await;
            let by = deadline.min(Instant::now() + time);
            let asked = timeout_at(by, self.ask(url, known, time)).await;
            drop(turn);
            let hop = asked.unwrap_or(Err(EgressError::TimedOut))?;
            Ok::<_, EgressError>((hop, by))
        };
        let (mut hop, mut by) = once(time).await?;
        if let Hop::Response(response) = &hop
            && let Some(pause) = retry::pause(response)
            && Instant::now() + pause < deadline
        {
            sleep(pause).await;
            (hop, by) = once(self.page_time).await?;
        }
        match hop {
            Hop::Redirect(target) => Ok(Fetched::Redirect(target)),
            Hop::Response(response) if response.status == 304 && known.is_some() => {
                Ok(Fetched::Unchanged)
            }
            Hop::Response(response) => timeout_at(by, self.read(response))
                .await
                .unwrap_or_else(|_| Err(EgressError::TimedOut.into())),
        }
    }

    async fn ask(
        &self,
        url: &Url,
        known: Option<&PageMark>,
        time: Duration,
    ) -> Result<Hop, EgressError> {
        let ask = Ask {
            user_agent: &self.user_agent,
            accept: "text/html, application/xhtml+xml, text/markdown;q=0.9, text/plain;q=0.8, */*;q=0.1",
            time,
            body: self.max_bytes,
            known,
        };
        self.egress.hop(url, ask).await
    }

    async fn read(&self, response: Response) -> Result<Fetched, PageError> {
        let unreadable = |sentence: String| Err(PageError::Unreadable(sentence));
        match response.status {
            200..300 => {}
            status => {
                let sentence = format!("The page answers with HTTP status {status}.");
                return Err(match status {
                    404 | 410 => PageError::Gone(sentence),
                    _ => PageError::Unreadable(sentence),
                });
            }
        }
        let content_type = content_type(&response.headers);
        let Some(kind) = Kind::of(&content_type, &response.body) else {
            let essence = content_type.split(';').next().unwrap_or_default().trim();
            return unreadable(format!(
                "The address leads to '{essence}', which is not a web page."
            ));
        };
        let Ok(turn) = Arc::clone(&self.readers).acquire_owned().await else {
            return unreadable("The page could not be read.".to_owned());
        };
        let robot = product(&self.user_agent).to_owned();
        // Foreign HTML in foreign parsers: a panic there ends this task alone. The turn is over when the work is,
        // not when nobody waits for it any more.
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let text = markup::decode(&response.body, &content_type);
            let extracted = match kind {
                Kind::Html => markup::html(&text, &response.url),
                Kind::Text => markup::plain(&text).map(Extracted::Page),
            };
            extracted.map(|extracted| match extracted {
                Extracted::Refresh(target) => Fetched::Redirect(target),
                Extracted::Page(content) => {
                    Fetched::Page(Box::new(read(content, &response, &robot)))
                }
            })
        });
        match reading.await {
            Ok(Ok(fetched)) => Ok(fetched),
            Ok(Err(sentence)) => unreadable(sentence.to_owned()),
            Err(_) => unreadable("The page could not be read.".to_owned()),
        }
    }
}

fn read(content: Content, response: &Response, robot: &str) -> Read {
    let directives = Directives::of(&response.headers, &content.robots, robot);
    let title = content.title.unwrap_or_else(|| response.url.to_string());
    let digest = Digest::of(&title, &content.markdown);
    Read {
        title,
        markdown: content.markdown,
        links: content
            .links
            .into_iter()
            .filter(|_| directives.follow)
            .collect(),
        canonical: content.canonical,
        digest,
        mark: mark(&response.headers, digest),
        is_for_robots: directives.index,
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
