//! The blocks of a text, plain or Markdown: headings, paragraphs, list items, code, tables.
//!
//! Line by line, holding one block at a time. A parser of the whole of Markdown holds a tree of everything,
//! many times the size of the text, and there are texts over which it takes its time in squares; chunks need
//! to know blocks only. CommonMark's rules for them are kept where people's documents show a difference.

use std::ops::Range;

use pulldown_cmark::{Event, Parser};

use crate::cutting::trimmed;
use crate::marks::{Fence, is_bold, is_item, is_question, underline};

/// A longer line is no heading, whatever its marks, in bytes.
const HEADING_MAX: usize = 300;
/// A longer line in capitals is no heading, in bytes.
const CAPITALS_MAX: usize = 80;
/// How much of a heading or of a table's header stands above chunks, in characters.
const TITLE_MAX: usize = 100;
/// The level of headings in capitals: below all that Markdown marks.
const CAPITALS_LEVEL: u8 = 7;

/// A block, without the white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
    /// Whether it says what follows is about: a question, a bold line, "You need:".
    pub(crate) leads: bool,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Heading {
        level: u8,
        title: String,
    },
    Text,
    Code,
    /// The names of the columns, and where the rows begin.
    Table {
        columns: String,
        rows: usize,
    },
}

/// The blocks of a text in order. All its words are in one of them.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = Block> {
    Outline { text, at: 0 }
}

struct Outline<'t> {
    text: &'t str,
    at: usize,
}

/// A line with its end, and its words.
struct Line<'t> {
    start: usize,
    end: usize,
    whole: &'t str,
    words: &'t str,
}

impl Line<'_> {
    /// Four spaces or a tab make it code or the inside of something.
    fn is_indented(&self) -> bool {
        self.whole.starts_with("    ") || self.whole.starts_with('\t')
    }
}

impl Iterator for Outline<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let first = loop {
            let line = self.line(self.at)?;
            if !line.words.is_empty() {
                break line;
            }
            self.at = line.end;
        };
        let (end, kind) = self.block(&first);
        let range = trimmed(self.text, first.start..end);
        self.at = end;
        let leads = kind == Kind::Text && leads(&self.text[range.clone()]);
        Some(Block { range, kind, leads })
    }
}

impl<'t> Outline<'t> {
    fn line(&self, start: usize) -> Option<Line<'t>> {
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = match rest.find(['\n', '\r']) {
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let whole = &rest[..length];
        Some(Line {
            start,
            end: start + length,
            whole,
            words: whole.trim(),
        })
    }

    /// Where the block that begins with this line ends, and what it is.
    fn block(&self, first: &Line<'t>) -> (usize, Kind) {
        if let Some(heading) = marked_heading(first) {
            (first.end, heading)
        } else if let Some(fence) = Fence::opening(first.words) {
            (
                self.after(first.end, |line| fence.is_closed_by(line.words)),
                Kind::Code,
            )
        } else if first.start == 0 && first.words == "---" && self.has_front_matter(first.end) {
            (
                self.after(first.end, |line| line.words == "---"),
                Kind::Code,
            )
        } else if let Some(rows) = self.table(first) {
            let mut end = rows;
            while let Some(line) = self.line(end).filter(|line| line.words.contains('|')) {
                end = line.end;
            }
            let columns = columns(first.words);
            (end, Kind::Table { columns, rows })
        } else if let Some(heading) = self.capitals(first) {
            (first.end, heading)
        } else {
            self.paragraph(first)
        }
    }

    /// Lines up to an empty one, or to one that begins something else.
    fn paragraph(&self, first: &Line<'t>) -> (usize, Kind) {
        let mut end = first.end;
        let mut is_heading = !is_item(first.words) && first.words.len() <= HEADING_MAX;
        while let Some(line) = self.line(end).filter(|line| !line.words.is_empty()) {
            if let Some(level) = underline(line.words).filter(|_| is_heading) {
                return (line.end, heading(level, first.words));
            }
            if self.begins_block(&line) {
                break;
            }
            end = line.end;
            is_heading = false;
        }
        (end, Kind::Text)
    }

    fn begins_block(&self, line: &Line<'_>) -> bool {
        is_item(line.words)
            || is_question(line.words)
            || is_bold(line.words)
            || marked_heading(line).is_some()
            || Fence::opening(line.words).is_some()
            || self.table(line).is_some()
    }

    /// Behind the first line that ends it, or behind the last line.
    fn after(&self, mut at: usize, is_end: impl Fn(&Line<'_>) -> bool) -> usize {
        while let Some(line) = self.line(at) {
            at = line.end;
            if is_end(&line) {
                break;
            }
        }
        at
    }

    /// Metadata between two lines of dashes, as site generators write it; without the second one it is a rule.
    fn has_front_matter(&self, mut at: usize) -> bool {
        while let Some(line) = self.line(at).filter(|line| !line.words.is_empty()) {
            if line.words == "---" {
                return true;
            }
            at = line.end;
        }
        false
    }

    /// Where the rows begin of the table whose header this line is.
    fn table(&self, header: &Line<'_>) -> Option<usize> {
        if !header.words.contains('|') {
            return None;
        }
        let next = self.line(header.end)?;
        let is_rule = next.words.contains('-')
            && next.words.contains('|')
            && next.words.chars().all(|c| "|-: \t".contains(c));
        is_rule.then_some(next.end)
    }

    /// A short line in capitals that stands alone, with something below it.
    fn capitals(&self, line: &Line<'_>) -> Option<Kind> {
        let words = line.words;
        if words.len() > CAPITALS_MAX
            || words.contains(char::is_lowercase)
            || words.ends_with(['.', '!', '?', ',', ';'])
        {
            return None;
        }
        let letters = words.chars().filter(|c| c.is_uppercase()).count();
        let stands_alone = self
            .line(line.end)
            .is_some_and(|next| next.words.is_empty());
        (letters > 2 && stands_alone && !is_item(words)).then(|| heading(CAPITALS_LEVEL, words))
    }
}

/// `# Title` to `###### Title`.
fn marked_heading(line: &Line<'_>) -> Option<Kind> {
    let level = line
        .words
        .bytes()
        .take(7)
        .take_while(|b| *b == b'#')
        .count();
    let title = line.words.get(level..)?;
    let is_heading = (1..=6).contains(&level)
        && (title.is_empty() || title.starts_with([' ', '\t']))
        && line.words.len() <= HEADING_MAX
        && !line.is_indented();
    is_heading.then(|| heading(level as u8, title.trim().trim_end_matches('#')))
}

fn heading(level: u8, title: &str) -> Kind {
    let title = short(&plain(title.trim()));
    Kind::Heading { level, title }
}

/// The words of a line of Markdown.
fn plain(line: &str) -> String {
    if !line.contains(['*', '_', '`', '[', '<', '&', '\\']) {
        return line.to_owned();
    }
    let mut words = String::with_capacity(line.len());
    for event in Parser::new(line) {
        if let Event::Text(text) | Event::Code(text) = event {
            words.push_str(&text);
        }
    }
    // "1. *Refunds*" is the beginning of a list to the parser, and no less a title.
    match line.find(|c: char| !c.is_ascii_digit() && !".) ".contains(c)) {
        Some(number) if number > 0 && !words.starts_with(&line[..number]) => {
            words.insert_str(0, &line[..number]);
        }
        _ => {}
    }
    words
}

/// On one line, and no longer than what may stand above a chunk.
pub(crate) fn short(text: &str) -> String {
    let mut line = String::new();
    let mut left = TITLE_MAX;
    for word in text.split_whitespace() {
        let length = word.chars().take(TITLE_MAX).count() + 1;
        if length > left {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        left -= length;
    }
    line
}

fn columns(header: &str) -> String {
    let names = header.trim_matches('|').split('|').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    short(&names.join(" | "))
}

fn leads(block: &str) -> bool {
    let is_line = !block.contains(['\n', '\r']);
    is_line
        && (block.ends_with(['?', ':'])
            || is_bold(block)
            || is_question(block) && !block.contains("A:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&str, &'static str)> {
        let name = |block: &Block| match &block.kind {
            Kind::Heading { .. } => "heading",
            Kind::Text if block.leads => "lead",
            Kind::Text => "text",
            Kind::Code => "code",
            Kind::Table { .. } => "table",
        };
        blocks(text)
            .map(|block| (&text[block.range.clone()], name(&block)))
            .collect()
    }

    fn titles(text: &str) -> Vec<(u8, String)> {
        blocks(text)
            .filter_map(|block| match block.kind {
                Kind::Heading { level, title } => Some((level, title)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn headings_are_marked_underlined_or_in_capitals() {
        let text = "# Our *shop* #\nThe `main` one\r\n=====\r\nWords\n\nHours\n---\n\nOPENING HOURS:\n\nWe open at 9.\n### 1. *Refunds*\n#tag";
        let expected = [
            (1, "Our shop"),
            (1, "The main one"),
            (2, "Hours"),
            (7, "OPENING HOURS:"),
            (3, "1. Refunds"),
        ];
        assert_eq!(
            titles(text),
            expected.map(|(level, title)| (level, title.to_owned()))
        );
    }

    #[test]
    fn what_only_looks_like_a_heading_is_none() {
        for text in [
            "    # code",
            "#tag",
            "####### seven",
            "- item\n---",
            "two\nlines\n---",
            "OK\n\nyes",
            "STOP!\n\nnow",
            "```\n# a\n```",
        ] {
            assert_eq!(titles(text), [], "{text}");
        }
        assert_eq!(titles(&format!("# {}", "long ".repeat(100))), []);
    }

    #[test]
    fn blocks_end_where_others_begin() {
        assert_eq!(
            read(
                "---\ntitle: x\n---\nYou need:\n- a pass\n  of yours\n2. a photo\n\n```sh\nls\n\n# no\n```\nWords\nand more.\n| A | B |\n|---|:-:|\n| 1 | 2 |\nEnd"
            ),
            [
                ("---\ntitle: x\n---", "code"),
                ("You need:", "lead"),
                ("- a pass\n  of yours", "text"),
                ("2. a photo", "text"),
                ("```sh\nls\n\n# no\n```", "code"),
                ("Words\nand more.", "text"),
                ("| A | B |\n|---|:-:|\n| 1 | 2 |", "table"),
                ("End", "text"),
            ]
        );
        assert_eq!(read("---\n\nWords").len(), 2);
    }

    #[test]
    fn questions_lead_their_answers() {
        assert_eq!(
            read("Q: Abroad?\nA: Yes.\n**Q:** Fast?\n\nA: No.\n**Where are you?**\nHere."),
            [
                ("Q: Abroad?\nA: Yes.", "text"),
                ("**Q:** Fast?", "lead"),
                ("A: No.", "text"),
                ("**Where are you?**\nHere.", "text"),
            ]
        );
    }

    #[test]
    fn titles_are_cut_to_a_line() {
        assert_eq!(short(" a\n b "), "a b");
        assert_eq!(short(&"word ".repeat(60)).chars().count(), TITLE_MAX);
        assert_eq!(short(&"x".repeat(500)), "…");
    }
}
