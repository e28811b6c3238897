//! Pieces to rows: what stands on one line, from left to right.

use super::letters;
use super::page::Piece;
use super::tables::Frame;
use crate::marks::is_item;

/// What stands on one line: its parts are apart from each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) parts: Vec<Piece>,
    pub(super) y: f32,
    pub(super) size: f32,
}

impl Row {
    pub(super) fn left(&self) -> f32 {
        self.parts
            .iter()
            .map(|part| part.left)
            .fold(f32::INFINITY, f32::min)
    }

    pub(super) fn right(&self) -> f32 {
        self.parts
            .iter()
            .map(|part| part.right)
            .fold(f32::NEG_INFINITY, f32::max)
    }

    pub(super) fn is_bold(&self) -> bool {
        self.parts.iter().all(|part| part.is_bold)
    }

    /// What stands here instead of a line.
    pub(super) fn frame(&self) -> Option<&Frame> {
        self.parts.iter().find_map(|part| part.frame.as_deref())
    }

    /// Whether a piece is on it.
    pub(super) fn holds(&self, piece: &Piece) -> bool {
        let is_level = (self.y - piece.y).abs() < 0.7 * self.size.max(piece.size);
        is_level && piece.left >= self.left() - 1.0 && piece.right <= self.right() + 1.0
    }

    pub(super) fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.text.as_str()).collect();
        parts.join(" ")
    }
}

/// The rows of a region, from top to bottom.
pub(super) fn rows(mut pieces: Vec<Piece>) -> Vec<Row> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut rows = Vec::new();
    let mut open: Vec<Piece> = Vec::new();
    for piece in pieces {
        // Raised and lowered letters are smaller.
        let is_on_row = open
            .iter()
            .rev()
            .take(4)
            .any(|on_row| piece.y - on_row.y < 0.5 * piece.size.max(on_row.size));
        let is_near = open
            .first()
            .is_none_or(|first| piece.y - first.y < 0.7 * piece.size.max(first.size));
        let is_frame = piece.frame.is_some() || open.iter().any(|on_row| on_row.frame.is_some());
        if !open.is_empty() && (is_frame || !is_on_row || !is_near) {
            rows.push(row(std::mem::take(&mut open)));
        }
        open.push(piece);
    }
    if !open.is_empty() {
        rows.push(row(open));
    }
    rows
}

fn row(mut pieces: Vec<Piece>) -> Row {
    let main = pieces.iter().max_by_key(|piece| piece.letters());
    let (y, size) = main.map_or((0.0, 0.0), |main| (main.y, main.size));
    pieces.sort_by(|a, b| a.left.total_cmp(&b.left));
    let rtl = pieces
        .iter()
        .filter(|piece| piece.text.chars().any(letters::is_rtl))
        .count();
    let is_rtl = rtl * 2 > pieces.len();
    let mut parts: Vec<Piece> = Vec::new();
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if piece.left - last.right < gap(last) => join(last, piece, is_rtl),
            _ => parts.push(piece),
        }
    }
    if is_rtl {
        parts.reverse();
    }
    join_label(&mut parts);
    Row { parts, y, size }
}

/// How far apart things are that don't belong together.
fn gap(piece: &Piece) -> f32 {
    1.1 * piece.size
}

fn join(last: &mut Piece, next: Piece, is_rtl: bool) {
    let size = last.size.max(next.size);
    let is_apart = next.left - last.right > letters::space(&last.text, &next.text) * size;
    let space = if is_apart { " " } else { "" };
    if next.letters() > last.letters() {
        last.size = next.size;
        last.y = next.y;
    }
    last.is_bold &= next.is_bold;
    last.right = last.right.max(next.right);
    last.text = if is_rtl {
        format!("{}{space}{}", next.text, last.text)
    } else {
        format!("{}{space}{}", last.text, next.text)
    };
}

/// A list's mark or a heading's number belongs to what is behind it, however far.
fn join_label(parts: &mut Vec<Piece>) {
    let [label, text] = &mut parts[..] else {
        return;
    };
    let is_number = label.text.len() < 8
        && label
            .text
            .ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ')')
        && label
            .text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".()".contains(c));
    let is_label = is_bullet(&label.text) || is_number || is_item(&format!("{} x", label.text));
    if is_label && text.left - label.right < 5.0 * text.size {
        text.text = format!("{} {}", label.text, text.text);
        text.left = label.left;
        parts.remove(0);
    }
}

/// Whether it is the mark of a list's item and nothing else.
fn is_bullet(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(letters::is_bullet) && letters.next().is_none()
}
