//! From the quotes of several hits to one readable answer.

use std::collections::HashSet;

use domain::retrieval::{Hit, Quote};

/// About how many words an answer in sentences has.
const WORDS: usize = 60;
/// About how many words a list has: cut short, it would be wrong and not only brief.
const LIST_WORDS: usize = 150;
/// The share of the best quote's score from which others of its hit go with it.
const COMPANION: f32 = 0.7;
/// The share of the best quote's score from which another hit adds to the answer.
const SECOND_HIT: f32 = 0.85;

/// The answer in pieces, sentence by sentence, and the hits it comes from, the best first. Empty where no
/// hit has a quote.
pub fn compose(hits: &[Hit]) -> (Vec<String>, Vec<usize>) {
    // Retrieval ranks chunks as wholes; the answer is led by the sentence that fits best. Of equals, the
    // first.
    let best = |hit: &Hit| quotes(hit).map(|q| q.score).fold(f32::MIN, f32::max);
    let mut ranked: Vec<_> = hits
        .iter()
        .enumerate()
        .filter(|(_, hit)| quotes(hit).next().is_some())
        .map(|(index, hit)| (index, hit, best(hit)))
        .collect();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let Some(top) = ranked.first().map(|lead| lead.2) else {
        return (Vec::new(), Vec::new());
    };

    let mut said = HashSet::new();
    let mut words = 0;
    let mut chosen: Vec<&str> = Vec::new();
    let mut used = Vec::new();
    for (place, (index, hit, score)) in ranked.into_iter().take(2).enumerate() {
        let threshold = top * if place == 0 { COMPANION } else { SECOND_HIT };
        if score < threshold && place > 0 {
            break;
        }
        let picked = pick(hit, threshold, &mut words, &mut said);
        if !picked.is_empty() {
            chosen.extend(picked);
            used.push(index);
        }
    }
    (joined(&chosen), used)
}

fn quotes(hit: &Hit) -> impl Iterator<Item = &Quote> {
    hit.quotes.iter().filter(|q| !q.text.trim().is_empty())
}

/// The best quotes of a hit that there is room for, in the order in which they stand.
fn pick<'a>(
    hit: &'a Hit,
    threshold: f32,
    words: &mut usize,
    said: &mut HashSet<String>,
) -> Vec<&'a str> {
    let mut ranked: Vec<_> = quotes(hit)
        .enumerate()
        .filter(|(_, quote)| quote.score >= threshold)
        .collect();
    ranked.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let mut picked: Vec<(usize, &str)> = Vec::new();
    for (place, quote) in ranked {
        let text = quote.text.trim();
        let room = if is_sentence(text) { WORDS } else { LIST_WORDS };
        let length = text.split_whitespace().count();
        // The best one goes whatever its length: half a sentence is no answer.
        if *words > 0 && *words + length > room {
            continue;
        }
        if said.insert(normal(text)) {
            *words += length;
            picked.push((place, text));
        }
    }
    picked.sort_unstable();
    picked.into_iter().map(|(_, text)| text).collect()
}

/// What two quotes share that say the same.
fn normal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// Whether it ends as sentences do. List items and rows mostly do not.
fn is_sentence(text: &str) -> bool {
    let end = text.trim_end_matches(['"', '\'', ')', ']', '»', '”', '’']);
    end.ends_with(['.', '!', '?', '…', '。', '！', '？'])
}

/// Sentences run on; what is no sentence has its own line.
fn joined(texts: &[&str]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::with_capacity(texts.len());
    let mut after_sentence = true;
    for text in texts {
        let sentence = is_sentence(text);
        let gap = match pieces.is_empty() {
            true => "",
            false if sentence && after_sentence => " ",
            false => "\n",
        };
        pieces.push(format!("{gap}{text}"));
        after_sentence = sentence;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use contracts::answers::hit;

    use super::*;

    fn text(hits: &[Hit]) -> (String, Vec<usize>) {
        let (pieces, used) = compose(hits);
        (pieces.concat(), used)
    }

    #[test]
    fn quotes_stand_in_the_order_of_the_text_and_weak_ones_are_left_out() {
        let hits = [hit(
            "",
            &[
                ("We open at nine.", 0.7),
                ("We like cats.", 0.1),
                ("We close at six.", 0.9),
            ],
        )];
        let expected = "We open at nine. We close at six.";
        assert_eq!(text(&hits), (expected.to_owned(), vec![0]));
    }

    #[test]
    fn a_second_hit_adds_only_what_scores_close_to_the_best() {
        let first = hit("", &[("We open at nine.", 0.9)]);
        let close = hit("", &[("On Sundays we are closed.", 0.85), ("Bye.", 0.6)]);
        let far = hit("", &[("On Sundays we are closed.", 0.6)]);
        let third = close.clone();
        let both = "We open at nine. On Sundays we are closed.";
        let (answer, used) = text(&[first.clone(), close, third]);
        assert_eq!((answer.as_str(), used), (both, vec![0, 1]));
        assert_eq!(text(&[first, far]).1, [0]);
    }

    #[test]
    fn the_hit_with_the_best_sentence_leads() {
        let vague = hit("", &[("Hours matter to us.", 0.3)]);
        let exact = hit("", &[("We open at nine.", 0.9)]);
        assert_eq!(
            text(&[vague, exact]),
            ("We open at nine.".to_owned(), vec![1])
        );
    }

    #[test]
    fn nothing_is_said_twice() {
        let one = hit("", &[("We open at nine.", 0.9), ("we open at nine", 0.9)]);
        let other = hit("", &[("We open at nine.", 0.9)]);
        assert_eq!(
            text(&[one, other]),
            ("We open at nine.".to_owned(), vec![0])
        );
    }

    #[test]
    fn rows_and_items_have_lines_of_their_own() {
        let quotes = [
            ("We offer three plans:", 0.9),
            ("Plan: Pro; Price: 20 €", 0.8),
            ("Plan: Max; Price: 50 €", 0.8),
        ];
        let expected = "We offer three plans:\nPlan: Pro; Price: 20 €\nPlan: Max; Price: 50 €";
        assert_eq!(text(&[hit("", &quotes)]).0, expected);
    }

    #[test]
    fn sentences_keep_to_the_length_but_for_the_best() {
        let long = "word ".repeat(80) + "end.";
        let quotes = [(long.as_str(), 0.9), ("A short one.", 0.8)];
        assert_eq!(text(&[hit("", &quotes)]).0, long);
        let medium: Vec<_> = (0..4)
            .map(|n| format!("{n} {}end.", "word ".repeat(20)))
            .collect();
        let quotes: Vec<_> = medium.iter().map(|m| (m.as_str(), 0.9)).collect();
        assert_eq!(compose(&[hit("", &quotes)]).0.len(), 2);
    }

    #[test]
    fn a_quote_of_many_lines_that_stands_alone_is_the_answer_as_it_is() {
        let curated = format!(
            "Three steps:\n\n1. Open it.\n   - gently\n{}",
            "Go on. ".repeat(100)
        );
        let curated = curated.trim();
        let hits = [hit("", &[(curated, 1.5)]), hit("We open at nine.", &[])];
        let (pieces, used) = compose(&hits);
        assert_eq!((pieces.concat().as_str(), used), (curated, vec![0]));
    }
}
