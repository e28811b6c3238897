//! The addresses that wait to be asked for, each once.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use url::Url;

/// The most addresses that wait at a time: a site of ten thousand pages with all that its pages link to.
const MAX_WAITING: usize = 50_000;
/// The most bytes of addresses that wait at a time.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The most addresses that are remembered; what comes after these is left out.
const MAX_SEEN: usize = 1_000_000;

/// What waits, and what was ever seen, of which a digest is enough.
#[derive(Default)]
pub(crate) struct Frontier {
    hasher: RandomState,
    seen: HashSet<u64>,
    waiting: VecDeque<Url>,
    bytes: usize,
}

impl Frontier {
    /// Whether the address is new; from now on it is not.
    pub(crate) fn see(&mut self, url: &Url) -> bool {
        self.seen.len() < MAX_SEEN && self.seen.insert(self.hasher.hash_one(url.as_str()))
    }

    /// Puts an address at the end.
    pub(crate) fn push(&mut self, url: Url) {
        if self.waiting.len() < MAX_WAITING && self.bytes < MAX_BYTES {
            self.bytes += url.as_str().len();
            self.waiting.push_back(url);
        }
    }

    /// Takes the first.
    pub(crate) fn pop(&mut self) -> Option<Url> {
        let url = self.waiting.pop_front()?;
        self.bytes -= url.as_str().len();
        Some(url)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }
}

#[cfg(test)]
mod tests {
    use super::{Frontier, MAX_BYTES, MAX_WAITING};
    use url::Url;

    #[test]
    fn addresses_come_out_once_and_in_order() {
        let mut frontier = Frontier::default();
        for path in ["b", "a", "b"] {
            let url = Url::parse(&format!("http://a.example/{path}")).unwrap();
            if frontier.see(&url) {
                frontier.push(url);
            }
        }
        let paths: Vec<String> = std::iter::from_fn(|| frontier.pop())
            .map(|url| url.path().to_owned())
            .collect();
        assert_eq!(paths, ["/b", "/a"]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut frontier = Frontier::default();
        for i in 0..MAX_WAITING * 2 {
            frontier.push(Url::parse(&format!("http://a.example/{i}")).unwrap());
        }
        assert_eq!(frontier.len(), MAX_WAITING);
        let mut frontier = Frontier::default();
        for i in 0..MAX_BYTES / 1_000 {
            frontier
                .push(Url::parse(&format!("http://a.example/{i}{}", "x".repeat(2000))).unwrap());
        }
        assert!(frontier.len() < MAX_BYTES / 2_000 + 2);
    }
}
