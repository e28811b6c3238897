//! The sitemaps of a site, read one after the other as long as there are too few pages.

use std::collections::{HashSet, VecDeque};

use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::fetch::Fetcher;
use crate::robots::{Robots, Rules, Verdict};
use crate::scope::Scope;
use crate::sitemap;
use egress::Ask;

/// The most sitemaps that are read. Each lists 50,000 pages at most (sitemaps.org).
const MOST: usize = 50;
/// The most that is read of one, packed or not, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The most sitemaps that wait to be read.
const MAX_WAITING: usize = 1_000;

/// The sitemaps that were read, and those that wait.
pub(crate) struct Sitemaps {
    waiting: VecDeque<Url>,
    asked: HashSet<Url>,
}

impl Sitemaps {
    /// Those that robots.txt names; otherwise the one where one is usually found.
    pub(crate) fn new(rules: &Rules, start: &Url) -> Self {
        let named = rules.sitemaps().iter().take(MAX_WAITING);
        let mut waiting: VecDeque<Url> = named.filter_map(|url| start.join(url).ok()).collect();
        if waiting.is_empty() {
            waiting.extend(start.join("/sitemap.xml").ok());
        }
        Self {
            waiting,
            asked: HashSet::new(),
        }
    }

    /// The pages of the next sitemap that can be read; `None`: there is none.
    pub(crate) async fn next(
        &mut self,
        fetcher: &Fetcher,
        robots: &Robots,
        scope: &Scope,
        deadline: Instant,
    ) -> Option<Vec<Url>> {
        while self.asked.len() < MOST && Instant::now() < deadline {
            let mut url = self.waiting.pop_front()?;
            url.set_fragment(None);
            if !scope.includes_site(&url)
                || robots.verdict(&url) != Verdict::Allowed
                || !self.asked.insert(url.clone())
            {
                continue;
            }
            let by = deadline.min(Instant::now() + fetcher.page_time);
            let Some(found) = timeout_at(by, read(fetcher, &url, by)).await.ok().flatten() else {
                continue;
            };
            let room = MAX_WAITING.saturating_sub(self.waiting.len());
            self.waiting.extend(found.sitemaps.into_iter().take(room));
            if !found.pages.is_empty() {
                return Some(found.pages);
            }
        }
        None
    }
}

async fn read(fetcher: &Fetcher, url: &Url, by: Instant) -> Option<sitemap::Sitemap> {
    let turn = fetcher.hosts.turn(url).await;
    let ask = Ask {
        user_agent: &fetcher.user_agent,
        accept: "application/xml, text/xml, */*;q=0.1",
        time: by.saturating_duration_since(Instant::now()),
        body: MAX_BYTES,
        known: None,
    };
    let answer = fetcher.egress.get(url, ask).await.ok()?;
    drop(turn);
    if answer.status != 200 {
        return None;
    }
    let reading = tokio::task::spawn_blocking(move || {
        sitemap::read(
            &sitemap::unpack(&answer.body, MAX_BYTES),
            sitemap::MAX_PAGES,
        )
    });
    reading.await.ok()
}
