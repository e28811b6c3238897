//! The header, which says where all else is (MS-DOC 2.5, File Information Block).

use std::ops::Range;

use domain::documents::ReadError;

use super::{damaged, u16_at, u32_at};

/// How the main stream begins.
const MAGIC: u16 = 0xA5EC;
/// Versions below are those of Word 6 and Word 95, another format.
const WORD_97: u16 = 0xC0;
const ENCRYPTED: u16 = 0x0100;
/// Which of two streams has the tables.
const SECOND_TABLES: u16 = 0x0200;
/// Where the lengths of the stories stand, and the places of the tables.
const LENGTHS: usize = 0x4C;
const TABLES: usize = 0x9A;

/// The tables that are used, by their places in the header (MS-DOC 2.5.6).
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Styles = 1,
    FootnoteReferences = 2,
    Footnotes = 3,
    Letters = 12,
    Paragraphs = 13,
    Pieces = 33,
    EndnoteReferences = 46,
    Endnotes = 47,
    Lists = 73,
    ListReferences = 74,
}

/// The stories of a document, one behind the other in the order of their places here (MS-DOC 2.5.5).
#[derive(Debug, Clone, Copy)]
enum Story {
    Text,
    Footnotes,
    Endnotes = 5,
    TextBoxes = 6,
}

#[derive(Debug)]
pub(super) struct Header<'d> {
    main: &'d [u8],
    flags: u16,
}

impl<'d> Header<'d> {
    /// # Errors
    /// [`ReadError::Unreadable`] for older versions and for documents with a password.
    pub(super) fn read(main: &'d [u8]) -> Result<Self, ReadError> {
        let refused = |why: &str| Err(ReadError::Unreadable(why.into()));
        let field = |at| u16_at(main, at).ok_or_else(damaged);
        let flags = field(0x0A)?;
        if field(2)? < WORD_97 {
            return refused(
                "The document was written by Word 95 or older, whose format can't be read. \
                 Open it in a newer Word, save it as DOCX and upload that.",
            );
        }
        if field(0)? != MAGIC {
            return Err(damaged());
        }
        if flags & ENCRYPTED != 0 {
            return refused(
                "The Word document is protected with a password. Save it without one and upload that.",
            );
        }
        Ok(Self { main, flags })
    }

    /// The name of the stream that holds the tables.
    pub(super) fn tables(&self) -> &'static str {
        if self.flags & SECOND_TABLES != 0 {
            "1Table"
        } else {
            "0Table"
        }
    }

    /// One of the tables; empty where there is none, or not all of it.
    pub(super) fn table<'t>(&self, tables: &'t [u8], part: Part) -> &'t [u8] {
        let length = u32_at(self.main, TABLES + 8 * part as usize + 4).unwrap_or(0);
        let table = self.table_and_rest(tables, part);
        table.get(..length as usize).unwrap_or_default()
    }

    /// One of the tables, with what stands behind it.
    pub(super) fn table_and_rest<'t>(&self, tables: &'t [u8], part: Part) -> &'t [u8] {
        let start = u32_at(self.main, TABLES + 8 * part as usize);
        start
            .and_then(|start| tables.get(start as usize..))
            .unwrap_or_default()
    }

    pub(super) fn text(&self) -> Range<u32> {
        self.story(Story::Text)
    }

    pub(super) fn footnotes(&self) -> Range<u32> {
        self.story(Story::Footnotes)
    }

    pub(super) fn endnotes(&self) -> Range<u32> {
        self.story(Story::Endnotes)
    }

    pub(super) fn text_boxes(&self) -> Range<u32> {
        self.story(Story::TextBoxes)
    }

    /// The main stream, in which text and formats stand.
    pub(super) fn main(&self) -> &'d [u8] {
        self.main
    }

    /// From where to where a story goes, in characters.
    fn story(&self, story: Story) -> Range<u32> {
        let length = |at: usize| u32_at(self.main, LENGTHS + 4 * at).unwrap_or(0);
        let before = (0..story as usize).fold(0u32, |sum, at| sum.saturating_add(length(at)));
        before..before.saturating_add(length(story as usize))
    }
}
