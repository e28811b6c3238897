//! What paragraphs are, by their styles (MS-DOC 2.9.271) and by themselves.

use super::formats::properties;
use super::u16_at;

/// Styles stand on others, in chains that may be made to be endless.
const CHAIN_MAX: usize = 20;
/// Numbers of Word's own styles.
const HEADINGS: std::ops::RangeInclusive<u16> = 1..=9;
const TITLE: u16 = 62;
/// The style that stands on no other.
const NONE: u16 = 0x0FFF;

/// What a paragraph is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paragraph {
    /// From 1, or 0 for none.
    pub(super) heading: u8,
    /// The list that it is an item of, from 1, or 0 for none.
    pub(super) list: u16,
    /// How many lists that one is nested in.
    pub(super) depth: u8,
    pub(super) is_in_table: bool,
    /// The mark at a row's end, which is a paragraph to Word.
    pub(super) is_row_end: bool,
}

impl Paragraph {
    /// Takes what a format says. `data` is the stream with formats that are too long for their pages.
    fn take(&mut self, format: &[u8], data: &[u8]) {
        for (property, value) in properties(format) {
            // Values that are longer than a number are of no interest here.
            let value = value.get(..4).unwrap_or(value);
            let number = value
                .iter()
                .rev()
                .fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
            match property {
                0x2416 => self.is_in_table = number != 0,
                0x2417 => self.is_row_end = number != 0,
                0x260A => self.depth = number as u8,
                0x460B => self.list = number as u16,
                0x2640 => self.heading = if number < 9 { number as u8 + 1 } else { 0 },
                0x6645 | 0x6646 => {
                    let at = number as usize;
                    let longer = u16_at(data, at)
                        .and_then(|length| data.get(at + 2..)?.get(..length.into()));
                    // It is no longer one's turn to say the same.
                    self.take(longer.unwrap_or_default(), &[]);
                }
                _ => {}
            }
        }
    }
}

/// The styles of a document by their numbers.
pub(super) struct Styles<'d>(Vec<Style<'d>>);

#[derive(Default)]
struct Style<'d> {
    based_on: u16,
    heading: u8,
    format: &'d [u8],
}

impl<'d> Styles<'d> {
    pub(super) fn read(table: &'d [u8]) -> Self {
        Self(Self::try_read(table).unwrap_or_default())
    }

    fn try_read(table: &'d [u8]) -> Option<Vec<Style<'d>>> {
        let head = usize::from(u16_at(table, 0)?);
        let count = u16_at(table, 2)?;
        let fixed = usize::from(u16_at(table, 4)?);
        let mut rest = table.get(2 + head..)?;
        let mut styles = Vec::new();
        for _ in 0..count {
            let Some(length) = u16_at(rest, 0) else { break };
            let Some(style) = rest.get(2..2 + usize::from(length)) else {
                break;
            };
            styles.push(Style::read(style, fixed).unwrap_or_default());
            rest = rest.get(2 + style.len()..)?;
        }
        Some(styles)
    }

    /// What the paragraph is to which this format belongs: the number of its style, and what differs from that.
    pub(super) fn paragraph(&self, format: &[u8], data: &[u8]) -> Paragraph {
        let mut paragraph = Paragraph::default();
        let Some(style) = u16_at(format, 0) else {
            return paragraph;
        };
        let next = |at: &u16| self.0.get(usize::from(*at)).map(|style| style.based_on);
        let chain: Vec<u16> = std::iter::successors(Some(style), next)
            .take_while(|at| *at != NONE)
            .take(CHAIN_MAX)
            .collect();
        // From what the others stand on to what stands on them.
        for style in chain
            .iter()
            .rev()
            .filter_map(|at| self.0.get(usize::from(*at)))
        {
            paragraph.take(style.format, &[]);
            if style.heading > 0 {
                paragraph.heading = style.heading;
            }
        }
        paragraph.take(format.get(2..).unwrap_or_default(), data);
        paragraph
    }
}

impl<'d> Style<'d> {
    /// `fixed` is the size of what stands before the name.
    fn read(style: &'d [u8], fixed: usize) -> Option<Self> {
        const PARAGRAPHS: u16 = 1;
        let (number, kind) = (u16_at(style, 0)? & 0x0FFF, u16_at(style, 2)?);
        let name = usize::from(u16_at(style, fixed)?);
        // The name and what ends it; formats begin at even places.
        let at = (fixed + 2 + 2 * name + 2).next_multiple_of(2);
        let format = || {
            let length = usize::from(u16_at(style, at)?);
            style.get(at + 2..at + 2 + length)?.get(2..)
        };
        Some(Self {
            based_on: kind >> 4,
            heading: match number {
                TITLE => 1,
                number if HEADINGS.contains(&number) => number as u8,
                _ => 0,
            },
            format: format()
                .filter(|_| kind & 0xF == PARAGRAPHS)
                .unwrap_or_default(),
        })
    }
}
