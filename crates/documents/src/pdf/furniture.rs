//! What repeats from page to page: headers, footers, page numbers.

use std::collections::{HashMap, HashSet};

use super::blocks::Sizes;
use super::page::Piece;
use super::rows::{Row, rows};

/// Headers and footers are so near the edge of a page, as a part of its height.
const MARGIN: f32 = 0.2;
/// They have so many rows.
const ROWS_MAX: usize = 3;

/// What is written somewhere, and how far from the edge of the page.
type Mark = (String, i32);

/// The rows that are at the same place of several pages, to be left out.
#[derive(Debug, Default)]
pub(super) struct Furniture {
    counts: HashMap<Mark, usize>,
    pages: usize,
}

impl Furniture {
    /// Takes note of the next page.
    pub(super) fn see(&mut self, pieces: &[Piece], height: f32) {
        let rows = margins(pieces, height);
        let marks: HashSet<Mark> = rows
            .iter()
            .flat_map(|row| marks(row, height, self.pages))
            .collect();
        for mark in marks {
            *self.counts.entry(mark).or_default() += 1;
        }
        self.pages += 1;
    }

    /// Takes out of a page, counted from 0, what repeats.
    pub(super) fn clear(&self, page: usize, height: f32, pieces: &mut Vec<Piece>, sizes: &Sizes) {
        let mut rows = margins(pieces, height);
        // A title may be on every page.
        rows.retain(|row| !sizes.is_larger(row.size));
        rows.retain(|row| {
            marks(row, height, page)
                .iter()
                .any(|mark| self.repeats(mark))
        });
        pieces.retain(|piece| !rows.iter().any(|row| row.holds(piece)));
    }

    fn repeats(&self, (words, place): &Mark) -> bool {
        // Layouts move by a point from page to page.
        let near = (place - 1..=place + 1)
            .map(|place| self.counts.get(&(words.clone(), place)).unwrap_or(&0));
        let count: usize = near.sum();
        // Of two pages with the same head, each may be a letter of its own.
        let is_number = words.contains(NUMBER) && self.pages == 2;
        count > 2 || count == 2 && (is_number || (3..5).contains(&self.pages))
    }
}

/// Stands for a number that goes up by one from page to page.
const NUMBER: char = '\u{0}';

/// The rows at the top and at the bottom of a page.
fn margins(pieces: &[Piece], height: f32) -> Vec<Row> {
    let is_near = |piece: &&Piece| piece.y < MARGIN * height || piece.y > (1.0 - MARGIN) * height;
    let rows = rows(pieces.iter().filter(is_near).cloned().collect());
    let (top, bottom): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.y < height / 2.0);
    let skipped = bottom.len().saturating_sub(ROWS_MAX);
    top.into_iter()
        .take(ROWS_MAX)
        .chain(bottom.into_iter().skip(skipped))
        .collect()
}

/// A row as it is found again on other pages: as it is, or with its first or its last number counting the pages.
fn marks(row: &Row, height: f32, page: usize) -> Vec<Mark> {
    let text = row.text();
    let from_edge = if row.y < height / 2.0 {
        row.y
    } else {
        row.y - height
    };
    let place = (from_edge / 3.0).round() as i32;
    let digit = |c: char| c.is_ascii_digit();
    let first = text.find(digit).map(|from| {
        (
            from,
            text[from..]
                .find(|c| !digit(c))
                .map_or(text.len(), |to| from + to),
        )
    });
    let last = text.rfind(digit).map(|to| {
        (
            text[..to].rfind(|c| !digit(c)).map_or(0, |before| {
                before + text[before..].chars().next().map_or(1, char::len_utf8)
            }),
            to + 1,
        )
    });
    let counted = [first, last]
        .into_iter()
        .flatten()
        .filter_map(|(from, to)| {
            let number: usize = text[from..to].parse().ok()?;
            let offset = number.wrapping_sub(page);
            Some(format!("{}{NUMBER}{offset}{}", &text[..from], &text[to..]))
        });
    let counted: Vec<String> = counted.collect();
    counted
        .into_iter()
        .chain([text.clone()])
        .map(|words| (words, place))
        .collect()
}
