//! What lists look like (MS-DOC 2.9.131, 2.9.147 and 2.9.150).

use super::header::{Header, Part};
use super::{u16_at, u32_at};
use crate::numbering::{Format, Numbering};

/// The sizes of a list's record, of a level's, and of a reference to a list.
const LIST: usize = 28;
const LEVEL: usize = 28;
const REFERENCE: usize = 16;

/// As much of the numbering as can be read.
pub(super) fn read(header: &Header<'_>, tables: &[u8]) -> Numbering {
    let mut numbering = Numbering::default();
    let references = header.table(tables, Part::ListReferences);
    for at in 0..references.len() / REFERENCE {
        // Paragraphs count the references from 1.
        if let Some(list) = u32_at(references, 4 + REFERENCE * at) {
            numbering.list(&(at + 1).to_string(), list.to_string());
        }
    }
    // The levels stand behind the table of lists, outside of what the header calls its length.
    let _ = read_levels(header.table_and_rest(tables, Part::Lists), &mut numbering);
    numbering
}

/// `None` where the table ends early.
fn read_levels(table: &[u8], numbering: &mut Numbering) -> Option<()> {
    let count = usize::from(u16_at(table, 0)?);
    let (lists, mut rest) = table.get(2..)?.split_at_checked(LIST * count)?;
    for list in lists.chunks(LIST) {
        let id = u32_at(list, 0)?.to_string();
        let is_simple = list.get(26)? & 1 != 0;
        for depth in 0..if is_simple { 1 } else { 9 } {
            let (level, after) = rest.split_at_checked(LEVEL)?;
            let formats = usize::from(*level.get(24)?) + usize::from(*level.get(25)?);
            let text = after.get(formats..)?;
            let length = usize::from(u16_at(text, 0)?);
            let pattern = (1..=length).map(|at| u16_at(text, 2 * at));
            let pattern: Option<Vec<u16>> = pattern.collect();
            rest = text.get(2 + 2 * length..)?;
            if let Some(place) = numbering.level(&id, depth) {
                place.start = u32_at(level, 0)?;
                place.format = format(*level.get(4)?);
                place.pattern = pattern?.into_iter().map(write).collect();
            }
        }
    }
    Some(())
}

/// A character of a pattern; the first nine stand for the numbers on the levels.
fn write(code: u16) -> String {
    match code {
        0..9 => format!("%{}", code + 1),
        _ => String::from_utf16_lossy(&[code]),
    }
}

/// (MS-OSHARED 2.2.1.3).
fn format(number: u8) -> Format {
    match number {
        1 => Format::Roman { upper: true },
        2 => Format::Roman { upper: false },
        3 => Format::Letters { upper: true },
        4 => Format::Letters { upper: false },
        23 | 255 => Format::Bullet,
        _ => Format::Decimal,
    }
}
