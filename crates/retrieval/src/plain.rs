//! Markdown to the plain words of it.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// Put before the piece, so that its start is never taken for the start of a list, a heading or a quotation:
/// "2019. The year" is words.
const PARAGRAPH: &str = "p ";

/// The words of a line of Markdown without its inline markup. Breaks of lines become spaces.
pub(crate) fn plain(markdown: &str) -> String {
    without_markup(markdown, false)
}

/// The words of a text in Markdown without its inline markup, on the lines and in the lists in which they stand.
/// Where a link leads is said behind it: a reader can't follow its words.
pub(crate) fn plain_lines(markdown: &str) -> String {
    let lines = markdown.lines().map(|line| {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        let hashes = text.trim_start_matches('#');
        let is_heading = text.len() - hashes.len() <= 6 && hashes.starts_with(' ');
        let text = if is_heading { hashes } else { text };
        [indent, &without_markup(text, true)].concat()
    });
    let lines: Vec<String> = lines.collect();
    lines.join("\n").trim().to_owned()
}

fn without_markup(markdown: &str, with_addresses: bool) -> String {
    let mut line = String::with_capacity(PARAGRAPH.len() + markdown.len());
    line.push_str(PARAGRAPH);
    for word in markdown.split_whitespace() {
        line.push_str(word);
        line.push(' ');
    }
    let mut text = String::with_capacity(line.len());
    // The links that are open: where their words begin, and where they lead.
    let mut links = Vec::new();
    for event in Parser::new(&line) {
        match event {
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            // A plain text may well hold "<name>", which is words; a break of the line is none.
            Event::Html(tag) | Event::InlineHtml(tag) => {
                text.push_str(if tag.starts_with("<br") { " " } else { &tag });
            }
            Event::Start(Tag::Link { dest_url, .. }) if with_addresses => {
                links.push((text.len(), dest_url));
            }
            Event::End(TagEnd::Link) => {
                if let Some((start, address)) = links.pop()
                    && !text[start..].contains(bare(&address))
                {
                    text.push_str(&format!(" ({})", bare(&address)));
                }
            }
            _ => {}
        }
    }
    let text = text.get(PARAGRAPH.len()..).unwrap_or_default().trim();
    // A piece that was cut out of bold words has one of their two marks.
    let text = text.trim_start_matches("**").trim_end_matches("**");
    text.trim().to_owned()
}

/// An address of a person as people write it.
fn bare(address: &str) -> &str {
    address.strip_prefix("mailto:").unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::{plain, plain_lines};

    #[test]
    fn markup_goes_and_words_stay() {
        for (markdown, words) in [
            ("Open **Monday** to\n_Friday_.", "Open Monday to Friday."),
            ("**Note well.", "Note well."),
            ("It is final.**", "It is final."),
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

    #[test]
    fn lines_lists_and_addresses_stay() {
        for (markdown, words) in [
            (
                "## How\n\n1. **Open** it.\n   - _Gently_\n2. Close it.",
                "How\n\n1. Open it.\n   - Gently\n2. Close it.",
            ),
            (
                "See [our shop](https://shop.example/a), <https://b.example>\nor [ask](mailto:a@b.example).",
                "See our shop (https://shop.example/a), https://b.example\nor ask (a@b.example).",
            ),
            ("\n#1 in town\r\nOpen!\n", "#1 in town\nOpen!"),
            ("[a@b.example](mailto:a@b.example)", "a@b.example"),
            ("* *", "* *"),
        ] {
            assert_eq!(plain_lines(markdown), words, "{markdown}");
        }
    }
}
