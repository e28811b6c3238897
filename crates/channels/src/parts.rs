//! Long texts in parts that a platform takes.

use domain::channels::{ChannelError, OutboundMessage, SendFailure, Sent};
use unicode_segmentation::UnicodeSegmentation;

/// The parts of a message that are still to be sent.
pub(crate) struct Parts<'a> {
    left: std::vec::IntoIter<&'a str>,
    sent: Vec<String>,
}

impl<'a> Parts<'a> {
    /// Of a message, each of at most `max` in the measure of `size`.
    pub fn of(
        message: &'a OutboundMessage,
        max: usize,
        size: fn(char) -> usize,
    ) -> Result<Self, SendFailure> {
        if message.text.trim().is_empty() {
            return Err(blank().into());
        }
        let mut left = split(&message.text, max, size).into_iter();
        left.by_ref().take(message.skip).for_each(drop);
        Ok(Self {
            left,
            sent: Vec::new(),
        })
    }

    /// The next one.
    pub fn next(&mut self) -> Option<&'a str> {
        self.left.next()
    }

    /// Keeps what came of it: the platform's id, or an end with what was sent so far.
    pub fn note(&mut self, outcome: Result<String, ChannelError>) -> Result<(), SendFailure> {
        match outcome {
            Ok(id) => self.sent.push(id),
            Err(error) => {
                let sent = std::mem::take(&mut self.sent);
                return Err(SendFailure { sent, error });
            }
        }
        Ok(())
    }

    /// After the last one.
    pub fn end(self) -> Sent {
        Sent { ids: self.sent }
    }
}

/// No platform takes a message without words.
pub(crate) fn blank() -> ChannelError {
    ChannelError::Invalid("The message has no words.".into())
}

/// UTF-16's measure of a character, which Telegram's limits are in.
pub(crate) fn utf16(character: char) -> usize {
    character.len_utf16()
}

/// The plain measure.
pub(crate) fn characters(_: char) -> usize {
    1
}

/// Cuts where the reader is disturbed least: at the end of a line in the part's second half, else between words, else
/// between characters as people see them. White space at a cut is dropped, nothing else.
fn split(text: &str, max: usize, size: fn(char) -> usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let fits = fitting(rest, max, size);
        if fits == rest.len() {
            parts.push(rest);
            break;
        }
        let at = gap(rest, fits).unwrap_or(fits);
        let (part, left) = rest.split_at(at);
        parts.push(part.trim_end());
        rest = left.trim_start();
    }
    // A stretch of white space longer than a part leaves nothing of it.
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// How many bytes from the beginning are within `max`, at least one character.
fn fitting(text: &str, max: usize, size: fn(char) -> usize) -> usize {
    let (mut end, mut used) = (0, 0);
    for grapheme in text.graphemes(true) {
        used += grapheme.chars().map(size).sum::<usize>();
        if used > max {
            break;
        }
        end += grapheme.len();
    }
    if end > 0 || text.is_empty() {
        return end;
    }
    // One letter with thousands of accents: it is cut, so that there is an end to it.
    let mut used = 0;
    let fits = text.chars().take_while(|character| {
        used += size(*character);
        used <= max
    });
    let end: usize = fits.map(char::len_utf8).sum();
    end.max(text.chars().next().map_or(0, char::len_utf8))
}

/// Where to cut at `fits` or before; `None`: within a word.
fn gap(text: &str, fits: usize) -> Option<usize> {
    let (head, tail) = text.split_at(fits);
    let next = tail.chars().next();
    let line = match next {
        Some('\n') => Some(fits),
        _ => head.rfind('\n').filter(|at| *at >= fits / 2),
    };
    let word = || match next {
        Some(next) if next.is_whitespace() => Some(fits),
        _ => head.rfind(char::is_whitespace),
    };
    line.or_else(word).filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, max: usize) -> Vec<&str> {
        split(text, max, characters)
    }

    #[test]
    fn cuts_are_where_they_disturb_least() {
        assert_eq!(cut("one two", 7), ["one two"]);
        assert_eq!(cut("one two three", 7), ["one two", "three"]);
        assert_eq!(cut("one two three", 8), ["one two", "three"]);
        assert_eq!(cut("one two three", 6), ["one", "two", "three"]);
        assert_eq!(cut("one\ntwo three", 9), ["one\ntwo", "three"]);
        assert_eq!(cut("first line\nand on", 14), ["first line", "and on"]);
        assert_eq!(cut("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(cut(" a b", 8), [" a b"], "what fits is left as it is");
        assert_eq!(cut("a          b", 4), ["a", "b"]);
    }

    #[test]
    fn characters_stay_whole() {
        let family = "👨‍👩‍👧‍👦";
        let text = family.repeat(3);
        assert_eq!(cut(&text, 10), [family, family, family]);
        assert_eq!(split("😀😀😀", 4, utf16), ["😀😀", "😀"]);
        let accents = format!("e{}", "\u{301}".repeat(9));
        assert_eq!(cut(&accents, 4).concat(), accents);
        assert_eq!(
            split("😀a", 1, utf16),
            ["😀", "a"],
            "no part is empty, so there is an end"
        );
    }
}
