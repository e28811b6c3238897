//! The order in which the parts of a page are read: columns one after the other.

use super::page::Piece;

/// Pages have no more columns within columns.
const DEPTH_MAX: u32 = 8;
/// So many left edges are tried.
const EDGES_MAX: usize = 10;
/// A column has so many lines.
const LINES_MIN: usize = 4;

/// The regions of a page, each read from top to bottom, in the order in which they are read.
pub(super) fn regions(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.left.total_cmp(&b.left)));
    let mut regions = Vec::new();
    split(pieces, 0, &mut regions);
    regions
}

fn split(pieces: Vec<Piece>, depth: u32, regions: &mut Vec<Vec<Piece>>) {
    let cut = if depth < DEPTH_MAX {
        best_cut(&pieces)
    } else {
        None
    };
    let Some(cut) = cut else {
        if !pieces.is_empty() {
            regions.push(pieces);
        }
        return;
    };
    let mut above = pieces;
    let mut band = above.split_off(cut.from);
    let below = band.split_off(cut.to - cut.from);
    let (left, right) = band.into_iter().partition(|piece| is_left(piece, cut.edge));
    for part in [above, left, right, below] {
        split(part, depth + 1, regions);
    }
}

/// Two columns beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    /// The pieces that are in them.
    from: usize,
    to: usize,
    /// Where the right one begins.
    edge: f32,
}

/// The cut with the most text beside it.
fn best_cut(pieces: &[Piece]) -> Option<Cut> {
    let edges = left_edges(pieces);
    let cuts = edges
        .into_iter()
        .filter_map(|edge| longest_band(pieces, edge));
    cuts.max_by_key(|cut| cut.to - cut.from)
}

/// Where many pieces begin, the most frequent first.
fn left_edges(pieces: &[Piece]) -> Vec<f32> {
    let mut lefts: Vec<f32> = pieces.iter().map(|piece| piece.left).collect();
    lefts.sort_by(f32::total_cmp);
    let mut edges: Vec<(usize, f32)> = Vec::new();
    let mut first = f32::NEG_INFINITY;
    for left in lefts {
        match edges.last_mut() {
            Some((count, _)) if left - first < 3.0 => *count += 1,
            _ => {
                first = left;
                edges.push((1, left));
            }
        }
    }
    edges.retain(|(count, _)| *count >= LINES_MIN);
    edges.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    edges
        .into_iter()
        .take(EDGES_MAX)
        .map(|(_, edge)| edge)
        .collect()
}

/// The longest run of pieces of which none stands across the gutter at the left of an edge, if it is two columns.
fn longest_band(pieces: &[Piece], edge: f32) -> Option<Cut> {
    let crosses = |piece: &Piece| is_left(piece, edge) && piece.right > edge - 0.4 * piece.size;
    let mut bands = Vec::new();
    let mut from = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if crosses(piece) {
            bands.push(Cut { from, to: at, edge });
            from = at + 1;
        }
    }
    bands.push(Cut {
        from,
        to: pieces.len(),
        edge,
    });
    let longest = bands.into_iter().max_by_key(|cut| cut.to - cut.from)?;
    are_columns(&pieces[longest.from..longest.to], edge).then_some(longest)
}

/// Whether it is in the left column; quotation marks may hang out of the right one.
fn is_left(piece: &Piece, edge: f32) -> bool {
    piece.left < edge - 0.6 * piece.size
}

/// Whether they are two columns of text, not of a table.
fn are_columns(band: &[Piece], edge: f32) -> bool {
    let (left, right): (Vec<&Piece>, Vec<&Piece>) =
        band.iter().partition(|piece| is_left(piece, edge));
    if left.len() < LINES_MIN || right.len() < LINES_MIN {
        return false;
    }
    let shared = band.windows(2).filter(|two| {
        let is_level = (two[0].y - two[1].y).abs() < 0.2 * two[0].size;
        is_level && is_left(&two[0], edge) != is_left(&two[1], edge)
    });
    let is_aligned = shared.count() * 2 > left.len().min(right.len());
    let words = |side: &[&Piece]| {
        let words: usize = side.iter().map(|piece| piece.text.split(' ').count()).sum();
        words as f32 / side.len() as f32
    };
    let fewest = words(&left).min(words(&right));
    fewest >= if is_aligned { 3.0 } else { 1.5 }
}
