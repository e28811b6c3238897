//! Tables in text: each row becomes a line that can be read by itself, `Name: Ada; Town: Chur`.

use std::collections::HashSet;

use csv::{ReaderBuilder, StringRecord};
use domain::knowledge::ChunkDraft;

use crate::cutting::{Grain, MAX, TARGET, pieces};
use crate::outline::short;
use crate::packing::chunk;

/// How much is looked at to guess the delimiter and the header: bytes and rows.
const SAMPLE: usize = 64 * 1024;
const SAMPLE_ROWS: usize = 100;
const DELIMITERS: [u8; 4] = *b",;\t|";
/// A header stands in one of the first rows; above it are titles.
const HEADER_WITHIN: usize = 5;
/// A longer cell names no column, in bytes.
const NAME_MAX: usize = 100;
/// Names are repeated in every row until they have taken so many times the size of the file, or so many bytes.
const NAMES_SHARE: usize = 16;
const NAMES_MAX: usize = 16 * 1024 * 1024;

/// The chunks of a table. Rows stay whole where they fit.
pub(crate) fn pack(text: &str) -> Vec<ChunkDraft> {
    let table = Table::guess(text);
    let mut chunks = Chunks::default();
    let mut names = StringRecord::new();
    let mut left = NAMES_MAX.min((text.len() + SAMPLE) * NAMES_SHARE);
    for (at, row) in rows(table.body(text), table.delimiter).enumerate() {
        if Some(at) == table.header {
            let cells: Vec<String> = row
                .iter()
                .map(line)
                .filter(|cell| !cell.is_empty())
                .collect();
            chunks.add(&format!("Columns: {}", cells.join("; ")), None);
            names = row;
            continue;
        }
        let mut whole = String::new();
        let mut first = 0;
        for (cell, name) in row
            .iter()
            .zip(names.iter().map(Some).chain(std::iter::repeat(None)))
        {
            let cell = line(cell);
            if cell.is_empty() {
                continue;
            }
            if !whole.is_empty() {
                whole.push_str(if whole.ends_with(['.', '!', '?', ';', ':']) {
                    " "
                } else {
                    "; "
                });
            }
            if let Some(name) = name.map(line).filter(|name| !name.is_empty())
                && let Some(rest) = left.checked_sub(name.len() + 2)
            {
                left = rest;
                whole.push_str(&name);
                whole.push_str(if name.ends_with([':', '?']) {
                    " "
                } else {
                    ": "
                });
            }
            whole.push_str(&cell);
            if first == 0 {
                first = whole.len();
            }
        }
        chunks.add(&whole, Some(&whole[..first]));
    }
    chunks.close();
    chunks.done
}

/// A cell on one line.
fn line(cell: &str) -> String {
    let mut line = String::with_capacity(cell.len());
    for word in cell.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn rows(text: &str, delimiter: u8) -> impl Iterator<Item = StringRecord> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    // Of text in memory, with rows of any length, nothing can fail.
    reader.into_records().map_while(Result::ok)
}

/// What a table is like.
struct Table {
    delimiter: u8,
    /// The row that names the columns, from 0.
    header: Option<usize>,
    /// Where the first row begins, in bytes.
    start: usize,
}

impl Table {
    fn guess(text: &str) -> Self {
        // Excel writes the delimiter into the first line where the country's usual one is not meant.
        let named = text.strip_prefix("sep=").and_then(|rest| {
            let delimiter = *rest
                .as_bytes()
                .first()
                .filter(|byte| DELIMITERS.contains(byte))?;
            let rest = rest[1..].trim_start_matches('\r').strip_prefix('\n')?;
            Some((delimiter, text.len() - rest.len()))
        });
        let start = named.map_or(0, |(_, start)| start);
        let sample = sample(&text[start..]);
        let delimiter = named.map_or_else(|| delimiter(sample), |(delimiter, _)| delimiter);
        let rows: Vec<StringRecord> = rows(sample, delimiter).take(SAMPLE_ROWS).collect();
        Self {
            delimiter,
            header: header(&rows),
            start,
        }
    }

    fn body<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..]
    }
}

/// The first lines, whole where they can be.
fn sample(text: &str) -> &str {
    if text.len() <= SAMPLE {
        return text;
    }
    let sample = &text[..text.floor_char_boundary(SAMPLE)];
    sample.rfind('\n').map_or(sample, |end| &sample[..=end])
}

/// The delimiter that makes the most rows alike; of those, the one that makes the most columns.
fn delimiter(sample: &str) -> u8 {
    let likeness = |delimiter: u8| {
        let rows: Vec<usize> = rows(sample, delimiter)
            .take(SAMPLE_ROWS)
            .map(|row| row.len())
            .collect();
        let width = usual(&rows);
        let alike = rows.iter().filter(|row| **row == width).count();
        let share = alike * 100 / rows.len().max(1);
        (width > 1, share, width)
    };
    let mut best = DELIMITERS[0];
    for delimiter in DELIMITERS {
        if likeness(delimiter) > likeness(best) {
            best = delimiter;
        }
    }
    best
}

/// The width that most rows have; the wider one of two.
fn usual(widths: &[usize]) -> usize {
    let count = |width: usize| widths.iter().filter(|other| **other == width).count();
    widths
        .iter()
        .copied()
        .max_by_key(|width| (count(*width), *width))
        .unwrap_or(0)
}

/// The row that names the columns: as wide as the others, filled, with names that are words and differ.
fn header(rows: &[StringRecord]) -> Option<usize> {
    let widths: Vec<usize> = rows.iter().map(StringRecord::len).collect();
    let width = usual(&widths);
    let filled = |row: &StringRecord| row.iter().filter(|cell| !cell.trim().is_empty()).count();
    let at = rows
        .iter()
        .take(HEADER_WITHIN)
        .position(|row| row.len() >= width && filled(row) * 2 > width)?;
    let mut names = HashSet::new();
    let are_names = rows[at]
        .iter()
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .all(|cell| {
            cell.len() <= NAME_MAX
                && cell.contains(char::is_alphabetic)
                && !cell.ends_with(['.', '!', '?'])
                && !cell.contains('@')
                && names.insert(cell)
        });
    are_names.then_some(at)
}

#[derive(Default)]
struct Chunks {
    done: Vec<ChunkDraft>,
    open: String,
    chars: usize,
}

impl Chunks {
    /// Adds a row; its first cell stands above the pieces of one that is too long.
    fn add(&mut self, row: &str, first: Option<&str>) {
        let chars = row.chars().count();
        if chars == 0 {
            return;
        }
        if self.chars + 2 + chars > TARGET {
            self.close();
        }
        if chars > MAX {
            let mut heading = None;
            for range in pieces(row, 0..row.len(), Grain::Sentences) {
                self.done.push(chunk(&row[range], heading.clone()));
                heading = heading.or_else(|| first.map(short));
            }
            return;
        }
        // An empty line keeps the sentences of a row from running into the next one's.
        if !self.open.is_empty() {
            self.open.push_str("\n\n");
            self.chars += 2;
        }
        self.open.push_str(row);
        self.chars += chars;
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(chunk(&self.open, None));
            self.open.clear();
            self.chars = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let chunks = pack(text);
        chunks
            .iter()
            .flat_map(|chunk| chunk.content.split("\n\n"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn rows_are_lines_that_can_be_read_by_themselves() {
        for delimiter in [",", ";", "\t", "|"] {
            let text = "Name,Price,Note\r\nEspresso,3,\"Hot\nand small\"\r\n\"Latte \"\"M\"\"\",5\r\nTea,,x,y\r\n".replace(',', delimiter);
            assert_eq!(
                read(&text),
                [
                    "Columns: Name; Price; Note",
                    "Name: Espresso; Price: 3; Note: Hot and small",
                    "Name: Latte \"M\"; Price: 5",
                    "Name: Tea; Note: x; y",
                ],
                "{delimiter:?}"
            );
        }
    }

    #[test]
    fn decimal_commas_are_no_delimiters() {
        let text = "Artikel;Preis\nKaffee, gemahlen;3,50\nTee;2,80\nMilch, Rahm;1,20\n";
        assert_eq!(read(text)[1], "Artikel: Kaffee, gemahlen; Preis: 3,50");
        assert_eq!(read("sep=;\r\na,b;c\r\n1,2;3\r\n")[1], "a,b: 1,2; c: 3");
    }

    #[test]
    fn titles_stand_above_headers_and_some_tables_have_none() {
        let text = "Stanley Cups,,\nTeam,Town,Cups\nBlues,STL,1\n";
        assert_eq!(
            read(text),
            [
                "Stanley Cups",
                "Columns: Team; Town; Cups",
                "Team: Blues; Town: STL; Cups: 1"
            ]
        );
        assert_eq!(
            read("Blues,STL,1\nFlyers,PHI,2\n"),
            ["Blues; STL; 1", "Flyers; PHI; 2"]
        );
        assert_eq!(read("Name,Price\n"), ["Columns: Name; Price"]);
    }

    #[test]
    fn questions_and_answers_read_as_such() {
        let text = "Question,Answer\nDo you ship?,Yes. Everywhere.\n";
        assert_eq!(
            read(text)[1],
            "Question: Do you ship? Answer: Yes. Everywhere."
        );
    }

    #[test]
    fn long_rows_are_cut_and_say_whose_they_are() {
        let text = format!(
            "Name,Story\nAda,{}\nBob,Short\n",
            "She wrote a program. ".repeat(200)
        );
        let chunks = pack(&text);
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk.content.chars().count() <= MAX)
        );
        assert!(chunks[1].content.starts_with("Name: Ada; Story: She"));
        assert_eq!(chunks[2].heading.as_deref(), Some("Name: Ada"));
        assert_eq!(chunks.last().unwrap().content, "Name: Bob; Story: Short");
    }

    #[test]
    fn long_names_are_not_repeated_without_end() {
        let text = format!("a{},b\n{}", "x".repeat(90), "1,2\n".repeat(400_000));
        let size: usize = pack(&text).iter().map(|chunk| chunk.content.len()).sum();
        assert!(size < NAMES_MAX + 4 * text.len(), "{size}");
    }
}
