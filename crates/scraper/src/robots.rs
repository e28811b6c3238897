//! robots.txt (RFC 9309): fetched once per origin and crawl.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use texting_robots::Robot;
use tokio::sync::OnceCell;
use url::{Origin, Url};

use crate::fetch::PageError;
use egress::{Ask, Egress, EgressError};

/// What is read of a robots.txt, in bytes (RFC 9309, 2.5: at least 500 KiB).
const MAX_BYTES: usize = 500 * 1024;
/// How long a robots.txt may take.
const TIME: Duration = Duration::from_secs(8);
/// The most origins of one crawl: a domain may have a name for each of its visitors.
const MAX_ORIGINS: usize = 100;

/// The crawler's name, which alone names it to sites (RFC 9309, 2.2.1).
pub(crate) fn product(user_agent: &str) -> &str {
    user_agent.split(['/', ' ']).next().unwrap_or_default()
}

/// What a site says to crawlers.
pub(crate) enum Rules {
    /// There is no robots.txt: everything is allowed.
    None,
    /// There is one.
    Some(Box<Robot>),
    /// It could not be had, which forbids everything (RFC 9309, 2.3.1.4); the sentence says why.
    Unknown(String),
    /// The host could not be asked at all.
    Failed(EgressError),
}

impl Rules {
    fn read(text: &[u8], agent: &str) -> Self {
        Robot::new(agent, text).map_or_else(
            |_| Self::Unknown("The site's robots.txt could not be understood.".to_owned()),
            |robot| Self::Some(Box::new(robot)),
        )
    }

    /// Whether the page may be asked for.
    pub(crate) fn allow(&self, url: &Url) -> bool {
        match self {
            Self::None => true,
            Self::Some(robot) => robot.allowed(url.as_str()),
            Self::Unknown(_) | Self::Failed(_) => false,
        }
    }

    /// How long to wait between two requests.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            Self::Some(robot) => robot
                .delay
                .and_then(|seconds| Duration::try_from_secs_f32(seconds).ok())
                .filter(|delay| !delay.is_zero()),
            _ => None,
        }
    }

    /// The sitemaps that it names.
    pub(crate) fn sitemaps(&self) -> &[String] {
        match self {
            Self::Some(robot) => &robot.sitemaps,
            _ => &[],
        }
    }
}

/// Whether a page may be asked for, as far as is known by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    /// Its site's robots.txt forbids it.
    Excluded,
    /// Its site could not be asked, or there are too many of them.
    Unavailable,
}

/// The rules of the origins that one crawl meets.
pub(crate) struct Robots {
    egress: Arc<Egress>,
    user_agent: String,
    known: Mutex<HashMap<Origin, Arc<OnceCell<Arc<Rules>>>>>,
}

impl Robots {
    pub(crate) fn new(egress: Arc<Egress>, user_agent: &str) -> Self {
        Self {
            egress,
            user_agent: user_agent.to_owned(),
            known: Mutex::default(),
        }
    }

    /// The rules for a URL's origin.
    pub(crate) async fn rules(&self, url: &Url) -> Arc<Rules> {
        let cell = self.cell(url);
        let rules = cell.get_or_init(|| async { Arc::new(self.fetch(url).await) });
        Arc::clone(rules.await)
    }

    /// Whether the page may be asked for.
    ///
    /// # Errors
    /// Where the origin's robots.txt can't be had.
    pub(crate) async fn may_ask(&self, url: &Url) -> Result<bool, PageError> {
        match &*self.rules(url).await {
            Rules::Failed(error) => Err(error.clone().into()),
            Rules::Unknown(why) => Err(PageError::Unreadable(why.clone())),
            rules => Ok(rules.allow(url)),
        }
    }

    /// The rules for a URL's origin, if they have been read.
    pub(crate) fn read_before(&self, url: &Url) -> Option<Arc<Rules>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&url.origin())?.get().cloned()
    }

    /// What is known without asking. An origin that nobody asked yet allows all.
    pub(crate) fn verdict(&self, url: &Url) -> Verdict {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = url.origin();
        if !known.contains_key(&origin) && known.len() >= MAX_ORIGINS {
            return Verdict::Unavailable;
        }
        match known.entry(origin).or_default().get().map(|rules| &**rules) {
            Some(Rules::Unknown(_) | Rules::Failed(_)) => Verdict::Unavailable,
            Some(rules) if !rules.allow(url) => Verdict::Excluded,
            _ => Verdict::Allowed,
        }
    }

    fn cell(&self, url: &Url) -> Arc<OnceCell<Arc<Rules>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(url.origin()).or_default())
    }

    async fn fetch(&self, url: &Url) -> Rules {
        let Ok(url) = url.join("/robots.txt") else {
            return Rules::None;
        };
        let ask = Ask {
            user_agent: &self.user_agent,
            accept: "text/plain, */*;q=0.5",
            time: TIME,
            body: MAX_BYTES,
            known: None,
        };
        let agent = product(&self.user_agent);
        match self.egress.get(&url, ask).await {
            Ok(answer) => match answer.status {
                200..=299 => Rules::read(&answer.body, agent),
                500.. => Rules::Unknown(format!(
                    "The site's robots.txt answers with HTTP status {}, so its pages must not be read for now.",
                    answer.status
                )),
                _ => Rules::None,
            },
            // RFC 9309, 2.3.1.2: with more redirects than are followed it counts as absent.
            Err(EgressError::TooManyRedirects) => Rules::None,
            Err(EgressError::Broken | EgressError::BadRedirect) => Rules::Unknown(
                "The site's robots.txt could not be read, so its pages must not be read for now."
                    .to_owned(),
            ),
            Err(error) => Rules::Failed(error),
        }
    }
}
