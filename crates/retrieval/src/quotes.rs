//! Which sentences of a chunk to quote.

use domain::knowledge::{ChunkDraft, QuestionAnswer};
use domain::retrieval::Quote;

use crate::layout::Role;
use crate::plain::{plain, plain_lines};
use crate::ranking::Evidence;
use crate::scoring::Weights;
use crate::segment::PieceEntry;

/// The most quotes of one chunk.
const QUOTES_MAX: usize = 3;
/// A quote is worth giving from this share of the best one's score on.
const WORTH: f32 = 0.4;
/// What a word counts that stands not in the piece but above it: in its heading, question or header.
const ABOVE: f32 = 0.6;
/// What the rank of the chunk counts, against the words of the piece.
const CHUNK: f32 = 0.5;
/// In bytes: how much is quoted where there is no sentence to choose.
const WHOLE_MAX: usize = 600;

/// The pieces of a chunk that fit the question best, in the order in which they stand. `standing` is the score
/// of the chunk as a share of the best chunk's.
pub(crate) fn choose(
    content: &str,
    evidence: &Evidence,
    weights: &Weights,
    standing: f32,
) -> Vec<Quote> {
    let pieces = &*evidence.layout;
    let mut scored: Vec<(usize, f32)> = pieces
        .iter()
        .zip(&evidence.pieces)
        .enumerate()
        .filter(|(_, (piece, _))| piece.role.is_quotable())
        .map(|(at, (piece, own))| {
            let lead = lead_mask(piece, evidence);
            let above = (lead | evidence.above) & !own;
            let score = (weights.of(*own) + ABOVE * weights.of(above)) / weights.total;
            (at, score)
        })
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let best = scored.first().map_or(0.0, |(_, score)| *score);
    scored.truncate(QUOTES_MAX);
    scored.retain(|(_, score)| *score > 0.0 && *score >= WORTH * best);
    scored.sort_unstable_by_key(|(at, _)| *at);
    let mut led = None;
    scored
        .into_iter()
        .filter_map(|(at, score)| {
            let lead = pieces.get(at)?.lead();
            // Sentences that are quoted together need the heading above them at most once.
            let follows = lead.is_some() && std::mem::replace(&mut led, lead) == lead;
            let text = text(content, pieces, evidence, at, follows)?;
            Some(Quote {
                text,
                score: score + CHUNK * standing,
            })
        })
        .collect()
}

/// The whole answer of a pair, which nothing fits better; `None` for what is no pair.
pub(crate) fn curated(chunk: &ChunkDraft) -> Option<Quote> {
    let answer = QuestionAnswer::of_chunk(chunk)?.answer;
    let plain = plain_lines(&answer);
    Some(Quote {
        // A picture alone has no words.
        text: if plain.is_empty() { answer } else { plain },
        score: 1.0 + CHUNK,
    })
}

/// The beginning of a chunk, for one that was found by what stands above it alone.
pub(crate) fn beginning(content: &str, heading: Option<&str>) -> Quote {
    let end = content.floor_char_boundary(WHOLE_MAX.min(content.len()));
    let text = plain(&content[..end]);
    Quote {
        text: if text.is_empty() {
            heading.unwrap_or_default().to_owned()
        } else {
            text
        },
        score: 0.0,
    }
}

fn lead_mask(piece: &PieceEntry, evidence: &Evidence) -> u64 {
    piece
        .lead()
        .and_then(|lead| evidence.pieces.get(lead))
        .copied()
        .unwrap_or_default()
}

fn text(
    content: &str,
    pieces: &[PieceEntry],
    evidence: &Evidence,
    at: usize,
    follows: bool,
) -> Option<String> {
    let piece = pieces.get(at)?;
    let words = content.get(piece.range())?;
    let lead = piece.lead().and_then(|lead| pieces.get(lead));
    let leading = lead.and_then(|lead| Some((lead, content.get(lead.range())?)));
    let text = match (piece.role, leading) {
        (Role::Row, Some((lead, header))) if lead.role == Role::Header => row(words, Some(header)),
        (Role::Row, _) => row(words, None),
        // What the question asks for stands in the heading: without it the sentence would hang in the air.
        (_, Some((lead, heading)))
            if !follows
                && lead.role == Role::Heading
                && lead_mask(piece, evidence) & !evidence.pieces.get(at)? != 0 =>
        {
            let heading = plain(heading);
            format!("{}: {}", heading.trim_end_matches(':'), plain(words))
        }
        _ => plain(words),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// `| S | 10 |` under `| Size | Price |` is "Size: S, Price: 10".
fn row(row: &str, header: Option<&str>) -> String {
    let cells = |row: &str| -> Vec<String> {
        let inner = row.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(plain).collect()
    };
    let names = header.map(cells).unwrap_or_default();
    let named = cells(row)
        .into_iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty());
    let named = named.map(|(at, cell)| match names.get(at) {
        Some(name) if !name.is_empty() => format!("{name}: {cell}"),
        _ => cell,
    });
    named.collect::<Vec<_>>().join(", ")
}
