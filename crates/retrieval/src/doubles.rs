//! Chunks that say the same but for a few words: a passage on two pages, with another date or another line of the menu.
//!
//! Of the pairs of words that follow each other, two chunks share a part, which is told from a few bytes of each (b-bit
//! minwise hashing; Li and König, "b-Bit Minwise Hashing", 2010).

/// Each of so many bits is the same in two chunks for sure where it comes from a pair that both have, and else half
/// of the time.
const BITS: u32 = u128::BITS;
/// From so many equal bits on, two chunks share three quarters of their pairs.
const ALIKE: u32 = BITS * 7 / 8;
/// In bytes: what lies between the parts of a date at most.
const IN_DATE: usize = 12;

/// Odd numbers, each of which puts all pairs into another order.
const FACTORS: [u32; BITS as usize] = {
    let mut factors = [0; BITS as usize];
    let mut at = 0;
    while at < factors.len() {
        factors[at] = mixed(at as u64 + 1) as u32 | 1;
        at += 1;
    }
    factors
};

/// What of a chunk tells whether another one says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sketch {
    bits: [u64; 2],
    /// Of its figures, those of dates aside. Prices and sizes are what such texts differ in where they say different
    /// things.
    figures: u32,
}

impl Sketch {
    /// `terms`: the words of the chunk under its headings, in order.
    pub(crate) fn of(terms: impl Iterator<Item = u64>, content: &str) -> Self {
        let mut least = [u32::MAX; BITS as usize];
        let mut before = 0_u64;
        let mut any = false;
        let mut add = |pair: u64| {
            let pair = (mixed(pair) >> 32) as u32;
            for (least, factor) in least.iter_mut().zip(&FACTORS) {
                *least = (*least).min(pair.wrapping_mul(*factor));
            }
        };
        for term in terms {
            if any {
                add(before.rotate_left(21) ^ term);
            }
            (before, any) = (term, true);
        }
        // The last word makes a chunk of one word tell from one of another.
        add(before);
        let bit = |least: &u32| u64::from(least >> 7 & 1);
        let bits = |half: &[u32]| half.iter().fold(0, |bits, least| bits << 1 | bit(least));
        let (one, other) = least.split_at(least.len() / 2);
        Self {
            bits: [bits(one), bits(other)],
            figures: figures(content),
        }
    }

    /// Whether the other one says nearly the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let bits = self.bits.iter().zip(&other.bits);
        let equal: u32 = bits.map(|(one, other)| (!(one ^ other)).count_ones()).sum();
        self.figures == other.figures && equal >= ALIKE
    }
}

/// The figures of a text in one number, whatever their order.
fn figures(content: &str) -> u32 {
    let is_year = |run: &&str| run.len() == 4 && (run.starts_with("19") || run.starts_with("20"));
    let runs = content.split(|c: char| !c.is_ascii_digit());
    let runs: Vec<(usize, &str)> = runs
        .filter(|run| !run.is_empty())
        .map(|run| (run.as_ptr() as usize - content.as_ptr() as usize, run))
        .collect();
    let years = runs.iter().filter(|(_, run)| is_year(run));
    let years: Vec<usize> = years.map(|(at, _)| *at).collect();
    let is_of_date = |at: usize, run: &str| {
        let behind = |year: usize| at + run.len() <= year && year - (at + run.len()) <= IN_DATE;
        let before = |year: usize| year < at && at.saturating_sub(year + 4) <= IN_DATE;
        is_year(&run) || run.len() <= 2 && years.iter().any(|year| behind(*year) || before(*year))
    };
    let facts = runs.iter().filter(|(at, run)| !is_of_date(*at, run));
    facts.fold(0_u32, |sum, (_, run)| {
        let run = run
            .bytes()
            .fold(1, |n: u64, digit| n.wrapping_mul(31) + u64::from(digit));
        sum.wrapping_add((mixed(run) >> 32) as u32)
    })
}

/// MurmurHash3's finaliser.
const fn mixed(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use domain::language::Language;

    use super::*;
    use crate::words::{Analyzer, Token};

    const RETURNS: &str = "You can return any item within 30 days of delivery if it is unused and in its original \
        box. Print the label in your account, put it on the parcel, and leave the parcel at any post office. Refunds \
        are paid to the card that you paid with, at the latest a week after the parcel has reached our warehouse.";

    fn sketch(text: &str) -> Sketch {
        let mut terms = Vec::new();
        Analyzer::new(Language::En).terms(text, |token| {
            if let Token::Word(term) = token {
                terms.push(term);
            }
        });
        Sketch::of(terms.into_iter(), text)
    }

    #[test]
    fn another_date_or_line_of_a_menu_makes_no_other_text() {
        let one = sketch(RETURNS);
        for other in [
            format!("{RETURNS} Updated: 12 March 2023"),
            format!("Home | Shop | Contact\n{RETURNS}"),
            RETURNS.replace("any item", "every item"),
        ] {
            assert!(one.is_like(&sketch(&other)), "{other}");
        }
        let dated = |date: &str| sketch(&format!("Updated {date}. {RETURNS}"));
        assert!(dated("2023-03-12").is_like(&dated("2024-11-03")));
        assert!(dated("March 12, 2023").is_like(&dated("04.11.2024")));
    }

    #[test]
    fn other_figures_and_other_words_make_another_text() {
        let one = sketch(RETURNS);
        for other in [
            RETURNS.replace("30 days", "14 days"),
            RETURNS
                .replace("parcel", "letter")
                .replace("return", "send"),
            RETURNS[..RETURNS.len() / 2].to_owned(),
        ] {
            assert!(!one.is_like(&sketch(&other)), "{other}");
        }
        assert!(!sketch("Zebras run.").is_like(&sketch("Zebras sleep.")));
        assert!(!sketch("Lions").is_like(&sketch("Zebras")));
    }
}
