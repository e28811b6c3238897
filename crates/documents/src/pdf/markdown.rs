//! Blocks to Markdown.

use std::collections::HashSet;

use super::blocks::{Block, HYPHEN, Sizes};
use super::letters;
use super::tables::Table;

/// So many different words are remembered.
const WORDS_MAX: usize = 200_000;

/// The words of a document, to tell which of them have a hyphen.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<String>);

impl Words {
    pub(super) fn see(&mut self, text: &str) {
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '-') {
            if self.0.len() < WORDS_MAX
                && word.contains('-')
                && !word.ends_with('-')
                && !self.0.contains(word)
            {
                self.0.insert(word.to_owned());
            }
        }
    }

    /// A text whose hyphens at the ends of lines are gone, or stay where the word has one elsewhere.
    fn hyphenated(&self, text: &str) -> String {
        let Some((start, rest)) = text.split_once(HYPHEN) else {
            return text.to_owned();
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == HYPHEN;
        let head = start
            .rfind(|c| !is_word(c))
            .map_or(start, |at| start[at..].trim_start_matches(|c| !is_word(c)));
        let tail = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        let whole = format!("{head}-{tail}").replace(HYPHEN, "");
        let hyphen = if self.0.contains(&whole) { "-" } else { "" };
        format!("{start}{hyphen}{}", self.hyphenated(rest))
    }
}

/// Writes the blocks of a page behind the text.
pub(super) fn write_all(text: &mut String, blocks: &[Block], sizes: &Sizes, words: &Words) {
    let mut last_is_item = false;
    for block in blocks {
        let is_item = matches!(block, Block::Text { is_item: true, .. });
        if is_item && last_is_item {
            // A list is not taken apart.
            text.pop();
        }
        last_is_item = is_item;
        write(text, block, sizes, words);
    }
}

fn write(text: &mut String, block: &Block, sizes: &Sizes, words: &Words) {
    let start = text.len();
    match block {
        Block::Heading { text: title, size } => {
            text.push_str(&"#".repeat(sizes.level(*size)));
            text.push(' ');
            text.push_str(title);
        }
        Block::Text { lines, .. } => {
            for line in lines {
                if text.len() > start {
                    text.push('\n');
                }
                text.push_str(&words.hyphenated(line));
            }
        }
        Block::Table(table) => write_table(text, table),
    }
    let written = letters::composed(text.split_off(start));
    text.push_str(written.trim());
    text.push_str("\n\n");
}

fn write_table(text: &mut String, table: &Table) {
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows = table.rows.iter();
    let is_title = |row: &Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count() < 2;
    let titles = table.rows.iter().take_while(|row| is_title(row)).count();
    for title in rows.by_ref().take(titles) {
        text.push_str(title.concat().trim());
        text.push_str("\n\n");
    }
    for (at, row) in rows.enumerate() {
        text.push('|');
        for column in 0..columns {
            let cell = row
                .get(column)
                .map(|cell| cell.replace('|', "/"))
                .unwrap_or_default();
            text.push(' ');
            text.push_str(cell.trim());
            text.push_str(" |");
        }
        text.push('\n');
        if at == 0 {
            text.push('|');
            text.push_str(&"---|".repeat(columns));
            text.push('\n');
        }
    }
}
