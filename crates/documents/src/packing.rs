//! Blocks to chunks.

use std::ops::Range;

use domain::knowledge::ChunkDraft;

use crate::cutting::{Grain, MAX, TARGET, pieces};
use crate::outline::{Block, Kind, blocks};
use crate::text::Text;

/// With more sections than anybody writes, they no longer begin chunks of their own: what a file is cut into
/// stays in proportion to its size.
const SECTIONS_MAX: usize = 20_000;

/// The chunks of a text: each begins at a heading where it can, and holds what belongs together. They are
/// parts of the text, one behind the other, and only white space is between them; each names the page on which
/// it begins.
pub(crate) fn pack(text: &str, pages: &[usize]) -> Vec<ChunkDraft> {
    let mut packing = Packing {
        text,
        pages,
        chunks: Vec::new(),
        path: Vec::new(),
        open: None,
        unit: None,
    };
    for block in blocks(text) {
        packing.add(block);
    }
    packing.end_unit();
    packing.close();
    packing.chunks
}

/// Chunks by length alone.
pub(crate) fn by_size(text: &str) -> Vec<ChunkDraft> {
    let ranges = pieces(text, 0..text.len(), Grain::Sentences).into_iter();
    ranges.map(|range| chunk(&text[range], None)).collect()
}

/// A chunk of a file.
pub(crate) fn chunk(content: &str, heading: Option<String>) -> ChunkDraft {
    ChunkDraft {
        content: content.to_owned(),
        heading,
        ..ChunkDraft::default()
    }
}

struct Packing<'t> {
    text: &'t str,
    /// Where its pages begin.
    pages: &'t [usize],
    chunks: Vec<ChunkDraft>,
    /// The headings above, outermost first.
    path: Vec<(u8, String)>,
    open: Option<Open>,
    unit: Option<Unit>,
}

/// The chunk that is being filled.
struct Open {
    range: Range<usize>,
    chars: usize,
    /// Nothing but headings so far: what comes next belongs to them.
    is_title: bool,
    heading: Option<String>,
}

/// Blocks that belong together: a question and its answer, "You need:" and the list's first item.
struct Unit {
    range: Range<usize>,
    kind: Kind,
    leads: bool,
}

impl Packing<'_> {
    fn add(&mut self, block: Block) {
        if let Kind::Heading { level, title } = block.kind {
            self.end_unit();
            self.begin_section(block.range, level, title);
            return;
        }
        match &mut self.unit {
            Some(unit) if unit.leads => {
                unit.range.end = block.range.end;
                unit.kind = block.kind;
                unit.leads = block.leads;
            }
            _ => {
                self.end_unit();
                self.unit = Some(Unit {
                    range: block.range,
                    kind: block.kind,
                    leads: block.leads,
                });
            }
        }
    }

    fn begin_section(&mut self, range: Range<usize>, level: u8, title: String) {
        self.path.retain(|(above, _)| *above < level);
        if !title.is_empty() {
            self.path.push((level, title));
        }
        let has_words = self.open.as_ref().is_some_and(|open| !open.is_title);
        if has_words && self.chunks.len() < SECTIONS_MAX {
            self.close();
        }
        let heading = self.heading(None);
        if self.extend(range.end, TARGET) {
            // Titles above titles: what comes next stands below all of them.
            if let Some(open) = self.open.as_mut().filter(|open| open.is_title) {
                open.heading = heading;
            }
        } else {
            self.begin(range, heading, true);
        }
    }

    fn end_unit(&mut self) {
        let Some(mut unit) = self.unit.take() else {
            return;
        };
        let below_title = self.open.as_ref().is_some_and(|open| open.is_title);
        if self.extend(unit.range.end, if below_title { MAX } else { TARGET }) {
            if let Some(open) = &mut self.open {
                open.is_title = false;
            }
            return;
        }
        if let Some(title) = self.open.take_if(|open| open.is_title) {
            unit.range.start = title.range.start;
        }
        let grain = match unit.kind {
            Kind::Code | Kind::Table { .. } => Grain::Lines,
            Kind::Text | Kind::Heading { .. } => Grain::Sentences,
        };
        for range in pieces(self.text, unit.range, grain) {
            let columns = match &unit.kind {
                Kind::Table { columns, rows } if range.start >= *rows => Some(columns.as_str()),
                _ => None,
            };
            let heading = self.heading(columns);
            self.begin(range, heading, false);
        }
    }

    /// Makes the open chunk go on to there, if it stays within so many characters.
    fn extend(&mut self, end: usize, limit: usize) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let chars = open.chars + self.text[open.range.end..end].chars().count();
        if chars > limit {
            return false;
        }
        open.chars = chars;
        open.range.end = end;
        true
    }

    fn begin(&mut self, range: Range<usize>, heading: Option<String>, is_title: bool) {
        self.close();
        self.open = Some(Open {
            chars: self.text[range.clone()].chars().count(),
            range,
            is_title,
            heading,
        });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let page = Text::page(self.pages, open.range.start);
            self.chunks.push(ChunkDraft {
                page,
                ..chunk(&self.text[open.range], open.heading)
            });
        }
    }

    /// The headings above, and the names of the columns where a table goes on.
    fn heading(&self, columns: Option<&str>) -> Option<String> {
        let path = self.path.iter().map(|(_, title)| title.clone());
        let columns = columns.filter(|names| !names.is_empty());
        let columns = columns.map(|names| format!("Columns: {names}"));
        let parts: Vec<String> = path.chain(columns).collect();
        Some(parts.join(" > ")).filter(|heading| !heading.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let chunks = pack(text, &[]).into_iter();
        chunks.map(|chunk| (chunk.content, chunk.heading)).collect()
    }

    fn headings(text: &str) -> Vec<Option<String>> {
        read(text).into_iter().map(|(_, heading)| heading).collect()
    }

    #[test]
    fn sections_are_chunks_below_the_path_of_their_headings() {
        let text = "Hello.\n\n# Shop\n\n## Hours\n\nWe open at 9.\n\nWe close at 6.\n\n## Prices\nLow.\n# Other\nWords.\n";
        let expected = [
            ("Hello.", None),
            (
                "# Shop\n\n## Hours\n\nWe open at 9.\n\nWe close at 6.",
                Some("Shop > Hours"),
            ),
            ("## Prices\nLow.", Some("Shop > Prices")),
            ("# Other\nWords.", Some("Other")),
        ];
        assert_eq!(
            read(text),
            expected.map(|(c, h)| (c.to_owned(), h.map(str::to_owned)))
        );
    }

    #[test]
    fn long_sections_are_cut_between_paragraphs_and_keep_their_heading() {
        let paragraph = "This is a sentence of a paragraph. ".repeat(12);
        let text = format!("# Shop\n{}", format!("{paragraph}\n\n").repeat(6));
        let chunks = read(&text);
        assert_eq!(chunks.len(), 3);
        assert!(
            chunks
                .iter()
                .all(|(c, h)| c.ends_with("paragraph.") && h.as_deref() == Some("Shop"))
        );
        assert!(chunks[1].0.starts_with("This"));
    }

    #[test]
    fn tables_are_cut_between_rows_and_keep_their_columns() {
        let rows = "| Espresso with milk | 3.50 |\n".repeat(100);
        let text = format!("## Menu\n\n| Drink | Price |\n|---|---|\n{rows}");
        let chunks = read(&text);
        assert!(chunks[0].0.starts_with("## Menu\n\n| Drink"));
        assert_eq!(chunks[0].1.as_deref(), Some("Menu"));
        assert!(chunks.len() > 2);
        for (content, heading) in &chunks[1..] {
            assert!(
                content.starts_with("| Esp") && content.ends_with("3.50 |"),
                "{content}"
            );
            assert_eq!(heading.as_deref(), Some("Menu > Columns: Drink | Price"));
        }
    }

    #[test]
    fn what_belongs_together_stays_together() {
        let answer = "Yes, we do so gladly. ".repeat(15);
        let text = format!("**Do you ship to other countries?**\n\n{answer}\n\n").repeat(9);
        assert!(
            read(&text)
                .iter()
                .all(|(c, _)| c.starts_with("**Do") && c.ends_with("gladly."))
        );
        let code = format!("```\n{}```", "let a = 1;\n\n".repeat(60));
        let text = format!(
            "{}\n\nLike this:\n\n{code}\n",
            "Words of a paragraph. ".repeat(30)
        );
        assert_eq!(read(&text)[1].0, format!("Like this:\n\n{code}"));
    }

    #[test]
    fn white_space_makes_no_chunk_longer() {
        let text = format!("# a{}b\n\n{}c", "\n".repeat(5000), " \n".repeat(5000));
        assert_eq!(
            read(&text)
                .iter()
                .map(|(c, _)| c.as_str())
                .collect::<Vec<_>>(),
            ["# a", "b", "c"]
        );
        assert_eq!(
            headings(&text),
            [Some("a".into()), Some("a".into()), Some("a".into())]
        );
    }

    #[test]
    fn more_sections_than_anybody_writes_are_joined() {
        let chunks = pack(&"# a\nb\n".repeat(100_000), &[]);
        assert!(
            (SECTIONS_MAX..SECTIONS_MAX + 1_000).contains(&chunks.len()),
            "{}",
            chunks.len()
        );
    }
}
