//! The bullets and numbers of lists and headings, which documents of Word do not hold as text (ECMA-376, part 1,
//! 17.9; MS-DOC 2.4.6.3).

use std::collections::HashMap;

/// Lists are nested in each other up to this deep.
const LEVELS: usize = 9;
/// More lists than Word makes, even where every paragraph was pasted.
const LISTS_MAX: usize = 20_000;
/// Patterns are a few characters long; longer ones would be text on every line.
const PATTERN_MAX: usize = 60;
/// What stands for any bullet.
const BULLET: &str = "-";

/// The lists of a document, and how far they have counted.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    lists: HashMap<String, List>,
    /// What lists look like, by the ids to which lists refer.
    kinds: HashMap<String, Kind>,
}

#[derive(Debug, Default)]
struct List {
    kind: String,
    /// Where it begins to count, if not where its kind does.
    starts: [Option<u32>; LEVELS],
    is_begun: bool,
}

#[derive(Debug, Default)]
struct Kind {
    levels: [Level; LEVELS],
    /// Lists of one kind go on counting where the last one stopped.
    counts: [Option<u32>; LEVELS],
}

/// What the numbers on a level look like.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) start: u32,
    pub(crate) format: Format,
    /// With `%1` for the number on the first level, and so on.
    pub(crate) pattern: String,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            start: 1,
            format: Format::Bullet,
            pattern: String::new(),
        }
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// Not at all: a bullet stands for it.
    Bullet,
    Decimal,
    Letters {
        upper: bool,
    },
    Roman {
        upper: bool,
    },
}

impl Numbering {
    /// Says what a level of a kind of list looks like.
    pub(crate) fn level(&mut self, kind: &str, depth: usize) -> Option<&mut Level> {
        if !self.kinds.contains_key(kind) {
            if self.kinds.len() >= LISTS_MAX {
                return None;
            }
            self.kinds.insert(kind.to_owned(), Kind::default());
        }
        self.kinds.get_mut(kind)?.levels.get_mut(depth)
    }

    /// Says of which kind a list is.
    pub(crate) fn list(&mut self, list: &str, kind: String) {
        if self.lists.len() < LISTS_MAX {
            self.lists.entry(list.to_owned()).or_default().kind = kind;
        }
    }

    /// Makes a list count from there on a level.
    pub(crate) fn start(&mut self, list: &str, depth: usize, start: u32) {
        let list = self.lists.get_mut(list);
        if let Some(place) = list.and_then(|list| list.starts.get_mut(depth)) {
            *place = Some(start);
        }
    }

    /// The bullet or number of the next paragraph in a list; a bullet where nothing is known of the list, and
    /// `None` where there is nothing to be seen of it.
    pub(crate) fn next(&mut self, list: &str, depth: usize) -> Option<String> {
        let list = self.lists.get_mut(list);
        let list = list.and_then(|list| Some((self.kinds.get_mut(&list.kind)?, list)));
        let Some((kind, list)) = list else {
            return Some(BULLET.to_owned());
        };
        let depth = depth.min(LEVELS - 1);
        if !list.is_begun {
            list.is_begun = true;
            for (count, start) in kind.counts.iter_mut().zip(&list.starts) {
                *count = count.filter(|_| start.is_none());
            }
        }
        let start = |at: usize| list.starts[at].unwrap_or(kind.levels[at].start);
        let next = kind.counts[depth].map_or_else(|| start(depth), |count| count.saturating_add(1));
        kind.counts[depth] = Some(next);
        kind.counts[depth + 1..].fill(None);
        let level = &kind.levels[depth];
        if matches!(level.format, Format::Bullet) {
            return Some(BULLET.to_owned());
        }
        let mut label: String = level.pattern.chars().take(PATTERN_MAX).collect();
        for (at, of) in kind.levels.iter().enumerate().take(depth + 1) {
            let place = format!("%{}", at + 1);
            if label.contains(&place) {
                let number = kind.counts[at].unwrap_or_else(|| start(at));
                label = label.replace(&place, &of.format.write(number));
            }
        }
        Some(label.trim().to_owned()).filter(|label| !label.is_empty())
    }
}

impl Format {
    fn write(self, number: u32) -> String {
        let (text, upper) = match self {
            Self::Letters { upper } => (letters(number), upper),
            Self::Roman { upper } => (roman(number), upper),
            Self::Bullet | Self::Decimal => (number.to_string(), false),
        };
        if upper { text.to_uppercase() } else { text }
    }
}

/// a to z, then aa to zz.
fn letters(number: u32) -> String {
    match number {
        1..=260 => {
            let letter = char::from(b'a' + ((number - 1) % 26) as u8);
            letter.to_string().repeat((number as usize).div_ceil(26))
        }
        _ => number.to_string(),
    }
}

fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4000).contains(&number) {
        return number.to_string();
    }
    let mut left = number;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while left >= value {
            left -= value;
            text.push_str(sign);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{letters, roman};

    #[test]
    fn numbers_are_written_as_word_writes_them() {
        assert_eq!(
            [1, 4, 9, 14, 1999].map(roman),
            ["i", "iv", "ix", "xiv", "mcmxcix"]
        );
        assert_eq!([1, 26, 27, 52].map(letters), ["a", "z", "aa", "zz"]);
        assert_eq!([0, 5000].map(roman), ["0", "5000"]);
        assert_eq!([0, 261].map(letters), ["0", "261"]);
    }
}
