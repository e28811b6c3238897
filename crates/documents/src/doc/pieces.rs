//! The pieces of the text (MS-DOC 2.8.35 and 2.9.38).

use std::ops::Range;

use encoding_rs::WINDOWS_1252;

use super::{u16_at, u32_at};

/// What stands before the table of pieces, and what begins it.
const PROPERTIES: u8 = 1;
const TABLE: u8 = 2;
/// Marks pieces of one byte a character, at half the offset that is given.
const NARROW: u32 = 1 << 30;

/// All characters of a document, in order.
pub(super) struct Pieces<'d> {
    main: &'d [u8],
    pieces: Vec<Piece>,
    /// Characters of one byte.
    narrow: Vec<u16>,
}

struct Piece {
    characters: Range<u32>,
    /// In bytes of the main stream.
    offset: u32,
    is_narrow: bool,
}

/// A character, or half of one, as UTF-16 has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Its place among the document's characters.
    pub(super) at: u32,
    /// Its place in the main stream, in bytes.
    pub(super) offset: u32,
    pub(super) code: u16,
}

impl<'d> Pieces<'d> {
    /// `None` where there is no table of pieces.
    pub(super) fn read(mut table: &[u8], main: &'d [u8]) -> Option<Self> {
        while *table.first()? == PROPERTIES {
            let length = u16_at(table, 1)?;
            table = table.get(3 + usize::from(length)..)?;
        }
        if *table.first()? != TABLE {
            return None;
        }
        let length = u32_at(table, 1)? as usize;
        let table = table.get(5..)?;
        let table = table.get(..length).unwrap_or(table);
        let count = table.len().checked_sub(4)? / 12;
        let mut pieces = Vec::with_capacity(count);
        for at in 0..count {
            let characters = u32_at(table, 4 * at)?..u32_at(table, 4 * at + 4)?;
            let place = u32_at(table, 4 * (count + 1) + 8 * at + 2)?;
            if characters.is_empty() {
                continue;
            }
            // They must ascend to be found.
            if pieces
                .last()
                .is_some_and(|last: &Piece| last.characters.end > characters.start)
            {
                break;
            }
            let is_narrow = place & NARROW != 0;
            let offset = place & (NARROW - 1);
            pieces.push(Piece {
                characters,
                offset: if is_narrow { offset / 2 } else { offset },
                is_narrow,
            });
        }
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let (narrow, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
        let narrow = narrow.encode_utf16().collect();
        Some(Self {
            main,
            pieces,
            narrow,
        })
    }

    /// The characters of a part of the document that are in the file.
    pub(super) fn units(&self, part: Range<u32>) -> impl Iterator<Item = Unit> {
        let first = self
            .pieces
            .partition_point(|piece| piece.characters.end <= part.start);
        let pieces = self.pieces.get(first..).unwrap_or_default().iter();
        let Range { start, end } = part;
        pieces
            .take_while(move |piece| piece.characters.start < end)
            .flat_map(move |piece| {
                let part = piece.characters.start.max(start)..piece.characters.end.min(end);
                part.map_while(|at| self.unit(piece, at))
            })
    }

    fn unit(&self, piece: &Piece, at: u32) -> Option<Unit> {
        let nth = at - piece.characters.start;
        let offset = if piece.is_narrow {
            nth
        } else {
            nth.checked_mul(2)?
        };
        let offset = piece.offset.checked_add(offset)?;
        let code = if piece.is_narrow {
            let byte = *self.main.get(offset as usize)?;
            *self.narrow.get(usize::from(byte))?
        } else {
            u16_at(self.main, offset as usize)?
        };
        Some(Unit { at, offset, code })
    }

    /// How many characters may be read before what is read is the same again and again: pieces of what was
    /// copied may be shared.
    pub(super) fn most(&self) -> usize {
        self.main.len().saturating_mul(4)
    }
}
