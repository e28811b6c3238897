//! Markdown to the plain words of it.

use pulldown_cmark::{Event, Parser};

/// Put before the piece, so that its start is never taken for the start of a list, a heading or a quotation:
/// "2019. The year" is words.
const PARAGRAPH: &str = "p ";

/// The words of a line of Markdown without its inline markup. Breaks of lines become spaces.
pub(crate) fn plain(markdown: &str) -> String {
    let mut line = String::with_capacity(PARAGRAPH.len() + markdown.len());
    line.push_str(PARAGRAPH);
    for word in markdown.split_whitespace() {
        line.push_str(word);
        line.push(' ');
    }
    let mut text = String::with_capacity(line.len());
    for event in Parser::new(&line) {
        match event {
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            // A plain text may well hold "<name>", which is words; a break of the line is none.
            Event::Html(tag) | Event::InlineHtml(tag) => {
                text.push_str(if tag.starts_with("<br") { " " } else { &tag });
            }
            _ => {}
        }
    }
    text.get(PARAGRAPH.len()..)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn markup_goes_and_words_stay() {
        for (markdown, words) in [
            ("Open **Monday** to\n_Friday_.", "Open Monday to Friday."),
            (
                "See [our shop](https://shop.example/a) now",
                "See our shop now",
            ),
            (
                "`cargo run` starts snake_case",
                "cargo run starts snake_case",
            ),
            ("1\\. Refunds", "1. Refunds"),
            ("2019. The year", "2019. The year"),
            ("call <name> at 3 < 4", "call <name> at 3 < 4"),
            ("   ", ""),
            ("a\u{a0}b", "a b"),
        ] {
            assert_eq!(plain(markdown), words, "{markdown}");
        }
    }
}
