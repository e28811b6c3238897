//! A chunk's layout: the pieces it can be quoted by. Sentences, list items, rows of tables, and the lines
//! that lead them (headings, questions, headers of tables), which say what a piece is about.

use unicode_segmentation::UnicodeSegmentation;

/// A longer piece is cut at a space: nobody wants to be answered with a page.
const PIECE_MAX: usize = 600;
/// In characters: shorter lines end by intention (an address, a timetable), longer ones are wrapped text.
const WRAPPED_MIN: usize = 50;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A sentence or a list item.
    Sentence,
    /// A row of a table.
    Row,
    /// A heading, or the line before a list: says what follows is about.
    Heading,
    /// A question that is answered below.
    Question,
    /// The first row of a table.
    Header,
}

impl Role {
    /// Every one, in the order in which they are counted.
    pub(crate) const ALL: [Self; 5] = [
        Self::Sentence,
        Self::Row,
        Self::Heading,
        Self::Question,
        Self::Header,
    ];

    /// Whether it answers something by itself.
    pub(crate) const fn is_quotable(self) -> bool {
        matches!(self, Self::Sentence | Self::Row)
    }
}

/// A piece of a chunk, in bytes of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) role: Role,
    /// The piece that leads it, by its place among the pieces.
    pub(crate) lead: Option<usize>,
}

/// The pieces of a chunk in order. Whatever has a letter or a digit is in one of them.
pub(crate) fn pieces(content: &str) -> Vec<Piece> {
    let mut layout = Layout {
        content,
        pieces: Vec::new(),
        heading: None,
        local: None,
        paragraph: None,
    };
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        layout.line(start, line);
        start += line.len();
    }
    layout.end_paragraph();
    layout.pieces
}

struct Layout<'t> {
    content: &'t str,
    pieces: Vec<Piece>,
    /// The heading above.
    heading: Option<usize>,
    /// The question, the header or the line before the list that leads just here.
    local: Option<usize>,
    /// Where the lines of running text began and where they end so far.
    paragraph: Option<(usize, usize)>,
}

impl Layout<'_> {
    fn line(&mut self, start: usize, line: &str) {
        let text = line.trim();
        let at = start + (line.len() - line.trim_start().len());
        let end = at + text.len();
        if !text.contains(char::is_alphanumeric) {
            self.end_paragraph();
            // A question keeps its answer across an empty line, a table or a list does not go on.
            let keeps = |local: usize| {
                let lead = self.pieces[local];
                lead.role != Role::Header && local + 1 == self.pieces.len()
            };
            if text.is_empty() && !self.local.is_some_and(keeps) {
                self.local = None;
            }
            return;
        }
        if let Some(marker) = heading_marker(text) {
            self.end_paragraph();
            self.local = None;
            let role = if text.ends_with('?') {
                Role::Question
            } else {
                Role::Heading
            };
            self.heading = self.push(at + marker, end, role, None);
        } else if text.starts_with('|') {
            self.end_paragraph();
            let header = self.local.filter(|l| self.pieces[*l].role == Role::Header);
            let next = self.content.get(start + line.len()..).unwrap_or_default();
            if header.is_none() && is_delimiter_row(next.lines().next().unwrap_or_default()) {
                self.local = self.push(at, end, Role::Header, self.heading);
            } else {
                self.push(at, end, Role::Row, header.or(self.heading));
            }
        } else if let Some(marker) = label(text, QUESTION_LABELS) {
            self.end_paragraph();
            self.question(at + marker, end);
        } else if let Some(marker) = label(text, ANSWER_LABELS) {
            self.end_paragraph();
            self.sentences(at + marker, end);
        } else if let Some(marker) = item_marker(text) {
            self.end_paragraph();
            self.sentences(at + marker, end);
        } else if let Some((from, to)) = asked(text).filter(|_| self.paragraph.is_none()) {
            self.question(at + from, at + to);
        } else {
            let start = self.paragraph.map_or(at, |(start, _)| start);
            self.paragraph = Some((start, end));
            if text.chars().count() < WRAPPED_MIN || text.ends_with(':') {
                self.end_paragraph();
            }
        }
    }

    /// A question, with its answer behind it on the same line or on the next ones.
    fn question(&mut self, start: usize, end: usize) {
        let text = &self.content[start..end];
        let answer = text
            .match_indices(char::is_whitespace)
            .find_map(|(at, gap)| {
                let rest = &text[at + gap.len()..];
                label(rest, ANSWER_LABELS).map(|marker| (at, at + gap.len() + marker))
            });
        let asked = answer.map_or(end, |(at, _)| start + at);
        self.local = self.push(start, asked, Role::Question, self.heading);
        if let Some((_, at)) = answer {
            self.sentences(start + at, end);
        }
    }

    fn end_paragraph(&mut self) {
        let Some((start, end)) = self.paragraph.take() else {
            return;
        };
        self.sentences(start, end);
        // "You need:" leads the list below it.
        if self.content[start..end].ends_with(':')
            && let Some(last) = self.pieces.last_mut()
        {
            last.role = Role::Heading;
            self.local = Some(self.pieces.len() - 1);
        }
    }

    fn sentences(&mut self, start: usize, end: usize) {
        let text = &self.content[start..end];
        // Unicode ends a sentence at every break of a line (UAX 29, SB4), but these lines are wrapped text.
        let joined = text.replace(['\n', '\r'], " ");
        let mut begun = None;
        for (at, sentence) in joined.split_sentence_bound_indices() {
            let from = *begun.get_or_insert(at);
            if ends_in_abbreviation(sentence) && at + sentence.len() < joined.len() {
                continue;
            }
            begun = None;
            self.sentence(start + from, start + at + sentence.len());
        }
    }

    /// A sentence, cut where it is too long.
    fn sentence(&mut self, mut start: usize, end: usize) {
        let lead = self.local.or(self.heading);
        while end - start > PIECE_MAX {
            let mut cut = self.content.floor_char_boundary(start + PIECE_MAX);
            if let Some(space) = self.content[start..cut].rfind(char::is_whitespace)
                && space > 0
            {
                cut = start + space;
            }
            self.push(start, cut, Role::Sentence, lead);
            start = cut;
        }
        self.push(start, end, Role::Sentence, lead);
    }

    /// The place of the new piece; `None`: there is no word in it.
    fn push(&mut self, start: usize, end: usize, role: Role, lead: Option<usize>) -> Option<usize> {
        let text = &self.content[start..end];
        let trimmed = text.trim();
        if !trimmed.contains(char::is_alphanumeric) {
            return None;
        }
        let start = start + (text.len() - text.trim_start().len());
        self.pieces.push(Piece {
            start,
            end: start + trimmed.len(),
            role,
            lead,
        });
        Some(self.pieces.len() - 1)
    }
}

/// "Q:" in the languages that bots speak.
const QUESTION_LABELS: &[&str] = &[
    "q", "question", "p", "pregunta", "pergunta", "f", "frage", "d", "domanda",
];
/// "A:" in the languages that bots speak.
const ANSWER_LABELS: &[&str] = &[
    "a",
    "answer",
    "r",
    "respuesta",
    "resposta",
    "réponse",
    "antwort",
    "risposta",
];

/// The length of a label with its colon, bold or not, at the start of a line.
fn label(text: &str, labels: &[&str]) -> Option<usize> {
    let bare = text.trim_start_matches(['*', '_']);
    let (word, _) = bare.split_once(':').filter(|(word, _)| word.len() <= 12)?;
    let word = word.trim_end_matches(['*', '_']);
    labels
        .contains(&word.trim().to_lowercase().as_str())
        .then(|| {
            let rest = bare.split_once(':').map_or("", |(_, rest)| rest);
            text.len() - rest.trim_start_matches(['*', '_', ' ']).len()
        })
}

/// The length of `#` to `######` and the space after it.
fn heading_marker(text: &str) -> Option<usize> {
    let level = text.bytes().take_while(|b| *b == b'#').count();
    let rest = text.get(level..)?;
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t'])).then_some(level)
}

/// The length of a bullet or a number in front of a list item.
pub(crate) fn item_marker(text: &str) -> Option<usize> {
    let rest = text
        .strip_prefix(['-', '*', '+', '•', '–', '·'])
        .or_else(|| {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            (1..=3)
                .contains(&digits)
                .then(|| text.get(digits..)?.strip_prefix(['.', ')']))
                .flatten()
        })?;
    rest.starts_with(char::is_whitespace)
        .then(|| text.len() - rest.trim_start().len())
}

/// `| --- | :-: |`: what makes the row above it a header.
fn is_delimiter_row(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| "|-: \t".contains(c))
}

/// Where the question stands in a line that is one and no more, bold or not.
fn asked(text: &str) -> Option<(usize, usize)> {
    const MARKS: [char; 2] = ['*', '_'];
    let from = text.len() - text.trim_start_matches(MARKS).len();
    let to = text.trim_end_matches(MARKS).len();
    let bare = text.get(from..to)?;
    let is_one = bare.ends_with('?') && bare.unicode_sentences().nth(1).is_none();
    is_one.then_some((from, to))
}

/// "Dr. Smith" is one sentence, though UAX 29 sees two.
fn ends_in_abbreviation(sentence: &str) -> bool {
    const ABBREVIATIONS: &[&str] = &[
        "art", "bzw", "corp", "dott", "etc", "fig", "inc", "ltd", "mlle", "mme", "mrs", "prof",
        "sig", "sra", "srta", "str", "vol",
    ];
    let Some(before) = sentence.trim_end().strip_suffix('.') else {
        return false;
    };
    let word = before
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let length = word.chars().count();
    (1..=2).contains(&length) && word.chars().all(char::is_alphabetic) && starts_upper(word)
        || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

fn starts_upper(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Vec<(&str, Role, Option<&str>)> {
        let all = pieces(content);
        let text = |piece: &Piece| &content[piece.start..piece.end];
        all.iter()
            .map(|piece| (text(piece), piece.role, piece.lead.map(|l| text(&all[l]))))
            .collect()
    }

    #[test]
    fn a_question_in_bold_leads_its_answer() {
        let question = "Where do your beans come from?";
        let content = format!("**{question}**\nThey come from farms in Ethiopia.");
        let answer = "They come from farms in Ethiopia.";
        let expected = [
            (question, Role::Question, None),
            (answer, Role::Sentence, Some(question)),
        ];
        assert_eq!(read(&content), expected);
    }

    #[test]
    fn headings_lead_the_sentences_below_them() {
        assert_eq!(
            read(
                "## Returns\n\nSend it back within 30 days. We pay\nthe postage, whatever the reason for sending it back was."
            ),
            [
                ("Returns", Role::Heading, None),
                (
                    "Send it back within 30 days.",
                    Role::Sentence,
                    Some("Returns")
                ),
                ("We pay", Role::Sentence, Some("Returns")),
                (
                    "the postage, whatever the reason for sending it back was.",
                    Role::Sentence,
                    Some("Returns")
                ),
            ]
        );
    }

    #[test]
    fn wrapped_lines_are_one_sentence_and_short_ones_are_not() {
        let wrapped = "The shop in the old town is open every day of the week\nexcept on Sunday. It is closed then.";
        assert_eq!(read(wrapped).len(), 2);
        assert_eq!(read("Monday: 9-17\nTuesday: 10-18").len(), 2);
    }

    #[test]
    fn answers_are_led_by_their_questions() {
        for content in [
            "Q: Do you ship abroad? A: Yes, to all of Europe.",
            "**Q:** Do you ship abroad?\n**A:** Yes, to all of Europe.",
            "Do you ship abroad?\n\nYes, to all of Europe.",
            "### Do you ship abroad?\nYes, to all of Europe.",
        ] {
            assert_eq!(
                read(content),
                [
                    ("Do you ship abroad?", Role::Question, None),
                    (
                        "Yes, to all of Europe.",
                        Role::Sentence,
                        Some("Do you ship abroad?")
                    ),
                ],
                "{content}"
            );
        }
    }

    #[test]
    fn lists_and_tables_keep_what_leads_them() {
        assert_eq!(
            read("You need:\n* a passport\n2. a photo"),
            [
                ("You need:", Role::Heading, None),
                ("a passport", Role::Sentence, Some("You need:")),
                ("a photo", Role::Sentence, Some("You need:")),
            ]
        );
        assert_eq!(
            read("| Size | Price |\n|---|---|\n| S | 10 |"),
            [
                ("| Size | Price |", Role::Header, None),
                ("| S | 10 |", Role::Row, Some("| Size | Price |")),
            ]
        );
    }

    #[test]
    fn abbreviations_end_no_sentence() {
        assert_eq!(read("Ask Dr. Smith or J. Doe. They know.").len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn every_word_is_in_a_piece(content in "(?s)[a-z0-9 #|:?.\\-*\n\u{e9}\u{4e00}\u{1f600}QA]{0,300}|\\PC{0,200}") {
            let all = pieces(&content);
            let mut covered = 0;
            for piece in &all {
                proptest::prop_assert!(covered <= piece.start && piece.start < piece.end);
                covered = piece.end;
                proptest::prop_assert!(piece.lead.is_none_or(|lead| lead < all.len()));
            }
            let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            let kept: usize = all.iter().map(|p| words(&content[p.start..p.end])).sum();
            // Labels (Q:, A:) and numbers of items are no words.
            let markers = content.lines().count() * 12 + content.matches(':').count() * 12;
            proptest::prop_assert!(kept + markers >= words(&content));
        }
    }
}
