//! Chunks that go on in the next one: a list, a table or a sentence that was cut, and what leads to what comes next.

use domain::knowledge::ChunkDraft;
use domain::retrieval::are_of_one_section;

use crate::index::BotIndex;
use crate::layout::item_marker;
use crate::query::Question;
use crate::ranking::{Ranked, Ranking, evidence_of};

/// Of so many of the best chunks the neighbours are looked for.
const JOINED: usize = 3;
/// In chunks: no more neighbours than these on either side.
const REACH: usize = 2;

/// Whether what a chunk says goes on in the one behind it.
pub(crate) fn goes_on(chunk: &ChunkDraft, next: &ChunkDraft) -> bool {
    if !are_of_one_section(chunk, next) {
        return false;
    }
    let end = chunk.content.trim_end();
    let last = end.lines().next_back().unwrap_or_default().trim_start();
    let begin = next.content.trim_start();
    let first = begin.lines().next().unwrap_or_default();
    let is_row = |line: &str| line.starts_with('|');
    let is_item = |line: &str| item_marker(line).is_some();
    let is_cut = end.ends_with(|c: char| c.is_alphanumeric() || c == ',' || c == ';')
        && begin.starts_with(char::is_lowercase);
    end.ends_with(':') || is_row(last) && is_row(first) || is_item(last) && is_item(first) || is_cut
}

/// Puts the neighbours in which the best chunks go on, or that go on in them, right behind them.
pub(crate) fn join(index: &BotIndex, question: &Question, ranking: &mut Ranking, limit: usize) {
    let mut at = 0;
    for _ in 0..JOINED {
        let Some(ranked) = ranking.best.get(at) else {
            break;
        };
        let (chunk, score, is_answer) = (ranked.chunk, ranked.score, ranked.is_answer);
        at += 1;
        if is_answer {
            continue;
        }
        for neighbour in neighbours(index, chunk) {
            if at >= limit {
                break;
            }
            let found = ranking
                .best
                .iter()
                .position(|other| other.chunk == neighbour);
            let joined = match found {
                Some(before) if before < at => continue,
                Some(behind) => ranking.best.remove(behind),
                None => Ranked {
                    chunk: neighbour,
                    score,
                    nearness: None,
                    evidence: evidence_of(index, neighbour, &question.terms, &ranking.weights),
                    is_answer: false,
                },
            };
            ranking.best.insert(at, Ranked { score, ..joined });
            at += 1;
        }
    }
    ranking.best.truncate(limit);
}

/// The chunks that belong to a chunk: those before it, the nearest first, and then those behind it.
fn neighbours(index: &BotIndex, chunk: usize) -> Vec<usize> {
    let located = index.locate(chunk);
    let (nth, of_source) = (located.order.1, located.source.chunks.len());
    let goes_on = |steps: isize| {
        let at = located.chunk.saturating_add_signed(steps);
        located.segment.goes_on(at)
    };
    let before = (1..=REACH.min(nth)).take_while(|back| goes_on(-(*back as isize)));
    let before = before.count();
    let behind = (0..REACH.min(of_source - nth - 1)).take_while(|on| goes_on(*on as isize));
    let behind = behind.count();
    (chunk - before..chunk)
        .rev()
        .chain(chunk + 1..=chunk + behind)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(heading: &str, content: &str) -> ChunkDraft {
        ChunkDraft {
            content: content.to_owned(),
            heading: Some(heading.to_owned()),
            ..ChunkDraft::default()
        }
    }

    #[test]
    fn cut_lists_tables_and_sentences_go_on() {
        for (one, next) in [
            ("You need:\n- a form", "- a photo\n- a stamp"),
            ("1. Open it.\n2. Look.", "3. Close it."),
            ("| S | 10 |\n| M | 12 |", "| L | 14 |"),
            ("What you need:", "A form and a photo."),
            ("We are open on Mondays,", "on Tuesdays and on Fridays."),
            ("a line that was cut in", "the middle of it"),
        ] {
            assert!(goes_on(&draft("A", one), &draft("A", next)), "{one} {next}");
            assert!(
                !goes_on(&draft("A", one), &draft("B", next)),
                "{one} {next}"
            );
        }
        assert!(goes_on(
            &draft("A", "| S | 10 |"),
            &draft("A > Columns: Size, Price", "| L | 14 |")
        ));
    }

    #[test]
    fn whole_paragraphs_do_not() {
        for (one, next) in [
            ("We are open.", "We are closed."),
            ("- a form", "Ask us."),
            ("Opening hours", "Monday to Friday"),
            ("", ""),
        ] {
            assert!(
                !goes_on(&draft("A", one), &draft("A", next)),
                "{one} {next}"
            );
        }
    }
}
