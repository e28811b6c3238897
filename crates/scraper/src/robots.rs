//! robots.txt (RFC 9309): fetched once per origin and crawl.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use texting_robots::Robot;
use tokio::sync::{Mutex, OnceCell};
use url::{Origin, Url};

use crate::egress::{Ask, Egress, EgressError};

/// What is read of a robots.txt, in bytes (RFC 9309, 2.5: at least 500 KiB).
const MAX_BYTES: usize = 500 * 1024;
/// How long a robots.txt may take.
const TIME: Duration = Duration::from_secs(8);

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
        let cell = Arc::clone(self.known.lock().await.entry(url.origin()).or_default());
        let rules = cell.get_or_init(|| async { Arc::new(self.fetch(url).await) });
        Arc::clone(rules.await)
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
        };
        // The product token alone names the crawler in robots.txt (RFC 9309, 2.2.1).
        let agent = self.user_agent.split(['/', ' ']).next().unwrap_or_default();
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
