//! What paragraphs and letters look like (MS-DOC 2.4.6): pages of 512 bytes, each for a stretch of the file.

use super::{u16_at, u32_at};

const PAGE: usize = 512;

/// The formats of a document's paragraphs, or of its letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formats<'d> {
    main: &'d [u8],
    /// Where stretches begin, and the numbers of their pages.
    index: &'d [u8],
    /// How many bytes a page has for each run of the same format.
    entry: usize,
}

/// Characters of the same format, from and to places in the main stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run<'d> {
    from: u32,
    to: u32,
    /// What makes them differ from the usual.
    pub(super) format: &'d [u8],
}

impl Run<'_> {
    pub(super) fn holds(&self, offset: u32) -> bool {
        (self.from..self.to).contains(&offset)
    }
}

impl<'d> Formats<'d> {
    pub(super) fn of_paragraphs(main: &'d [u8], index: &'d [u8]) -> Self {
        Self {
            main,
            index,
            entry: 13,
        }
    }

    pub(super) fn of_letters(main: &'d [u8], index: &'d [u8]) -> Self {
        Self {
            main,
            index,
            entry: 1,
        }
    }

    /// The run in which a place of the main stream is; one with the usual format where nothing is said of it.
    pub(super) fn at(&self, offset: u32) -> Run<'d> {
        let usual = |to| Run {
            from: offset,
            to,
            format: &[],
        };
        let count = self.index.len().saturating_sub(4) / 8;
        let start = |at: usize| u32_at(self.index, 4 * at).unwrap_or(u32::MAX);
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            if start(middle) <= offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(page) = low.checked_sub(1) else {
            return usual(start(0));
        };
        self.in_page(page, count, offset)
            .unwrap_or_else(|| usual(start(low).max(offset.saturating_add(1))))
    }

    fn in_page(&self, page: usize, count: usize, offset: u32) -> Option<Run<'d>> {
        let number = u32_at(self.index, 4 * (count + 1) + 4 * page)? as usize & 0x3F_FFFF;
        let page = self.main.get(number * PAGE..)?.get(..PAGE)?;
        let runs = usize::from(*page.last()?);
        let nth = (0..runs).find(|nth| {
            let start = |nth| u32_at(page, 4 * nth);
            start(*nth).is_some_and(|start| start <= offset)
                && start(nth + 1).is_some_and(|end| offset < end)
        })?;
        let place = *page.get(4 * (runs + 1) + self.entry * nth)?;
        let format = if place == 0 {
            &[]
        } else {
            self.format(page.get(2 * usize::from(place)..)?)?
        };
        Some(Run {
            from: u32_at(page, 4 * nth)?,
            to: u32_at(page, 4 * nth + 4)?,
            format,
        })
    }

    /// After its length: in bytes for letters, in pairs of bytes for paragraphs.
    fn format(&self, at: &'d [u8]) -> Option<&'d [u8]> {
        let (&length, rest) = at.split_first()?;
        let length = usize::from(length);
        let (length, rest) = match (self.entry, length) {
            (1, _) => (length, rest),
            (_, 0) => {
                let (&length, rest) = rest.split_first()?;
                (2 * usize::from(length), rest)
            }
            _ => (2 * length - 1, rest),
        };
        Some(rest.get(..length).unwrap_or(rest))
    }
}

/// A property of a format: what it is, and its value (MS-DOC 2.6).
pub(super) fn properties(mut format: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// The one whose length is written in two bytes.
    const TABLE: u16 = 0xD608;
    std::iter::from_fn(move || {
        let property = u16_at(format, 0)?;
        let rest = format.get(2..)?;
        let (start, end) = match property >> 13 {
            0 | 1 => (0, 1),
            2 | 4 | 5 => (0, 2),
            3 => (0, 4),
            7 => (0, 3),
            _ if property == TABLE => (2, usize::from(u16_at(rest, 0)?) + 1),
            _ => (1, usize::from(*rest.first()?) + 1),
        };
        let value = rest.get(start..end)?;
        format = rest.get(end..)?;
        Some((property, value))
    })
}
