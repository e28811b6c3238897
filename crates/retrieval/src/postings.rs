//! Where one term stands: in which chunks, how often, and at which words.
//!
//! A list is the number of its chunks; where it has more than a block of them, for each further block the chunk
//! before it and where it begins; and then chunk by chunk the distance to the chunk before, how often, and the
//! words, each by its distance to the word before.

use crate::codes::{self, Reader, narrow};

/// So many chunks are read one after the other to find one of them.
const BLOCK: u32 = 64;
/// Two numbers of four bytes for every block but the first.
const SKIP: usize = 8;

/// The list of a term.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct List<'a> {
    len: u32,
    skips: &'a [u8],
    body: &'a [u8],
}

/// A chunk that has the term.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posting<'a> {
    pub(crate) chunk: u32,
    pub(crate) frequency: u32,
    places: &'a [u8],
}

impl<'a> List<'a> {
    /// Reads what [`Writer::finish`] wrote.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Reader(bytes);
        let len = reader.number();
        let blocks = len.saturating_sub(1) / BLOCK;
        let (skips, body) = reader.0.split_at(blocks as usize * SKIP);
        Self { len, skips, body }
    }

    /// In how many chunks the term stands.
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// The chunks that have the term, in order.
    pub(crate) const fn postings(&self) -> Postings<'a> {
        Postings {
            reader: Reader(self.body),
            left: self.len,
            chunk: 0,
        }
    }

    /// As [`List::postings`], without those before a chunk.
    pub(crate) fn from(&self, chunk: u32) -> impl Iterator<Item = Posting<'a>> {
        let mut finder = self.finder();
        finder.advance(chunk);
        finder.next.into_iter().chain(finder.rest)
    }

    /// Finds chunk after chunk.
    pub(crate) fn finder(&self) -> Finder<'a> {
        let mut rest = self.postings();
        Finder {
            list: *self,
            next: rest.next(),
            rest,
        }
    }

    /// From where on a block's chunks are.
    fn block(&self, block: usize) -> Postings<'a> {
        let Some((before, begin)) = block.checked_sub(1).map(|at| self.skip(at)) else {
            return self.postings();
        };
        Postings {
            reader: Reader(self.body.get(begin..).unwrap_or_default()),
            left: self.len - narrow(block) * BLOCK,
            chunk: before,
        }
    }

    /// How many blocks but the last end before a chunk.
    fn blocks_before(&self, chunk: u32) -> usize {
        let (mut from, mut to) = (0, self.skips.len() / SKIP);
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.skip(middle).0 < chunk {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    fn skip(&self, at: usize) -> (u32, usize) {
        let number = |at: usize| {
            let bytes = self.skips.get(at..).and_then(|b| b.first_chunk());
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        (number(at * SKIP), number(at * SKIP + SKIP / 2) as usize)
    }
}

impl<'a> Posting<'a> {
    /// The words of the chunk that are the term: the first word of its heading is 0.
    pub(crate) fn places(&self) -> impl Iterator<Item = u32> + use<'a> {
        let mut reader = Reader(self.places);
        let mut place = 0;
        (0..self.frequency).map(move |_| {
            place += reader.number();
            place
        })
    }
}

/// Finds what of a term is in some chunks, which are asked for in their order: what lies between them is passed over
/// once at most.
pub(crate) struct Finder<'a> {
    list: List<'a>,
    next: Option<Posting<'a>>,
    rest: Postings<'a>,
}

impl<'a> Finder<'a> {
    /// What of the term is in a chunk, which is none before the last one asked for.
    pub(crate) fn of(&mut self, chunk: u32) -> Option<Posting<'a>> {
        self.advance(chunk);
        self.next.filter(|posting| posting.chunk == chunk)
    }

    fn advance(&mut self, chunk: u32) {
        if self.next.is_none_or(|posting| posting.chunk >= chunk) {
            return;
        }
        let block = self.list.blocks_before(chunk);
        if block > ((self.list.len - self.rest.left) / BLOCK) as usize {
            self.rest = self.list.block(block);
        }
        self.next = self.rest.find(|posting| posting.chunk >= chunk);
    }
}

/// The chunks of a list.
pub(crate) struct Postings<'a> {
    reader: Reader<'a>,
    left: u32,
    chunk: u32,
}

impl<'a> Iterator for Postings<'a> {
    type Item = Posting<'a>;

    #[inline]
    fn next(&mut self) -> Option<Posting<'a>> {
        self.left = self.left.checked_sub(1)?;
        let step = self.reader.number();
        self.chunk += step >> 1;
        let frequency = if step & 1 == 0 {
            1
        } else {
            self.reader.number()
        };
        Some(Posting {
            chunk: self.chunk,
            frequency,
            places: self.reader.pass(frequency),
        })
    }
}

/// Writes a list.
#[derive(Default)]
pub(crate) struct Writer {
    len: u32,
    chunk: u32,
    skips: Vec<u8>,
    body: Vec<u8>,
}

impl Writer {
    /// Adds a chunk behind those before it, and the words of it that are the term, in order.
    pub(crate) fn add(&mut self, chunk: u32, places: &[u32]) {
        self.begin(chunk, narrow(places.len()));
        let mut before = 0;
        for place in places {
            codes::put(&mut self.body, place - before);
            before = *place;
        }
    }

    /// As [`Writer::add`], from another list.
    pub(crate) fn copy(&mut self, chunk: u32, posting: &Posting<'_>) {
        self.begin(chunk, posting.frequency);
        self.body.extend_from_slice(posting.places);
    }

    fn begin(&mut self, chunk: u32, frequency: u32) {
        if self.len > 0 && self.len.is_multiple_of(BLOCK) {
            self.skips.extend(self.chunk.to_le_bytes());
            self.skips.extend(narrow(self.body.len()).to_le_bytes());
        }
        let step = (chunk - self.chunk) << 1;
        if frequency == 1 {
            codes::put(&mut self.body, step);
        } else {
            codes::put(&mut self.body, step | 1);
            codes::put(&mut self.body, frequency);
        }
        self.chunk = chunk;
        self.len += 1;
    }

    /// Appends the list, and begins the next one. `false`: there is nothing in it, and nothing was appended.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.len == 0 {
            return false;
        }
        codes::put(out, self.len);
        out.append(&mut self.skips);
        out.append(&mut self.body);
        (self.len, self.chunk) = (0, 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_list_is_read_as_it_was_written(
            steps in proptest::collection::vec((1_u32..400, proptest::collection::vec(0_u32..300, 1..4)), 0..400),
        ) {
            let mut chunk = 0;
            let mut written = Vec::new();
            for (step, mut places) in steps {
                chunk += step;
                places.sort_unstable();
                written.push((chunk, places));
            }
            let mut writer = Writer::default();
            for (chunk, places) in &written {
                writer.add(*chunk, places);
            }
            let mut out = Vec::new();
            proptest::prop_assert_eq!(writer.finish(&mut out), !written.is_empty());
            let list = if out.is_empty() { List::default() } else { List::new(&out) };
            let read = |posting: Posting<'_>| (posting.chunk, posting.places().collect::<Vec<_>>());
            proptest::prop_assert_eq!(list.len(), written.len());
            proptest::prop_assert_eq!(list.postings().map(read).collect::<Vec<_>>(), written.clone());
            let mut all = list.finder();
            let mut some = list.finder();
            for (at, (chunk, places)) in written.iter().enumerate() {
                let expected = Some((*chunk, places.clone()));
                proptest::prop_assert_eq!(all.of(*chunk).map(read), expected.clone());
                if at % 90 == 0 {
                    proptest::prop_assert_eq!(some.of(*chunk).map(read), expected);
                }
                proptest::prop_assert_eq!(list.from(chunk + 1).next().map(|p| p.chunk), written.get(at + 1).map(|w| w.0));
            }
        }
    }
}
