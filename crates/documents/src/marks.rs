//! The marks by which people tell what a line is.

/// The level of the heading above a line of `===` or `---`.
pub(crate) fn underline(words: &str) -> Option<u8> {
    let is_made_of = |mark| words.len() > 1 && words.chars().all(|c| c == mark);
    match () {
        () if is_made_of('=') => Some(1),
        () if is_made_of('-') => Some(2),
        () => None,
    }
}

/// The beginning of code: three or more of a mark, which also end it.
pub(crate) struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    pub(crate) fn opening(words: &str) -> Option<Self> {
        let mark = words.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let length = run(words, mark);
        let is_fence = length > 2 && (mark == '~' || !words[length..].contains('`'));
        is_fence.then_some(Self { mark, length })
    }

    pub(crate) fn is_closed_by(&self, words: &str) -> bool {
        let length = run(words, self.mark);
        length >= self.length && length == words.len()
    }
}

fn run(words: &str, mark: char) -> usize {
    words.chars().take_while(|c| *c == mark).count()
}

/// Whether it is an item of a list, by a bullet or a number.
pub(crate) fn is_item(words: &str) -> bool {
    let rest = words
        .strip_prefix(['-', '*', '+', '•', '–', '·'])
        .or_else(|| {
            let digits = words.bytes().take(4).take_while(u8::is_ascii_digit).count();
            let rest = words.get(digits..).filter(|_| (1..4).contains(&digits))?;
            rest.strip_prefix(['.', ')'])
        });
    rest.is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// Whether it begins with "Q:", bold or not, in one of the languages that bots speak.
pub(crate) fn is_question(words: &str) -> bool {
    const LABELS: &[&str] = &[
        "q", "question", "p", "pregunta", "pergunta", "f", "frage", "d", "domanda",
    ];
    let bare = words.trim_start_matches(['*', '_']);
    let label = bare.char_indices().take(12).find(|(_, c)| *c == ':');
    label.is_some_and(|(at, _)| {
        let label = bare[..at].trim_end_matches(['*', '_', ' ']).to_lowercase();
        LABELS.contains(&label.as_str())
    })
}

/// Whether the whole line is bold.
pub(crate) fn is_bold(words: &str) -> bool {
    ["**", "__"].iter().any(|mark| {
        let inner = words
            .strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark));
        inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(mark))
    })
}
