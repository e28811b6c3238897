//! Rows to blocks: headings, paragraphs, items of lists, tables.

use std::collections::HashMap;

use super::columns::regions;
use super::letters;
use super::rows::{Row, rows};
use super::tables::{Frame, Table, aligned};
use crate::marks;

/// A heading is no longer, in letters.
const HEADING_MAX: usize = 160;
/// A heading in bold letters of the text's size is no longer, in letters.
const BOLD_MAX: usize = 90;
/// Headings are larger than text by so much.
const LARGER: f32 = 1.12;

/// What stands below each other on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// Larger or bolder than the text; the size as [`Sizes`] counts it.
    Heading {
        text: String,
        size: i32,
    },
    Text {
        lines: Vec<String>,
        is_item: bool,
    },
    Table(Table),
}

/// How many letters of which size a document has: what is usual is text, and what is larger a heading.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    letters: HashMap<i32, usize>,
    bold: usize,
    /// The size of the text.
    body: f32,
    bold_stands_out: bool,
    headings: Vec<i32>,
}

impl Sizes {
    /// In half points.
    fn step(size: f32) -> i32 {
        (size * 2.0).round() as i32
    }

    pub(super) fn see(&mut self, size: f32, letters: usize, is_bold: bool) {
        *self.letters.entry(Self::step(size)).or_default() += letters;
        self.bold += if is_bold { letters } else { 0 };
    }

    /// Finds out what is usual, once everything was seen.
    pub(super) fn settle(&mut self) {
        let most = self
            .letters
            .iter()
            .max_by_key(|(step, letters)| (**letters, **step));
        self.body = most.map_or(0.0, |(step, _)| *step as f32 / 2.0);
        // Where bold letters are rare, they mean something.
        self.bold_stands_out = self.bold * 3 < self.letters.values().sum();
    }

    /// Whether letters of a size are larger than the text.
    pub(super) fn is_larger(&self, size: f32) -> bool {
        size > LARGER * self.body
    }

    /// Takes note of the headings of a page.
    pub(super) fn note(&mut self, blocks: &[Block]) {
        for block in blocks {
            if let Block::Heading { size, .. } = block
                && let Err(at) = self.headings.binary_search_by(|known| size.cmp(known))
            {
                self.headings.insert(at, *size);
            }
        }
    }

    /// The level of a heading: the largest ones are the first.
    pub(super) fn level(&self, size: i32) -> usize {
        let larger = self.headings.partition_point(|known| *known > size);
        (larger + 1).min(6)
    }
}

/// The blocks of a region.
pub(super) fn blocks(rows: &[Row], sizes: &Sizes) -> Vec<Block> {
    let measure = Measure::new(rows);
    let mut blocks = Vec::new();
    let mut at = 0;
    let mut open: Vec<&Row> = Vec::new();
    while let Some(row) = rows.get(at) {
        if let Some(frame) = row.frame() {
            blocks.extend(block(&std::mem::take(&mut open), &measure, sizes));
            framed(frame, sizes, &mut blocks);
            at += 1;
            continue;
        }
        if let Some((table, length)) = aligned(&rows[at..]) {
            blocks.extend(block(&std::mem::take(&mut open), &measure, sizes));
            blocks.push(Block::Table(table));
            at += length;
            continue;
        }
        if open
            .last()
            .is_some_and(|last| measure.begins(&open, last, row))
        {
            blocks.extend(block(&std::mem::take(&mut open), &measure, sizes));
        }
        open.push(row);
        at += 1;
    }
    blocks.extend(block(&open, &measure, sizes));
    blocks
}

fn framed(frame: &Frame, sizes: &Sizes, into: &mut Vec<Block>) {
    match frame {
        Frame::Table(table) => into.push(Block::Table(table.clone())),
        Frame::Parts(parts) => {
            for part in parts {
                for region in regions(part.clone()) {
                    into.extend(blocks(&rows(region), sizes));
                }
            }
        }
    }
}

/// What is usual in a region.
struct Measure {
    /// From a line to the next.
    leading: f32,
    /// Where full lines end.
    right: f32,
}

impl Measure {
    fn new(rows: &[Row]) -> Self {
        let steps = rows.windows(2).map(|two| two[1].y - two[0].y);
        let mut steps: Vec<f32> = steps
            .zip(rows)
            .filter(|(step, row)| (0.5..2.2).contains(&(step / row.size)))
            .map(|(step, _)| step)
            .collect();
        steps.sort_by(f32::total_cmp);
        let mut rights: Vec<f32> = rows.iter().map(Row::right).collect();
        rights.sort_by(f32::total_cmp);
        Self {
            leading: steps.get(steps.len() / 3).copied().unwrap_or(0.0),
            right: rights.get(rights.len() * 9 / 10).copied().unwrap_or(0.0),
        }
    }

    /// Whether a row begins a block behind the rows of another one.
    fn begins(&self, open: &[&Row], last: &Row, row: &Row) -> bool {
        let step = row.y - last.y;
        let size = last.size.max(row.size);
        let is_apart =
            step > (1.3 * self.leading).max(1.25 * size) || step > 2.0 * size || step < 0.0;
        let is_other =
            (row.size - last.size).abs() > 0.09 * size || last.is_bold() != row.is_bold();
        is_apart || is_other || begins_item(&row.text()) || self.is_indented(open, last, row)
    }

    /// Whether its first line is set in or, behind an item, back.
    fn is_indented(&self, open: &[&Row], last: &Row, row: &Row) -> bool {
        let center = |row: &Row| row.left() + row.right();
        let by = row.left() - last.left();
        if (center(row) - center(last)).abs() < row.size {
            return false;
        }
        let is_item = open.first().is_some_and(|first| begins_item(&first.text()));
        if is_item {
            by < -0.8 * row.size
        } else {
            by > 0.8 * row.size
        }
    }

    /// Whether the next row's first word had no more room in a row.
    fn is_full(&self, row: &Row, next: &Row) -> bool {
        let Some(part) = next.parts.first() else {
            return true;
        };
        let word = part
            .text
            .split(' ')
            .next()
            .map_or(0, |word| word.chars().count());
        let width = (part.right - part.left) * word as f32 / part.letters().max(1) as f32;
        row.right() + width + 0.3 * row.size > self.right
    }
}

/// Whether a line begins an item of a list.
fn begins_item(text: &str) -> bool {
    marks::is_item(text) || is_bulleted(text)
}

fn is_bulleted(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(letters::is_bullet)
        && letters.next().is_some_and(char::is_whitespace)
}

fn block(rows: &[&Row], measure: &Measure, sizes: &Sizes) -> Option<Block> {
    let first = rows.first()?;
    let text = heading(rows, first, sizes);
    if let Some(text) = text {
        let is_larger = sizes.is_larger(first.size);
        let size = if is_larger {
            Sizes::step(first.size)
        } else {
            0
        };
        return Some(Block::Heading { text, size });
    }
    let mut lines = vec![first.text()];
    for two in rows.windows(2) {
        let next = two[1].text();
        match lines.last_mut() {
            // Who ends a line early means it: an address, a poem.
            Some(line) if is_hyphenated(line, &next) || measure.is_full(two[0], two[1]) => {
                join(line, &next);
            }
            _ => lines.push(next),
        }
    }
    let is_item = begins_item(&lines[0]);
    if is_item && !marks::is_item(&lines[0]) {
        lines[0].insert_str(0, "- ");
    }
    Some(Block::Text { lines, is_item })
}

/// The text of rows that are a heading.
fn heading(rows: &[&Row], first: &Row, sizes: &Sizes) -> Option<String> {
    let texts: Vec<String> = rows.iter().map(|row| row.text()).collect();
    let text = texts.join(" ");
    let letters = text.chars().count();
    let is_larger = sizes.is_larger(first.size) && letters <= HEADING_MAX && rows.len() < 4;
    let is_bold = rows.iter().all(|row| row.is_bold())
        && sizes.bold_stands_out
        && first.size > 0.95 * sizes.body
        && letters <= BOLD_MAX
        && rows.len() < 3
        && !text.ends_with([',', ';', ':']);
    let is_title = text.chars().filter(|c| c.is_alphabetic()).count() > 1
        && !text.ends_with('.')
        && !is_bulleted(&text);
    (is_title && (is_larger || is_bold)).then_some(text)
}

/// Puts a line behind another one of its paragraph.
fn join(line: &mut String, next: &str) {
    if is_hyphenated(line, next) {
        line.pop();
        line.push(HYPHEN);
    } else {
        line.push(' ');
    }
    line.push_str(next);
}

/// Whether a line ends within a word.
fn is_hyphenated(line: &str, next: &str) -> bool {
    let last = line
        .strip_suffix('-')
        .and_then(|start| start.chars().next_back());
    last.is_some_and(char::is_alphabetic) && next.starts_with(char::is_lowercase)
}

/// A hyphen at the end of a line, until it is known whether the word has one elsewhere.
pub(super) const HYPHEN: char = '\u{ad}';
