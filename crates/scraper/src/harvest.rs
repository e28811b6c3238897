//! What a crawl hands over: each page once, and no more than were asked for.

use std::collections::{HashMap, HashSet};

use domain::knowledge::PageFailure;
use domain::websites::{Found, KnownPage, PageSink, WebPage};
use domain::{Error, Result};
use url::Url;

use crate::fetch::{PageError, Read};
use crate::links::clean;
use crate::mark::Digest;

/// Hands pages to the sink, and remembers no more of them than tells two apart.
pub(crate) struct Harvest<'a> {
    sink: &'a mut dyn PageSink,
    known: HashMap<String, &'a KnownPage>,
    most: usize,
    pages: usize,
    /// Digests of the contents so far.
    contents: HashSet<u128>,
    /// Proper addresses so far, with the digest of the title: some sites name one page as the proper address of
    /// all, so that the title has to agree.
    proper: HashSet<(String, u128)>,
    /// The same of pages that have not changed: the site did not tell their proper address again, which mostly is
    /// the one without the query. Only counts for pages that tell theirs.
    guessed: HashSet<(String, u128)>,
}

impl<'a> Harvest<'a> {
    pub(crate) fn new(sink: &'a mut dyn PageSink, known: &'a [KnownPage], most: usize) -> Self {
        let known = known.iter().filter_map(|page| {
            let url = Url::parse(&page.url).ok()?;
            Some((String::from(url), page))
        });
        Self {
            known: known.collect(),
            sink,
            most,
            pages: 0,
            contents: HashSet::new(),
            proper: HashSet::new(),
            guessed: HashSet::new(),
        }
    }

    /// What an earlier crawl knew of a page.
    pub(crate) fn known(&self, url: &Url) -> Option<&'a KnownPage> {
        self.known.get(url.as_str()).copied()
    }

    /// How many pages were asked for.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many pages there is still room for.
    pub(crate) fn room(&self) -> usize {
        self.most.saturating_sub(self.pages)
    }

    /// Hands over a page that was read, unless it is there already. `waiting` is how many may follow.
    pub(crate) async fn take(&mut self, url: &Url, page: Read, waiting: usize) -> Result<()> {
        let canonical = page.canonical.map(clean);
        let canonical = canonical.filter(|canonical| canonical.origin() == url.origin());
        let proper = canonical.as_ref().unwrap_or(url);
        let name = (proper.to_string(), page.digest.title);
        let is_guessed = canonical.is_some() && self.guessed.contains(&name);
        if is_guessed || !self.is_new(page.digest.content, name) {
            return Ok(());
        }
        let known = self.known(url);
        let found = match known.filter(|known| known.mark.content_hash == page.mark.content_hash) {
            Some(known) => Found::Unchanged(KnownPage {
                url: known.url.clone(),
                mark: page.mark,
            }),
            None => Found::Page(WebPage {
                url: url.to_string(),
                title: page.title,
                markdown: page.markdown,
                mark: page.mark,
            }),
        };
        self.hand_over(found, waiting).await
    }

    /// Hands over a page that the server says has not changed.
    pub(crate) async fn take_unchanged(&mut self, url: &Url, waiting: usize) -> Result<()> {
        let Some(known) = self.known(url) else {
            return Err(Error::internal("a page is unchanged that was not known"));
        };
        if let Some(Digest { content, title }) = Digest::parse(&known.mark.content_hash) {
            if !self.is_new(content, (url.to_string(), title)) {
                return Ok(());
            }
            let mut bare = url.clone();
            bare.set_query(None);
            self.guessed.insert((bare.into(), title));
        }
        self.hand_over(Found::Unchanged(known.clone()), waiting)
            .await
    }

    /// Tells of a page that could not be read. One that was read before and may come back keeps its place.
    pub(crate) async fn fail(&mut self, url: &Url, why: PageError, waiting: usize) -> Result<()> {
        let gone = matches!(why, PageError::Gone(_));
        let known = self.known(url);
        let was_read = known.is_some_and(|known| !known.mark.content_hash.is_empty());
        if was_read && !gone {
            self.pages += 1;
        }
        let failure = PageFailure {
            url: known.map_or_else(|| url.to_string(), |known| known.url.clone()),
            reason: why.sentence(),
        };
        self.tell(Found::Failed { failure, gone }, waiting).await
    }

    /// Whether there is room for the page, and none like it; from now on there is one.
    fn is_new(&mut self, content: u128, name: (String, u128)) -> bool {
        let is_new =
            self.room() > 0 && !self.contents.contains(&content) && !self.proper.contains(&name);
        if is_new {
            self.contents.insert(content);
            self.proper.insert(name);
        }
        is_new
    }

    async fn hand_over(&mut self, page: Found, waiting: usize) -> Result<()> {
        self.pages += 1;
        self.tell(page, waiting).await
    }

    async fn tell(&mut self, found: Found, waiting: usize) -> Result<()> {
        let discovered = (self.pages + waiting).min(self.most);
        let discovered = u32::try_from(discovered).unwrap_or(u32::MAX);
        self.sink.take(found, discovered).await
    }
}
