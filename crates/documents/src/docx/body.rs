//! The document's text, in its order (ECMA-376, part 1, 17.2 to 17.4).

use std::collections::HashMap;

use domain::documents::ReadError;
use quick_xml::events::BytesStart;

use super::package::{Token, Xml, attribute, value};
use super::styles::{self, Styles};
use crate::blocks::{Blocks, Style};
use crate::fields::Fields;
use crate::numbering::Numbering;
use crate::symbols::symbol;
use crate::text;

/// Elements whose words are not the document's: what was deleted, codes of fields, what stands in for newer
/// elements, former properties, phonetic guides.
const SKIPPED: [&str; 14] = [
    "del",
    "moveFrom",
    "delText",
    "instrText",
    "delInstrText",
    "Fallback",
    "pPrChange",
    "rPrChange",
    "tcPrChange",
    "sdtPr",
    "sectPr",
    "ctrlPr",
    "rt",
    "tblPr",
];

/// Footnotes and endnotes that have not been placed yet, by the word for their kind and their id.
#[derive(Debug, Default)]
pub(super) struct Notes(HashMap<(String, String), String>);

impl Notes {
    /// Reads the part of all notes of a kind (ECMA-376, part 1, 17.11).
    pub(super) fn read(
        &mut self,
        xml: &mut Xml<'_, '_>,
        styles: &Styles,
        numbering: &mut Numbering,
    ) -> Result<(), ReadError> {
        while let Some(token) = xml.next()? {
            let Token::Open(element) = token else {
                continue;
            };
            let kind = element.local_name().into_inner().to_owned();
            // Those of other types are lines between the text and its notes.
            let is_note = matches!(kind.as_str(), "footnote" | "endnote")
                && attribute(&element, "type").is_none_or(|kind| kind == "normal");
            if let Some(id) = attribute(&element, "id").filter(|_| is_note) {
                let text = Body::new(styles, numbering, &mut Self::default()).read(xml)?;
                self.0.insert((kind, id), text);
            }
        }
        Ok(())
    }
}

/// The reading of a part that holds paragraphs and tables.
pub(super) struct Body<'d> {
    styles: &'d Styles,
    numbering: &'d mut Numbering,
    notes: &'d mut Notes,
    blocks: Blocks,
    /// Those that are open; paragraphs of text boxes stand within others.
    paragraphs: Vec<Paragraph>,
    fields: Fields,
    /// The notes that were referred to since they could last be placed.
    referred: Vec<String>,
    is_text: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    says: styles::Style,
    is_properties: bool,
    run: Run,
    /// How many bytes of the text are bold.
    bold: usize,
}

/// A stretch of text of one look.
#[derive(Default)]
struct Run {
    is_open: bool,
    is_bold: bool,
    is_hidden: bool,
}

impl<'d> Body<'d> {
    pub(super) fn new(
        styles: &'d Styles,
        numbering: &'d mut Numbering,
        notes: &'d mut Notes,
    ) -> Self {
        Self {
            styles,
            numbering,
            notes,
            blocks: Blocks::default(),
            paragraphs: Vec::new(),
            fields: Fields::default(),
            referred: Vec::new(),
            is_text: false,
        }
    }

    /// Reads to the end of the element that was opened last, or of the part.
    pub(super) fn read(mut self, xml: &mut Xml<'_, '_>) -> Result<String, ReadError> {
        let within = xml.depth();
        while let Some(token) = xml.next()? {
            match token {
                Token::Open(element) => {
                    if !self.open(&element) {
                        xml.skip()?;
                    }
                }
                Token::Close(element) => {
                    self.close(element.local_name().into_inner())?;
                    if xml.depth() < within {
                        break;
                    }
                }
                Token::Text(text) if self.is_text => self.say(&text)?,
                Token::Text(_) | Token::Other => {}
            }
        }
        self.place_notes()?;
        self.blocks.finish()
    }

    /// Whether to read what is in it.
    fn open(&mut self, element: &BytesStart<'_>) -> bool {
        let name = element.local_name().into_inner();
        if SKIPPED.contains(&name) {
            return false;
        }
        match name {
            "p" => self.paragraphs.push(Paragraph::default()),
            "tbl" => self.blocks.open_table(),
            "tc" => self.blocks.open_cell(),
            "gridSpan" => {
                let columns = value(element).and_then(|columns| columns.parse::<usize>().ok());
                self.blocks
                    .widen_cell(columns.unwrap_or(1).saturating_sub(1));
            }
            _ => return self.open_in_paragraph(name, element),
        }
        true
    }

    fn open_in_paragraph(&mut self, name: &str, element: &BytesStart<'_>) -> bool {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return true;
        };
        if paragraph.is_properties {
            // The look of the mark at a paragraph's end is nobody's.
            paragraph.says.take(name, value(element));
            return name != "rPr";
        }
        let is_on =
            || value(element).is_none_or(|on| !matches!(on.as_str(), "0" | "false" | "off"));
        match name {
            "pPr" => paragraph.is_properties = true,
            "r" => {
                paragraph.run = Run {
                    is_open: true,
                    ..Run::default()
                }
            }
            "b" => paragraph.run.is_bold = is_on(),
            "vanish" => paragraph.run.is_hidden = is_on(),
            "t" => self.is_text = true,
            _ if !paragraph.run.is_open => {}
            "tab" | "ptab" => paragraph.text.push('\t'),
            "br" | "cr" => paragraph.text.push('\n'),
            "noBreakHyphen" => paragraph.text.push('-'),
            "sym" => {
                let code =
                    attribute(element, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
                let font = attribute(element, "font").unwrap_or_default();
                paragraph
                    .text
                    .extend(code.and_then(|code| symbol(&font, code)));
            }
            "fldChar" => match attribute(element, "fldCharType").as_deref() {
                Some("begin") => self.fields.begin(),
                Some("separate") => self.fields.separate(),
                Some("end") => self.fields.end(),
                _ => {}
            },
            "footnoteReference" | "endnoteReference" => {
                let id = attribute(element, "id").unwrap_or_default();
                let kind = name.trim_end_matches("Reference").to_owned();
                let note = self.notes.0.remove(&(kind, id));
                self.referred.extend(note);
            }
            _ => {}
        }
        true
    }

    fn close(&mut self, name: &str) -> Result<(), ReadError> {
        match name {
            "p" => self.close_paragraph()?,
            "tr" => self.blocks.close_row()?,
            "tbl" => {
                self.blocks.close_table()?;
                self.place_notes()?;
            }
            "t" => self.is_text = false,
            "pPr" | "r" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.is_properties = false;
                    paragraph.run.is_open = false;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, words: &str) -> Result<(), ReadError> {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return Ok(());
        };
        if self.fields.is_code() || paragraph.run.is_hidden {
            return Ok(());
        }
        if paragraph.text.len() + words.len() > text::MAX {
            return Err(text::too_long());
        }
        let before = paragraph.text.len();
        let words = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        paragraph.text.extend(words);
        if paragraph.run.is_bold {
            paragraph.bold += paragraph.text.len() - before;
        }
        Ok(())
    }

    fn close_paragraph(&mut self) -> Result<(), ReadError> {
        let Some(paragraph) = self.paragraphs.pop() else {
            return Ok(());
        };
        self.fields.end_codes();
        let is_bold = paragraph.bold > 0 && paragraph.bold == paragraph.text.len();
        let style = self.styles.resolve(paragraph.says);
        let list = style.list.filter(|list| list != "0");
        let depth = style.depth.unwrap_or(0);
        // An empty paragraph counts as well.
        let label = list.and_then(|list| self.numbering.next(&list, depth));
        let style = Style::of(style.heading.unwrap_or(0), label, depth, is_bold);
        self.blocks.paragraph(&paragraph.text, &style)?;
        self.place_notes()
    }

    /// Notes stand below the paragraph or the table that refers to them: there they are found together.
    fn place_notes(&mut self) -> Result<(), ReadError> {
        if self.blocks.is_in_table() || !self.paragraphs.is_empty() {
            return Ok(());
        }
        for note in std::mem::take(&mut self.referred) {
            self.blocks.paragraph(&note, &Style::Plain)?;
        }
        Ok(())
    }
}
