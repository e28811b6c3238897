//! Word's format from 1997 to 2003 (MS-DOC).
//!
//! The text stands in pieces, each in Windows-1252 or UTF-16, in an order that a table gives; what the paragraphs
//! and letters look like is found by where they stand in the file, and tells tables, headings, lists and what was
//! deleted. Headers and footers are not read: they repeat.

mod formats;
mod header;
mod lists;
mod pieces;
mod story;
mod styles;

use domain::documents::ReadError;

use crate::blocks::{Blocks, Style};
use crate::compound::Compound;
use header::{Header, Part};
use pieces::Pieces;
use story::Stories;

/// The text of the document.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(bytes: &[u8]) -> Result<String, ReadError> {
    let mut file = Compound::open(bytes).ok_or_else(damaged)?;
    let main = file.stream("WordDocument").ok_or_else(damaged)?;
    let header = Header::read(&main)?;
    let tables = file.stream(header.tables()).ok_or_else(damaged)?;
    let data = file.stream("Data").unwrap_or_default();
    let pieces = Pieces::read(header.table(&tables, Part::Pieces), &main).ok_or_else(damaged)?;

    let stories = Stories::new(&header, &pieces, &tables, &data);
    let mut blocks = Blocks::default();
    stories.tell(header.text(), &mut blocks)?;
    // Boxes have no place in the text but on the page.
    let boxes = stories.read(header.text_boxes())?;
    blocks.paragraph(&boxes, &Style::Plain)?;
    blocks.finish()
}

fn damaged() -> ReadError {
    let why = "The Word document is damaged or incomplete. Open it in Word, save it as DOCX and upload that.";
    ReadError::Unreadable(why.into())
}

/// Two bytes, the lower one first, as all numbers here.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}
