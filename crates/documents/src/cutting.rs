//! Cutting what is too long for one chunk.

use std::ops::Range;

/// About 150 to 200 words: what is put together for a chunk, in characters.
pub(crate) const TARGET: usize = 900;
/// No chunk is longer, in characters.
pub(crate) const MAX: usize = 1_600;

/// What is cut at all is cut to pieces near [`TARGET`].
const ONCE_CUT: usize = TARGET * 4 / 3;

/// Where a text would rather be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Between sentences; lines may be wrapped anywhere.
    Sentences,
    /// Between lines: code, rows.
    Lines,
}

/// Places to cut at, worst first. From `Space` on, no word is torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Anywhere,
    FullStopWithoutSpace,
    Space,
    Clause,
    Line,
    Sentence,
    Gap,
}

/// Cuts a part of the text into pieces of about the same length, none over [`MAX`], none blank. All words are
/// in one of them; a word is torn only where it is longer than [`MAX`].
pub(crate) fn pieces(text: &str, part: Range<usize>, grain: Grain) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut rest = trimmed(text, part);
    let mut left = text[rest.clone()].chars().count();
    let mut limit = MAX;
    while left > limit {
        let aim = left / left.div_ceil(TARGET);
        let end = rest.start + cut(&text[rest.clone()], aim, grain, left > MAX);
        limit = ONCE_CUT;
        let next = trimmed(text, end..rest.end);
        left -= text[rest.start..next.start].chars().count();
        pieces.push(trimmed(text, rest.start..end));
        rest = next;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The part of a text without the white space around it.
pub(crate) fn trimmed(text: &str, part: Range<usize>) -> Range<usize> {
    let whole = &text[part.clone()];
    let start = part.end - whole.trim_start().len();
    start..start + text[start..part.end].trim_end().len()
}

/// Where to cut a text, best near `aim` characters: a position in bytes, never 0, and the text's end where it
/// neither must be cut nor can be between words.
fn cut(text: &str, aim: usize, grain: Grain, must: bool) -> usize {
    let mut sentence = SentenceEnd::default();
    let mut breaks = 0;
    let mut before = ' ';
    // What is cut too early makes crumbs, but a crumb is better than a torn word.
    let mut early = None;
    let mut best: Option<(Place, usize, usize)> = None;
    for (count, (at, c)) in text.char_indices().enumerate().take(MAX + 1) {
        let place = if c.is_whitespace() {
            breaks += usize::from(c == '\n' || c == '\r' && !text[at..].starts_with("\r\n"));
            match grain {
                Grain::Lines if breaks > 1 => Place::Gap,
                Grain::Lines if breaks > 0 => Place::Line,
                Grain::Sentences if sentence.ended => Place::Sentence,
                Grain::Sentences if breaks > 0 => Place::Line,
                _ if matches!(before, ',' | ';' | ':') => Place::Clause,
                _ => Place::Space,
            }
        } else if matches!(before, '。' | '！' | '？' | '；') {
            Place::FullStopWithoutSpace
        } else {
            Place::Anywhere
        };
        if !c.is_whitespace() {
            sentence.pass(c);
            breaks = 0;
            before = c;
        }
        if count >= aim / 2 && count > 0 {
            let better = |(other, far, _): &(Place, usize, usize)| {
                place > *other || place == *other && count.abs_diff(aim) < *far
            };
            if best.as_ref().is_none_or(better) {
                best = Some((place, count.abs_diff(aim), at));
            }
        } else if place >= Place::Space && count > 0 {
            early = Some(at);
        }
    }
    match (best, early) {
        (Some((place, _, at)), _) if place >= Place::Space => at,
        (_, Some(at)) => at,
        (Some((_, _, at)), None) if must => at,
        _ => text.len(),
    }
}

/// Whether a sentence has just ended.
#[derive(Default)]
struct SentenceEnd {
    ended: bool,
    /// Letters and digits since the last other character.
    word: usize,
    /// Whether the first of them is a capital.
    is_name: bool,
}

impl SentenceEnd {
    fn pass(&mut self, c: char) {
        match c {
            // "J. Doe", "p. 5", "e.g.", "Dr. Smith": where it is not certain, there are better places.
            '.' if self.word == 1 || self.word < 4 && self.is_name => {}
            '.' | '!' | '?' | '…' | '。' | '！' | '？' => self.ended = true,
            '"' | '\'' | '”' | '’' | ')' | ']' | '»' | '*' | '_' => {}
            _ => self.ended = false,
        }
        if self.word == 0 {
            self.is_name = c.is_uppercase();
        }
        self.word = if c.is_alphanumeric() {
            self.word + 1
        } else {
            0
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(text: &str, grain: Grain) -> Vec<&str> {
        let ranges = pieces(text, 0..text.len(), grain);
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn text_is_cut_between_sentences_in_even_pieces() {
        let text = "Dr. A. Smith, who lives in the old town,\nsells \"coffee.\" ".repeat(40);
        let pieces = cuts(&text, Grain::Sentences);
        assert_eq!(pieces.len(), text.len().div_ceil(TARGET));
        for piece in pieces {
            assert!(
                piece.starts_with("Dr.") && piece.ends_with("coffee.\""),
                "{piece}"
            );
            assert!(piece.len() > TARGET / 2, "{}", piece.len());
        }
    }

    #[test]
    fn code_is_cut_between_lines() {
        let text = "let a = b. c;\n  call(a, b)\n".repeat(100);
        let pieces = cuts(&text, Grain::Lines);
        assert!(
            pieces
                .iter()
                .all(|p| p.starts_with("let") || p.starts_with("call"))
        );
        assert_eq!(pieces.join("\n").lines().count(), 200);
    }

    #[test]
    fn a_word_is_torn_only_where_it_must_be() {
        let long = "x".repeat(MAX);
        let text = format!("a {long} b {long}y");
        let pieces = cuts(&text, Grain::Sentences);
        assert_eq!(pieces[..3], ["a", &long, "b"]);
        assert_eq!(pieces[3..].concat(), format!("{long}y"));
        let chinese = "我们每天九点开门。欢迎光临！".repeat(300);
        let pieces = cuts(&chinese, Grain::Sentences);
        assert!(pieces.iter().all(|p| p.ends_with(['。', '！'])));
        assert_eq!(pieces.concat(), chinese);
    }

    #[test]
    fn blank_text_has_no_pieces() {
        assert!(cuts("", Grain::Sentences).is_empty());
        assert!(cuts(&" \n".repeat(5000), Grain::Lines).is_empty());
    }
}
