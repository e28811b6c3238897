//! PDF.
//!
//! A PDF says where letters stand, not what they are: the pages' letters are read (`content`, `fonts`, `streams`)
//! and put down at their places (`page`); what repeats on the pages is found (`furniture`); then each page is cut
//! into columns (`columns`), their lines (`rows`) are made tables, headings, lists and paragraphs (`tables`,
//! `blocks`), and those are written down (`markdown`).

mod blocks;
mod columns;
mod content;
mod fonts;
mod furniture;
mod letters;
mod markdown;
mod page;
mod rows;
mod streams;
mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use domain::documents::ReadError;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use self::blocks::{Block, Sizes};
use self::furniture::Furniture;
use self::markdown::Words;
use self::page::{Piece, Rule, Sheet, Side};
use crate::text::{self, Text};

/// A document with more pages is refused.
const PAGES_MAX: usize = 5_000;

const BROKEN: &str = "The PDF is damaged or was cut off, and nothing in it can be read. Open it in a PDF viewer, \
    save or print it as a new PDF and upload that.";
const PASSWORD: &str =
    "The PDF is protected with a password. Save a copy of it without the password and upload that.";
const ENCRYPTION: &str =
    "The PDF is encrypted in a way that can't be read. Print it as a new PDF and upload that.";
const EMPTY: &str = "The PDF holds no text: its pages are empty. Upload a file with text in it.";
const PICTURES: &str = "The PDF holds no text, only pictures of pages; run text recognition (OCR) over it and upload \
    the PDF with text that it makes.";
const UNNAMED: &str = "The PDF's fonts don't say which letters its characters are, so that its text can't be read; \
    run text recognition (OCR) over it and upload the PDF that it makes.";
const MANY: &str = "The PDF has more than 5,000 pages. Split it and upload the parts.";
const TOO_MUCH: &str = "The PDF unpacks to more than can be read. Print it as a new PDF, or save its text alone, and \
    upload that.";

/// The words of a file of this kind.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(bytes: &[u8]) -> Result<Text, ReadError> {
    // What is broken in a way that nobody has thought of is broken.
    catch_unwind(AssertUnwindSafe(|| text_of(bytes))).unwrap_or_else(|_| Err(unreadable(BROKEN)))
}

fn unreadable(why: &str) -> ReadError {
    ReadError::Unreadable(why.into())
}

fn text_of(bytes: &[u8]) -> Result<Text, ReadError> {
    if !streams::objects_fit(bytes) {
        return Err(unreadable(TOO_MUCH));
    }
    let pdf = Pdf::new(Arc::new(bytes.to_vec())).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => unreadable(PASSWORD),
        LoadPdfError::Decryption(_) => unreadable(ENCRYPTION),
        LoadPdfError::Invalid => unreadable(BROKEN),
    })?;
    let mut draft = Draft::default();
    draft.read(&pdf)?;
    if draft.letters == 0 {
        return Err(unreadable(match () {
            () if draft.unknown > 0 => UNNAMED,
            () if draft.pages.is_empty() || draft.broken > 0 => BROKEN,
            () if holds_picture(bytes) => PICTURES,
            () => EMPTY,
        }));
    }
    Ok(draft.finish())
}

/// Whether there are pictures in a file. What is in packed objects isn't seen: pictures are too large for those.
fn holds_picture(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"/Image")
}

/// A document while it is read.
#[derive(Default)]
struct Draft {
    pages: Vec<Written>,
    furniture: Furniture,
    sizes: Sizes,
    words: Words,
    letters: usize,
    unknown: usize,
    broken: usize,
}

/// What is written on a page.
#[derive(Default)]
struct Written {
    pieces: Vec<Piece>,
    rules: Vec<Rule>,
    /// What is written from the bottom to the top, upside down, or from the top to the bottom.
    turned: Vec<Vec<Piece>>,
    height: f32,
}

impl Draft {
    fn read(&mut self, pdf: &Pdf) -> Result<(), ReadError> {
        let pages = pdf.pages();
        if pages.len() > PAGES_MAX {
            return Err(unreadable(MANY));
        }
        let mut reader = content::Reader::new();
        for page in pages.iter() {
            let mut sheet = Sheet::new(page.render_dimensions());
            // A page that is broken is left out, from where it is broken.
            let read = catch_unwind(AssertUnwindSafe(|| reader.read(page, &mut sheet)));
            if read.is_err() {
                self.broken += 1;
                reader = content::Reader::new();
            }
            self.add(sheet, page.render_dimensions().1);
            if reader.is_spent() {
                return Err(unreadable(TOO_MUCH));
            }
            if self.letters > text::MAX {
                return Err(text::too_long());
            }
        }
        Ok(())
    }

    fn add(&mut self, sheet: Sheet, height: f32) {
        self.unknown += sheet.unknown;
        let [level, turned @ ..] = sheet.finish();
        let Side { pieces, rules, .. } = level;
        let turned = turned
            .into_iter()
            .map(|side| side.pieces)
            .filter(|side| !side.is_empty());
        let page = Written {
            turned: turned.collect(),
            pieces,
            rules,
            height,
        };
        for piece in page.pieces.iter().chain(page.turned.iter().flatten()) {
            let letters = piece.letters();
            self.letters += letters;
            self.sizes.see(piece.size, letters, piece.is_bold);
            self.words.see(&piece.text);
        }
        self.furniture.see(&page.pieces, height);
        self.pages.push(page);
    }

    fn finish(mut self) -> Text {
        self.sizes.settle();
        let mut pages = Vec::new();
        for (number, page) in std::mem::take(&mut self.pages).into_iter().enumerate() {
            let blocks = self.blocks(page, number);
            self.sizes.note(&blocks);
            pages.push(blocks);
        }
        let mut text = Text::default();
        for blocks in pages {
            text.pages.push(text.text.len());
            markdown::write_all(&mut text.text, &blocks, &self.sizes, &self.words);
        }
        text
    }

    fn blocks(&self, mut page: Written, number: usize) -> Vec<Block> {
        self.furniture
            .clear(number, page.height, &mut page.pieces, &self.sizes);
        tables::fold(&mut page.pieces, &page.rules);
        let mut blocks = Vec::new();
        for region in columns::regions(page.pieces) {
            blocks.extend(blocks::blocks(&rows::rows(region), &self.sizes));
        }
        for side in page.turned {
            // What stands beside the text is no heading of it.
            let rows = rows::rows(side).into_iter();
            blocks.push(Block::Text {
                lines: rows.map(|row| row.text()).collect(),
                is_item: false,
            });
        }
        blocks
    }
}
