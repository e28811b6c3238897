//! From the start page through the site: breadth first, a few requests at a time, and the same result whichever
//! of them comes back first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use domain::Result;
use domain::websites::KnownPage;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use url::{Origin, Url};

use crate::fetch::{Fetched, Fetcher, PageError, Read};
use crate::frontier::Frontier;
use crate::harvest::Harvest;
use crate::links::{clean, is_page};
use crate::robots::{Robots, Verdict};
use crate::scope::Scope;
use crate::sitemaps::Sitemaps;
use egress::{EgressError, MAX_REDIRECTS};

/// Pages that can't be read make room for others, up to so many requests for each page wanted.
const TRIES_PER_PAGE: usize = 4;

/// A page under way, at its place in the order of the result.
struct Slot {
    url: Url,
    redirects: usize,
    state: State,
}

enum State {
    Waiting,
    Running,
    Answered(Result<Option<Fetched>, PageError>),
}

/// A page's number, and what asking for it brought: `None` where robots.txt turned out to exclude it.
type Answer = (usize, Result<Option<Fetched>, PageError>);

/// What a walk goes by.
pub(crate) struct Plan {
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) robots: Arc<Robots>,
    pub(crate) scope: Scope,
    /// The most pages under way: asked for, being read, or waiting for their turn to be handed over.
    pub(crate) window: usize,
    pub(crate) deadline: Instant,
}

/// One walk through one site.
pub(crate) struct Walk<'a> {
    plan: Plan,
    harvest: Harvest<'a>,
    frontier: Frontier,
    /// Pages under way. Those before have been handed over, with their failures and links.
    slots: VecDeque<Slot>,
    /// The number of the first slot.
    settled: usize,
    /// When an origin that wants a pause between two requests may be asked next.
    free_at: HashMap<Origin, Instant>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(plan: Plan, harvest: Harvest<'a>) -> Self {
        Self {
            plan,
            harvest,
            frontier: Frontier::default(),
            slots: VecDeque::new(),
            settled: 0,
            free_at: HashMap::new(),
        }
    }

    /// Puts what an earlier crawl knew into the queue, but for the addresses that led to the start page.
    pub(crate) fn expect(&mut self, asked: &[Url], known: &[KnownPage]) {
        for url in asked {
            self.frontier.see(url);
            self.frontier.see(&clean(url.clone()));
        }
        for url in known.iter().filter_map(|page| Url::parse(&page.url).ok()) {
            // A site that can't be asked today is no reason to forget its pages: they fail, each with its reason.
            if self.plan.scope.includes(&url)
                && self.plan.robots.verdict(&url) != Verdict::Excluded
                && self.frontier.see(&url)
            {
                self.frontier.push(url);
            }
        }
    }

    /// Takes the start page.
    pub(crate) async fn begin(&mut self, url: &Url, page: Option<Box<Read>>) -> Result<()> {
        match page {
            Some(page) => self.take(url, *page).await,
            None => self.harvest.take_unchanged(url, self.waiting()).await,
        }
    }

    /// Reads the site until there are enough pages, no more links, or no more time.
    pub(crate) async fn go(&mut self, mut sitemaps: Sitemaps) -> Result<()> {
        let mut running = JoinSet::new();
        loop {
            self.settle().await?;
            while let Some(request) = self.next() {
                running.spawn(request);
            }
            match running.join_next().await {
                Some(Ok((number, answer))) => self.answer(number, answer),
                // Nobody cancels a request but who drops them all.
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                None if !self.wants_more() => break,
                None => {
                    let Plan {
                        fetcher,
                        robots,
                        scope,
                        deadline,
                        ..
                    } = &self.plan;
                    match sitemaps.next(fetcher, robots, scope, *deadline).await {
                        Some(pages) => self.enqueue(pages),
                        None => break,
                    }
                }
            }
        }
        self.give_up().await
    }

    fn answer(&mut self, number: usize, answer: Result<Option<Fetched>, PageError>) {
        let slot = number.checked_sub(self.settled);
        if let Some(slot) = slot.and_then(|index| self.slots.get_mut(index)) {
            slot.state = State::Answered(answer);
        }
    }

    /// The next page to ask for: one that has moved, otherwise the first in the queue.
    fn next(&mut self) -> Option<impl Future<Output = Answer> + use<>> {
        if Instant::now() >= self.plan.deadline {
            return None;
        }
        let is_waiting = |slot: &Slot| matches!(slot.state, State::Waiting);
        let index = match self.slots.iter().position(is_waiting) {
            Some(moved) => moved,
            None => {
                if self.slots.len() >= self.plan.window || !self.wants_more() {
                    return None;
                }
                self.slots.push_back(Slot {
                    url: self.frontier.pop()?,
                    redirects: 0,
                    state: State::Waiting,
                });
                self.slots.len() - 1
            }
        };
        let url = self.slots.get(index)?.url.clone();
        let at = self.start_at(&url);
        self.slots.get_mut(index)?.state = State::Running;
        Some(self.request(self.settled + index, url, at))
    }

    /// When a page may be asked for, as its site wants it and the time allows.
    fn start_at(&mut self, url: &Url) -> Instant {
        let now = Instant::now();
        let rules = self.plan.robots.read_before(url);
        let Some(delay) = rules.and_then(|rules| rules.delay()) else {
            return now;
        };
        let left = self.plan.deadline.saturating_duration_since(now);
        let to_come = self.waiting().min(self.harvest.room()) as u32 + 1;
        let pause = delay.min(left / to_come);
        let free_at = self.free_at.entry(url.origin()).or_insert(now);
        // The start page was asked for just now.
        *free_at = now.max(*free_at) + pause;
        *free_at
    }

    fn request(
        &self,
        number: usize,
        url: Url,
        at: Instant,
    ) -> impl Future<Output = Answer> + use<> {
        let known = self.harvest.known(&url).map(|known| known.mark.clone());
        let fetcher = Arc::clone(&self.plan.fetcher);
        let robots = Arc::clone(&self.plan.robots);
        let crawl = self.plan.deadline;
        async move {
            sleep_until(at.min(crawl)).await;
            let answer = match timeout_at(crawl, robots.may_ask(&url)).await {
                Err(_) => Err(EgressError::TimedOut.into()),
                Ok(Err(why)) => Err(why),
                Ok(Ok(false)) => Ok(None),
                Ok(Ok(true)) => {
                    let time = fetcher.page_time;
                    let fetched = fetcher.fetch(&url, known.as_ref(), time, crawl).await;
                    fetched.map(Some)
                }
            };
            (number, answer)
        }
    }

    /// Hands over what the answers brought, in the order in which the pages were found. A page whose turn has not
    /// come waits, so that links are followed in the same order every time.
    async fn settle(&mut self) -> Result<()> {
        while let Some(slot) = self.slots.pop_front() {
            let State::Answered(answer) = slot.state else {
                self.slots.push_front(slot);
                break;
            };
            self.settled += 1;
            let url = slot.url;
            match answer {
                Ok(Some(Fetched::Page(read))) => self.take(&url, *read).await?,
                Ok(Some(Fetched::Unchanged)) => {
                    self.harvest.take_unchanged(&url, self.waiting()).await?;
                }
                Ok(Some(Fetched::Redirect(target))) => {
                    let target = clean(target);
                    match self.may_follow(&target, slot.redirects) {
                        Ok(false) => {}
                        Ok(true) => {
                            // It keeps its place.
                            self.settled -= 1;
                            self.slots.push_front(Slot {
                                url: target,
                                redirects: slot.redirects + 1,
                                state: State::Waiting,
                            });
                            break;
                        }
                        Err(why) => self.harvest.fail(&url, why, self.waiting()).await?,
                    }
                }
                // Its robots.txt turned out to exclude it.
                Ok(None) => {}
                Err(why) => self.harvest.fail(&url, why, self.waiting()).await?,
            }
        }
        Ok(())
    }

    /// Whether to go where a page has moved. An address that was seen before has a place of its own.
    fn may_follow(&mut self, target: &Url, redirects: usize) -> Result<bool, PageError> {
        if !self.plan.scope.includes(target) {
            let why = "The page redirects to an address that is not part of what is to be read.";
            return Err(PageError::Unreadable(why.to_owned()));
        }
        if redirects >= MAX_REDIRECTS {
            return Err(EgressError::TooManyRedirects.into());
        }
        Ok(self.plan.robots.verdict(target) == Verdict::Allowed && self.frontier.see(target))
    }

    /// Hands over a page, unless it is one that is there already, and queues its links.
    async fn take(&mut self, url: &Url, mut page: Read) -> Result<()> {
        self.enqueue(std::mem::take(&mut page.links));
        if !page.is_for_robots {
            return Ok(());
        }
        self.harvest.take(url, page, self.waiting()).await
    }

    fn enqueue(&mut self, links: Vec<Url>) {
        for link in links.into_iter().map(clean) {
            if self.frontier.is_full() {
                break;
            }
            if self.plan.scope.includes(&link)
                && is_page(&link)
                && self.frontier.see(&link)
                && self.plan.robots.verdict(&link) == Verdict::Allowed
            {
                self.frontier.push(link);
            }
        }
    }

    /// How many pages may follow.
    fn waiting(&self) -> usize {
        self.slots.len() + self.frontier.len()
    }

    /// Whether there is room beside those under way, which may all turn out to be pages.
    fn wants_more(&self) -> bool {
        let failed = |slot: &&Slot| matches!(slot.state, State::Answered(Err(_) | Ok(None)));
        let under_way = self.slots.len() - self.slots.iter().filter(failed).count();
        self.harvest.room() > under_way
            && self.settled + self.slots.len() < self.harvest.most().saturating_mul(TRIES_PER_PAGE)
            && Instant::now() < self.plan.deadline
    }

    /// Tells of what there was no time for, as far as it would have been read.
    async fn give_up(&mut self) -> Result<()> {
        if Instant::now() < self.plan.deadline {
            return Ok(());
        }
        let mut missing = self.harvest.room();
        while missing > 0 {
            let moved = self.slots.pop_front().map(|slot| slot.url);
            let Some(url) = moved.or_else(|| self.frontier.pop()) else {
                break;
            };
            missing -= 1;
            let why = PageError::Unreadable("There was no time left to read this page.".to_owned());
            self.harvest
                .fail(&url, why, missing.min(self.waiting()))
                .await?;
        }
        Ok(())
    }
}
