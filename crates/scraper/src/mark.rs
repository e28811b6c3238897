//! What tells whether a page has changed, and whether two pages are the same.

use std::fmt::{Display, Formatter, Result as FmtResult};

use domain::websites::PageMark;
use reqwest::header::{ETAG, HeaderMap, HeaderName, LAST_MODIFIED};
use sha2::{Digest as _, Sha256};

/// The longest validator that is kept, in bytes; real ones have some dozens.
const MAX_VALIDATOR: usize = 500;

/// A digest of a page's content and one of its title, so that pages can be compared by either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest {
    pub(crate) content: u128,
    pub(crate) title: u128,
}

impl Digest {
    pub(crate) fn of(title: &str, markdown: &str) -> Self {
        Self {
            content: half(markdown),
            title: half(title),
        }
    }

    /// Of the text that [`Display`] gives.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let part = |from, to| u128::from_str_radix(text.get(from..to)?, 16).ok();
        (text.len() == 64).then_some(())?;
        Some(Self {
            content: part(0, 32)?,
            title: part(32, 64)?,
        })
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> FmtResult {
        write!(f, "{:032x}{:032x}", self.content, self.title)
    }
}

/// Half of SHA-256 is more than enough where nobody gains by finding two texts with one digest.
fn half(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(16)
        .fold(0, |all, byte| all << 8 | u128::from(*byte))
}

/// The mark of a page from its answer's headers and its digest.
pub(crate) fn mark(headers: &HeaderMap, digest: Digest) -> PageMark {
    PageMark {
        etag: validator(headers, ETAG),
        last_modified: validator(headers, LAST_MODIFIED),
        content_hash: digest.to_string(),
    }
}

fn validator(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty() && value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_is_told_in_sixty_four_digits_and_read_back() {
        let digest = Digest::of("Title", "Words");
        let text = digest.to_string();
        assert_eq!(text.len(), 64);
        assert_eq!(Digest::parse(&text), Some(digest));
        let other = Digest::of("Other", "Words");
        assert_eq!(other.content, digest.content);
        assert_ne!(other.title, digest.title);
        for text in ["", "12", &"x".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::parse(text), None);
        }
    }
}
