//! Tables: ruled ones by their lines, others by rows whose parts stand below each other.

use std::rc::Rc;

use super::page::{Piece, Rule};
use super::rows::{Row, rows};

/// Cells with more lines are frames around parts of a page.
const LINES_MAX: usize = 8;
/// How far lines that touch may be apart, in points.
const TOUCH: f32 = 3.0;

/// The cells of a table, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub(super) rows: Vec<Vec<String>>,
}

/// What ruled lines are around.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    Table(Table),
    /// Parts of the page, in the order in which they are read.
    Parts(Vec<Vec<Piece>>),
}

/// Puts ruled tables in the place of the pieces that they are made of.
pub(super) fn fold(pieces: &mut Vec<Piece>, rules: &[Rule]) {
    for grid in grids(rules) {
        let (inside, outside): (Vec<Piece>, Vec<Piece>) =
            pieces.drain(..).partition(|piece| grid.holds(piece));
        *pieces = outside;
        if !inside.is_empty() {
            pieces.push(grid.folded(inside));
        }
    }
}

/// The lines of a ruled table.
struct Grid {
    /// Where its columns begin, and the last one ends.
    xs: Vec<f32>,
    /// Where its rows begin, and the last one ends.
    ys: Vec<f32>,
}

/// The grids that lines make which touch each other.
fn grids(rules: &[Rule]) -> Vec<Grid> {
    let mut groups: Vec<Vec<Rule>> = Vec::new();
    for rule in rules {
        let touches = |other: &Rule| {
            rule.left < other.right + TOUCH
                && rule.right > other.left - TOUCH
                && rule.top < other.bottom + TOUCH
                && rule.bottom > other.top - TOUCH
        };
        let (touched, rest): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|group| group.iter().any(touches));
        groups = rest;
        groups.push(touched.into_iter().flatten().chain([*rule]).collect());
    }
    groups.iter().filter_map(|lines| Grid::new(lines)).collect()
}

impl Grid {
    fn new(lines: &[Rule]) -> Option<Self> {
        let (level, upright): (Vec<&Rule>, Vec<&Rule>) = lines
            .iter()
            .partition(|line| line.right - line.left > line.bottom - line.top);
        let ys = distinct(level.iter().map(|line| line.top));
        let xs = distinct(upright.iter().map(|line| line.left));
        let is_table = xs.len() > 2 && ys.len() > 2;
        is_table.then_some(Self { xs, ys })
    }

    fn holds(&self, piece: &Piece) -> bool {
        let middle = (piece.left + piece.right) / 2.0;
        self.cell(middle, piece.y - 0.3 * piece.size).is_some()
    }

    /// The row and the column of a point.
    fn cell(&self, x: f32, y: f32) -> Option<(usize, usize)> {
        let index = |edges: &[f32], at: f32| {
            let begun = edges.partition_point(|edge| *edge <= at);
            (begun > 0 && begun < edges.len()).then(|| begun - 1)
        };
        Some((index(&self.ys, y)?, index(&self.xs, x)?))
    }

    /// What is in it as one piece of its page.
    fn folded(&self, inside: Vec<Piece>) -> Piece {
        Piece {
            left: self.xs.first().copied().unwrap_or_default(),
            right: self.xs.last().copied().unwrap_or_default(),
            y: self.ys.first().copied().unwrap_or_default(),
            size: 1.0,
            frame: Some(Rc::new(self.frame(inside))),
            ..Piece::default()
        }
    }

    fn frame(&self, inside: Vec<Piece>) -> Frame {
        let columns = self.xs.len() - 1;
        let mut cells: Vec<Vec<Piece>> = vec![Vec::new(); columns * (self.ys.len() - 1)];
        for piece in inside {
            // What reaches over several cells belongs to the one in which it begins.
            let x = (piece.left + 0.5 * piece.size).min((piece.left + piece.right) / 2.0);
            if let Some((row, column)) = self.cell(x, piece.y - 0.3 * piece.size) {
                cells[row * columns + column].push(piece);
            }
        }
        let lines: Vec<Vec<Row>> = cells.iter().map(|pieces| rows(pieces.clone())).collect();
        let texts = lines
            .iter()
            .map(|rows| rows.iter().map(Row::text).collect::<Vec<_>>().join(" "));
        let texts: Vec<String> = texts.collect();
        let table = Table::new(texts.chunks(columns).map(<[String]>::to_vec).collect());
        let is_cell = |rows: &Vec<Row>| {
            let apart = rows.iter().filter(|row| row.parts.len() > 1).count();
            rows.len() <= LINES_MAX && apart < 2
        };
        if table.is_table() && lines.iter().all(is_cell) {
            return Frame::Table(table);
        }
        Frame::Parts(parts(cells, columns))
    }
}

/// The cells in which there is something; those that are a table without rules between its rows are one.
fn parts(cells: Vec<Vec<Piece>>, columns: usize) -> Vec<Vec<Piece>> {
    let mut parts: Vec<(usize, Vec<Piece>)> = Vec::new();
    let filled = cells
        .into_iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty());
    for (at, cell) in filled {
        let row = at / columns;
        match parts.last_mut() {
            Some((last, part)) if *last == row && go_together(part, &cell) => part.extend(cell),
            _ => parts.push((row, cell)),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// Whether two cells beside each other have lines of few words that stand level.
fn go_together(left: &[Piece], right: &[Piece]) -> bool {
    let (left, right) = (rows(left.to_vec()), rows(right.to_vec()));
    let fewer = left.len().min(right.len());
    let is_level = |row: &&Row| {
        left.iter()
            .any(|other| (other.y - row.y).abs() < 0.2 * row.size)
    };
    let level = right.iter().filter(is_level).count();
    let words = |rows: &[Row]| {
        rows.iter()
            .map(|row| row.text().split(' ').count())
            .sum::<usize>()
    };
    let is_short = |rows: &[Row]| words(rows) < 4 * rows.len();
    fewer > 2 && level * 3 >= fewer * 2 && is_short(&left) && is_short(&right)
}

/// The different ones of some numbers, ascending.
fn distinct(numbers: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut numbers: Vec<f32> = numbers.collect();
    numbers.sort_by(f32::total_cmp);
    numbers.dedup_by(|next, last| *next - *last < TOUCH);
    numbers
}

impl Table {
    /// Without the rows and columns in which there is nothing.
    fn new(mut rows: Vec<Vec<String>>) -> Self {
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let used: Vec<bool> = (0..columns)
            .map(|at| {
                rows.iter()
                    .any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()))
            })
            .collect();
        for row in &mut rows {
            let mut used = used.iter();
            row.retain(|_| used.next().is_some_and(|is_used| *is_used));
        }
        Self { rows }
    }

    /// Whether it has rows and columns, and most of its rows have more than one cell.
    fn is_table(&self) -> bool {
        let full = self
            .rows
            .iter()
            .filter(|row| row.iter().filter(|cell| !cell.is_empty()).count() > 1);
        self.rows.len() > 1 && full.count() * 2 >= self.rows.len()
    }
}

/// The table that begins with the first of some rows, and how many of them are in it.
pub(super) fn aligned(rows: &[Row]) -> Option<(Table, usize)> {
    let first = rows.first().filter(|row| row.parts.len() > 1)?;
    let mut columns: Vec<(f32, f32)> = first
        .parts
        .iter()
        .map(|part| (part.left, part.right))
        .collect();
    let mut length = 1;
    let mut full = 1;
    for (last, row) in rows.iter().zip(&rows[1..]) {
        let wider = merged(&columns, row);
        let step = (row.y - last.y) / last.size.max(row.size);
        let is_row = row.parts.len() > 1 && step < 4.0 && row.frame().is_none();
        let goes_on = row.parts.len() == 1 && step < 1.6 && column(&columns, row.left()) > 0;
        if wider.len() < 2 || wider.len() < columns.len().div_ceil(2) || !(is_row || goes_on) {
            break;
        }
        full += usize::from(is_row);
        columns = wider;
        length += 1;
    }
    let is_table = full > 2 || full == 2 && columns.len() > 2;
    is_table.then(|| (filled(&rows[..length], &columns), length))
}

/// The columns with what a row has in and between them.
fn merged(columns: &[(f32, f32)], row: &Row) -> Vec<(f32, f32)> {
    let mut spans: Vec<(f32, f32)> = columns.to_vec();
    spans.extend(row.parts.iter().map(|part| (part.left, part.right)));
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f32, f32)> = Vec::new();
    for (left, right) in spans {
        match merged.last_mut() {
            Some(last) if left < last.1 + 1.0 => last.1 = last.1.max(right),
            _ => merged.push((left, right)),
        }
    }
    merged
}

fn column(columns: &[(f32, f32)], left: f32) -> usize {
    columns
        .partition_point(|(from, _)| *from <= left + 1.0)
        .saturating_sub(1)
}

fn filled(rows: &[Row], columns: &[(f32, f32)]) -> Table {
    let mut cells: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let goes_on = row.parts.len() == 1;
        if !goes_on || cells.is_empty() {
            cells.push(vec![String::new(); columns.len()]);
        }
        let Some(last) = cells.last_mut() else {
            continue;
        };
        for part in &row.parts {
            let cell = &mut last[column(columns, part.left)];
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&part.text);
        }
    }
    Table::new(cells)
}
