//! The stories of a document, the text and its notes among them, as blocks.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use domain::documents::ReadError;

use super::formats::{Formats, Run, properties};
use super::header::{Header, Part};
use super::pieces::{Pieces, Unit};
use super::styles::{Paragraph, Styles};
use super::{damaged, lists, u32_at};
use crate::blocks::{Blocks, Style};
use crate::fields::Fields;
use crate::numbering::Numbering;
use crate::text;

/// Characters that mean something else (MS-DOC 2.4.1).
const NOTE: u16 = 0x02;
const CELL_END: u16 = 0x07;
const LINE_END: u16 = 0x0B;
const PAGE_END: u16 = 0x0C;
const PARAGRAPH_END: u16 = 0x0D;
const COLUMN_END: u16 = 0x0E;
const FIELD_BEGIN: u16 = 0x13;
const FIELD_SEPARATOR: u16 = 0x14;
const FIELD_END: u16 = 0x15;
const HYPHEN: u16 = 0x1E;

pub(super) struct Stories<'d> {
    pieces: &'d Pieces<'d>,
    paragraphs: Formats<'d>,
    letters: Formats<'d>,
    styles: Styles<'d>,
    numbering: RefCell<Numbering>,
    data: &'d [u8],
    /// Where the text refers to a note, ascending, and where that is.
    notes: Vec<(u32, Range<u32>)>,
    /// How many characters may still be read.
    left: Cell<usize>,
}

/// A stretch of text of one look.
#[derive(Default)]
struct Letters<'d> {
    run: Run<'d>,
    is_bold: bool,
    /// Deleted while changes were tracked, or hidden.
    is_gone: bool,
    /// Shown by a sign of another font.
    is_symbol: bool,
}

/// The paragraph that is being read.
#[derive(Default)]
struct Open {
    text: String,
    /// How many bytes of the text are bold.
    bold: usize,
    /// The first half of a character.
    half: Option<u16>,
    notes: Vec<Range<u32>>,
}

impl<'d> Stories<'d> {
    pub(super) fn new(
        header: &Header<'d>,
        pieces: &'d Pieces<'d>,
        tables: &'d [u8],
        data: &'d [u8],
    ) -> Self {
        let table = |part| header.table(tables, part);
        let mut notes = Vec::new();
        for (references, places, story) in [
            (
                Part::FootnoteReferences,
                Part::Footnotes,
                header.footnotes(),
            ),
            (Part::EndnoteReferences, Part::Endnotes, header.endnotes()),
        ] {
            notes.extend(notes_of(table(references), table(places), &story));
        }
        notes.sort_by_key(|(at, _)| *at);
        Self {
            pieces,
            paragraphs: Formats::of_paragraphs(header.main(), table(Part::Paragraphs)),
            letters: Formats::of_letters(header.main(), table(Part::Letters)),
            styles: Styles::read(table(Part::Styles)),
            numbering: RefCell::new(lists::read(header, tables)),
            data,
            notes,
            left: Cell::new(pieces.most()),
        }
    }

    /// Writes a story, with the notes below the paragraphs that refer to them: there they are found together.
    pub(super) fn tell(&self, part: Range<u32>, blocks: &mut Blocks) -> Result<(), ReadError> {
        let mut notes = Vec::new();
        self.walk(part, blocks, |blocks, referred| {
            notes.extend(referred);
            if !blocks.is_in_table() {
                for note in notes.drain(..) {
                    let note = self.read(note)?;
                    blocks.paragraph(&note, &Style::Plain)?;
                }
            }
            Ok(())
        })
    }

    /// The text of a story in which no note is referred to.
    pub(super) fn read(&self, part: Range<u32>) -> Result<String, ReadError> {
        let mut blocks = Blocks::default();
        self.walk(part, &mut blocks, |_, _| Ok(()))?;
        blocks.finish()
    }

    fn walk(
        &self,
        part: Range<u32>,
        blocks: &mut Blocks,
        mut after_paragraph: impl FnMut(&mut Blocks, Vec<Range<u32>>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut open = Open::default();
        let mut fields = Fields::default();
        let mut letters = Letters::default();
        let mut cell = CellState::default();
        for unit in self.pieces.units(part) {
            self.count()?;
            match unit.code {
                PARAGRAPH_END | CELL_END | PAGE_END => {
                    fields.end_codes();
                    let done = std::mem::take(&mut open);
                    let paragraph = self.paragraph(unit);
                    let style = self.style(&done, paragraph);
                    cell.place(blocks, &done.text, &style, paragraph, unit.code == CELL_END)?;
                    after_paragraph(blocks, done.notes)?;
                }
                FIELD_BEGIN => fields.begin(),
                FIELD_SEPARATOR => fields.separate(),
                FIELD_END => fields.end(),
                _ if fields.is_code() => {}
                code => {
                    if !letters.run.holds(unit.offset) {
                        letters = Letters::of(self.letters.at(unit.offset));
                    }
                    if letters.is_gone || letters.is_symbol {
                        continue;
                    }
                    if code == NOTE {
                        open.notes.extend(self.note(unit.at));
                    }
                    open.push(code, letters.is_bold)?;
                }
            }
        }
        cell.place(
            blocks,
            &open.text,
            &Style::Plain,
            Paragraph::default(),
            false,
        )?;
        after_paragraph(blocks, open.notes)
    }

    fn count(&self) -> Result<(), ReadError> {
        let left = self.left.get().checked_sub(1).ok_or_else(damaged)?;
        self.left.set(left);
        Ok(())
    }

    /// What the paragraph is that ends here.
    fn paragraph(&self, mark: Unit) -> Paragraph {
        let format = self.paragraphs.at(mark.offset).format;
        self.styles.paragraph(format, self.data)
    }

    fn style(&self, open: &Open, paragraph: Paragraph) -> Style {
        let depth = usize::from(paragraph.depth);
        // An empty paragraph counts as well.
        let label = (paragraph.list > 0).then(|| {
            let list = paragraph.list.to_string();
            self.numbering.borrow_mut().next(&list, depth)
        });
        let is_bold = open.bold > 0 && open.bold == open.text.len();
        Style::of(paragraph.heading, label.flatten(), depth, is_bold)
    }

    fn note(&self, at: u32) -> Option<Range<u32>> {
        let found = self.notes.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        self.notes.get(found).map(|(_, note)| note.clone())
    }
}

/// Where notes are referred to, and where they are (MS-DOC 2.8.18 and 2.8.19).
fn notes_of(references: &[u8], places: &[u8], story: &Range<u32>) -> Vec<(u32, Range<u32>)> {
    let count = references.len().saturating_sub(4) / 6;
    let place = |at: usize| {
        Some(
            story
                .start
                .saturating_add(u32_at(places, 4 * at)?)
                .min(story.end),
        )
    };
    let note = |at| Some((u32_at(references, 4 * at)?, place(at)?..place(at + 1)?));
    (0..count).map_while(note).collect()
}

/// Where in a table the text is.
#[derive(Default)]
struct CellState {
    is_open: bool,
    /// Whether the last mark ended a cell.
    was_cell_end: bool,
}

impl CellState {
    fn place(
        &mut self,
        blocks: &mut Blocks,
        text: &str,
        style: &Style,
        paragraph: Paragraph,
        is_cell_end: bool,
    ) -> Result<(), ReadError> {
        // A row ends with an empty cell that is none, as its format says, if there is one.
        let is_row_end = paragraph.is_row_end
            || is_cell_end && self.was_cell_end && text.is_empty() && !paragraph.is_in_table;
        self.was_cell_end = is_cell_end && !is_row_end;
        if is_row_end {
            self.is_open = false;
            return blocks.close_row();
        }
        if paragraph.is_in_table || is_cell_end {
            if !blocks.is_in_table() {
                blocks.open_table();
            }
            if !self.is_open {
                blocks.open_cell();
            }
            self.is_open = !is_cell_end;
        } else if blocks.is_in_table() {
            self.is_open = false;
            blocks.close_table()?;
        }
        blocks.paragraph(text, style)
    }
}

impl<'d> Letters<'d> {
    fn of(run: Run<'d>) -> Self {
        let mut letters = Self {
            run,
            ..Self::default()
        };
        for (property, value) in properties(run.format) {
            let is_on = matches!(value.first(), Some(0x01 | 0x81));
            match property {
                0x0835 => letters.is_bold = is_on,
                0x0800 | 0x083C => letters.is_gone |= is_on,
                0x6A09 => letters.is_symbol = true,
                _ => {}
            }
        }
        letters
    }
}

impl Open {
    fn push(&mut self, code: u16, is_bold: bool) -> Result<(), ReadError> {
        let char = match code {
            LINE_END | COLUMN_END => Some('\n'),
            HYPHEN => Some('-'),
            0x09 => Some('\t'),
            // Pictures, references, separators of notes.
            ..0x20 | 0x7F => None,
            0xD800..0xDC00 => {
                self.half = Some(code);
                return Ok(());
            }
            _ => char::decode_utf16(self.half.take().into_iter().chain([code]))
                .last()
                .and_then(Result::ok),
        };
        if let Some(char) = char {
            self.text.push(char);
            self.bold += if is_bold { char.len_utf8() } else { 0 };
        }
        if self.text.len() > text::MAX {
            return Err(text::too_long());
        }
        Ok(())
    }
}
