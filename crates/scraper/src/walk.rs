//! From the start page through the site: breadth first, a few requests at a time, and the same result whichever
//! of them comes back first.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::knowledge::PageFailure;
use domain::websites::{Crawl, WebPage};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use url::{Origin, Url};

use crate::crawl::SiteCrawler;
use crate::egress::{Ask, EgressError, MAX_REDIRECTS};
use crate::fetch::{Fetched, PageError};
use crate::links::{belongs, clean};
use crate::robots::Rules;
use crate::sitemap;
use markup::Content;

/// Pages that can't be read make room for others, up to so many requests for each page wanted.
const TRIES_PER_PAGE: usize = 4;
/// The most links that wait to be asked for.
const MAX_QUEUE: usize = 10_000;
/// The most sitemaps that are read.
const MAX_SITEMAPS: usize = 3;

/// A page's place in the order of the result.
struct Slot {
    url: Url,
    redirects: usize,
    state: State,
}

enum State {
    Waiting,
    Running,
    Answered(Result<Fetched, PageError>),
    Settled,
}

/// One walk through one site.
pub(crate) struct Walk<'a> {
    crawler: &'a SiteCrawler,
    rules: Arc<Rules>,
    origin: Origin,
    most: usize,
    deadline: Instant,
    /// Every address that was asked for or waits to be.
    seen: HashSet<Url>,
    queue: VecDeque<Url>,
    slots: Vec<Slot>,
    /// Slots before this one are settled: their pages, failures and links have been taken.
    settled: usize,
    /// The proper address of each page.
    proper: Vec<Url>,
    pub(crate) crawl: Crawl,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        crawler: &'a SiteCrawler,
        rules: Arc<Rules>,
        most: usize,
        deadline: Instant,
    ) -> Self {
        Self {
            crawler,
            rules,
            origin: Origin::new_opaque(),
            most,
            deadline,
            seen: HashSet::new(),
            queue: VecDeque::new(),
            slots: Vec::new(),
            settled: 0,
            proper: Vec::new(),
            crawl: Crawl::default(),
        }
    }

    /// Takes the start page, which the last of the addresses asked for brought.
    pub(crate) fn begin(&mut self, asked: Vec<Url>, content: Content) {
        let Some(url) = asked.last().cloned() else {
            return;
        };
        self.origin = url.origin();
        self.seen.extend(asked.iter().cloned().map(clean));
        self.seen.extend(asked);
        self.take(url, content);
    }

    /// Reads the site until there are enough pages, no more links, or no more time.
    pub(crate) async fn go(&mut self) {
        // A crawl of one page at a time keeps the delay that a site asks for, as far as the time allows.
        let pause = self
            .rules
            .delay()
            .map(|delay| delay.min(self.crawler.options.crawl_time / (self.most as u32 + 1)));
        let at_once = if pause.is_some() {
            1
        } else {
            self.crawler.options.at_once
        };
        let mut free_at = Instant::now() + pause.unwrap_or_default();
        let mut running = FuturesUnordered::new();
        let mut sitemaps_read = false;
        loop {
            self.settle();
            while running.len() < at_once && Instant::now() < self.deadline {
                let Some(index) = self.next() else { break };
                if let (Some(pause), Some(slot)) = (pause, self.slots.get(index)) {
                    tracing::trace!(url = %slot.url, "waiting as the site asks for");
                    sleep_until(free_at.min(self.deadline)).await;
                    free_at = Instant::now() + pause;
                }
                running.extend(self.request(index));
            }
            match running.next().await {
                Some((index, answer)) => self.answer(index, answer),
                None if self.wants_more() && !sitemaps_read => {
                    sitemaps_read = true;
                    self.read_sitemaps().await;
                }
                None => break,
            }
        }
        self.give_up();
    }

    fn request(
        &mut self,
        index: usize,
    ) -> Option<impl Future<Output = (usize, Result<Fetched, PageError>)> + use<'a>> {
        let slot = self.slots.get_mut(index)?;
        slot.state = State::Running;
        let url = slot.url.clone();
        let crawler = self.crawler;
        let deadline = self
            .deadline
            .min(Instant::now() + crawler.options.page_time);
        Some(async move { (index, crawler.fetcher.fetch(&url, deadline).await) })
    }

    fn answer(&mut self, index: usize, answer: Result<Fetched, PageError>) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.state = State::Answered(answer);
        }
    }

    /// The next page to ask for: one that has moved, otherwise the first in the queue.
    fn next(&mut self) -> Option<usize> {
        if let Some(moved) = self
            .slots
            .iter()
            .position(|s| matches!(s.state, State::Waiting))
        {
            return Some(moved);
        }
        // Those under way may all turn out to be pages.
        let under_way = self
            .slots
            .iter()
            .skip(self.settled)
            .filter(|slot| !matches!(slot.state, State::Answered(Err(_))))
            .count();
        let enough = self.crawl.pages.len() + under_way >= self.most
            || self.slots.len() >= self.most * TRIES_PER_PAGE;
        if enough {
            return None;
        }
        let url = self.queue.pop_front()?;
        self.slots.push(Slot {
            url,
            redirects: 0,
            state: State::Waiting,
        });
        Some(self.slots.len() - 1)
    }

    /// Takes what the answers brought, in the order in which the pages were found. A page whose turn has not
    /// come waits, so that links are followed in the same order every time.
    fn settle(&mut self) {
        while let Some(slot) = self.slots.get_mut(self.settled) {
            match std::mem::replace(&mut slot.state, State::Settled) {
                State::Answered(Ok(Fetched::Page(content))) => {
                    let url = slot.url.clone();
                    self.take(url, content);
                }
                State::Answered(Ok(Fetched::Redirect(target))) => {
                    let target = clean(target);
                    if target.origin() != self.origin {
                        let reason = "The page redirects to another website.".to_owned();
                        self.fail(self.settled, reason);
                    } else if slot.redirects >= MAX_REDIRECTS {
                        self.fail(self.settled, EgressError::TooManyRedirects.to_string());
                    } else if self.rules.allow(&target) && self.seen.insert(target.clone()) {
                        slot.url = target;
                        slot.redirects += 1;
                        slot.state = State::Waiting;
                        return;
                    }
                }
                State::Answered(Err(error)) => self.fail(self.settled, error.sentence()),
                State::Settled => {}
                state @ (State::Waiting | State::Running) => {
                    slot.state = state;
                    return;
                }
            }
            self.settled += 1;
        }
    }

    fn fail(&mut self, index: usize, reason: String) {
        if let Some(slot) = self.slots.get(index) {
            let url = slot.url.to_string();
            self.crawl.failures.push(PageFailure { url, reason });
        }
    }

    /// Keeps a page, unless it is one that is there already, and queues its links.
    fn take(&mut self, url: Url, content: Content) {
        let proper = content
            .canonical
            .map(clean)
            .filter(|canonical| canonical.origin() == self.origin)
            .unwrap_or_else(|| url.clone());
        self.enqueue(content.links);
        let title = content.title.unwrap_or_else(|| url.to_string());
        // Some sites name one page as the proper address of all: the title has to agree.
        let known = self
            .crawl
            .pages
            .iter()
            .zip(&self.proper)
            .any(|(page, known)| {
                page.markdown == content.markdown || (*known == proper && page.title == title)
            });
        if !known && self.crawl.pages.len() < self.most {
            self.proper.push(proper);
            self.crawl.pages.push(WebPage {
                url: url.into(),
                title,
                markdown: content.markdown,
            });
        }
    }

    fn enqueue(&mut self, links: Vec<Url>) {
        for link in links.into_iter().map(clean) {
            if self.queue.len() < MAX_QUEUE
                && belongs(&link, &self.origin)
                && !self.seen.contains(&link)
                && self.rules.allow(&link)
            {
                self.seen.insert(link.clone());
                self.queue.push_back(link);
            }
        }
    }

    fn wants_more(&self) -> bool {
        self.crawl.pages.len() < self.most
            && self.slots.len() < self.most * TRIES_PER_PAGE
            && Instant::now() < self.deadline
    }

    /// Pages that no link led to.
    async fn read_sitemaps(&mut self) {
        let named = self
            .rules
            .sitemaps()
            .iter()
            .filter_map(|s| Url::parse(s).ok());
        let mut waiting: VecDeque<Url> = named.collect();
        if waiting.is_empty() {
            let start = self
                .crawl
                .pages
                .first()
                .and_then(|page| Url::parse(&page.url).ok());
            waiting.extend(start.and_then(|url| url.join("/sitemap.xml").ok()));
        }
        let mut asked = HashSet::new();
        while asked.len() < MAX_SITEMAPS {
            let Some(url) = waiting.pop_front() else {
                break;
            };
            if url.origin() != self.origin || !self.rules.allow(&url) || !asked.insert(url.clone())
            {
                continue;
            }
            let Some(text) = self.read_sitemap(&url).await else {
                continue;
            };
            let found = sitemap::read(&text, MAX_QUEUE);
            self.enqueue(found.pages);
            waiting.extend(found.sitemaps);
        }
    }

    async fn read_sitemap(&self, url: &Url) -> Option<String> {
        let options = &self.crawler.options;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let ask = Ask {
            user_agent: &options.user_agent,
            accept: "application/xml, text/xml, */*;q=0.1",
            time: left.min(options.page_time).min(Duration::from_secs(8)),
            body: options.max_page_bytes,
        };
        let answer = self.crawler.fetcher.egress.get(url, ask).await.ok()?;
        let found = answer.status == 200;
        found.then(|| String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Lists what there was no time for, as far as it would have been read.
    fn give_up(&mut self) {
        if Instant::now() < self.deadline {
            return;
        }
        let waiting = self
            .slots
            .iter()
            .skip(self.settled)
            .map(|slot| slot.url.clone());
        let missing = self.most.saturating_sub(self.crawl.pages.len());
        let urls: Vec<Url> = waiting.chain(self.queue.drain(..)).take(missing).collect();
        self.crawl
            .failures
            .extend(urls.into_iter().map(|url| PageFailure {
                url: url.into(),
                reason: "There was no time left to read this page.".to_owned(),
            }));
    }
}
