//! The inverted index of one source: which terms stand where in its chunks. Never changed once built.

use domain::ChunkId;
use domain::knowledge::Chunk;

use crate::layout::{self, Role};
use crate::words::{Analyzer, Token};

/// One in how many places remembers the chunk it stands in.
const HINT_EVERY: u32 = 32;
/// How many terms a bucket has on average.
const BUCKET: usize = 4;

/// The inverted index of one source.
///
/// All words of the source, stop words aside, stand in one row of places: of each chunk first the words of its
/// heading, then those of its content. A term is found at places, and a place tells chunk, field and piece.
pub(crate) struct Segment {
    /// Every term once, ascending.
    terms: Box<[u64]>,
    /// Where the terms of each bucket begin, and at the end their number. Terms are hashes and so evenly spread:
    /// their high bits say the bucket.
    buckets: Box<[u32]>,
    /// Where the places of each term begin in `places`, and at the end their number.
    starts: Box<[u32]>,
    places: Box<[u32]>,
    chunks: Box<[ChunkEntry]>,
    pieces: Box<[PieceEntry]>,
    /// The chunk of every [`HINT_EVERY`]th place.
    hints: Box<[u32]>,
    end: u32,
}

struct ChunkEntry {
    id: ChunkId,
    heading: u32,
    content: u32,
    pieces: u32,
    fingerprint: u64,
}

/// A piece of a chunk that can be quoted, or that leads others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceEntry {
    /// Its first place.
    place: u32,
    start: u32,
    end: u32,
    /// Among the pieces of its chunk; `u32::MAX`: none.
    lead: u32,
    pub(crate) role: Role,
}

impl PieceEntry {
    /// Its bytes in the chunk's content.
    pub(crate) const fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The piece that leads it, by its place among the chunk's pieces.
    pub(crate) const fn lead(&self) -> Option<usize> {
        if self.lead == u32::MAX {
            None
        } else {
            Some(self.lead as usize)
        }
    }
}

/// How often a term stands in a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) chunk: u32,
    pub(crate) in_heading: u32,
    pub(crate) in_content: u32,
}

/// Where a term stands in a chunk.
pub(crate) enum Place {
    Heading,
    /// In a piece, by its place among the chunk's pieces; and which word of the source it is.
    Content {
        piece: usize,
        word: u32,
    },
}

impl Segment {
    /// Indexes the chunks of a source.
    pub(crate) fn build(analyzer: &Analyzer, chunks: &[Chunk]) -> Self {
        let mut builder = Builder {
            analyzer,
            postings: Vec::new(),
            next: 0,
        };
        let mut entries = Vec::with_capacity(chunks.len());
        let mut pieces = Vec::new();
        for chunk in chunks {
            let content = &chunk.draft.content;
            let first = builder.postings.len();
            let heading = builder.next;
            if let Some(path) = &chunk.draft.heading {
                builder.add(path);
            }
            let body = builder.next;
            let first_piece = narrow(pieces.len());
            for piece in layout::pieces(content) {
                pieces.push(PieceEntry {
                    place: builder.next,
                    start: narrow(piece.start),
                    end: narrow(piece.end),
                    lead: piece.lead.map_or(u32::MAX, narrow),
                    role: piece.role,
                });
                builder.add(&content[piece.start..piece.end]);
            }
            let words = builder.postings.get(first..).unwrap_or_default();
            entries.push(ChunkEntry {
                id: chunk.id,
                heading,
                content: body,
                pieces: first_piece,
                fingerprint: fingerprint(words),
            });
        }
        let mut hints = Vec::new();
        for ordinal in 0..entries.len() {
            let end = entries.get(ordinal + 1).map_or(builder.next, |e| e.heading);
            while narrow(hints.len()) * HINT_EVERY < end {
                hints.push(narrow(ordinal));
            }
        }
        let mut postings = builder.postings;
        postings.sort_unstable();
        let (mut terms, mut starts) = (Vec::new(), Vec::new());
        for (at, (term, _)) in postings.iter().enumerate() {
            if terms.last() != Some(term) {
                terms.push(*term);
                starts.push(narrow(at));
            }
        }
        starts.push(narrow(postings.len()));
        Self {
            buckets: buckets(&terms),
            terms: terms.into(),
            starts: starts.into(),
            places: postings.into_iter().map(|(_, place)| place).collect(),
            chunks: entries.into(),
            pieces: pieces.into(),
            hints: hints.into(),
            end: builder.next,
        }
    }

    /// How many chunks it has.
    pub(crate) const fn len(&self) -> usize {
        self.chunks.len()
    }

    /// How many words its chunks have, stop words aside.
    pub(crate) const fn words(&self) -> u32 {
        self.end
    }

    /// The memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.terms)
            + size_of_val(&*self.buckets)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.places)
            + size_of_val(&*self.chunks)
            + size_of_val(&*self.pieces)
            + size_of_val(&*self.hints)
    }

    /// The id of a chunk.
    pub(crate) fn id(&self, chunk: usize) -> ChunkId {
        self.chunks[chunk].id
    }

    /// Chunks with the same words in the same order, stop words aside, under the same heading have the same.
    pub(crate) fn fingerprint(&self, chunk: usize) -> u64 {
        self.chunks[chunk].fingerprint
    }

    /// How many words a chunk and its heading have, stop words aside.
    pub(crate) fn length(&self, chunk: usize) -> u32 {
        self.first_place(chunk + 1) - self.chunks[chunk].heading
    }

    /// The pieces of a chunk.
    pub(crate) fn pieces(&self, chunk: usize) -> &[PieceEntry] {
        let start = self.chunks[chunk].pieces as usize;
        let end = self
            .chunks
            .get(chunk + 1)
            .map_or(self.pieces.len(), |next| next.pieces as usize);
        &self.pieces[start..end]
    }

    /// Where a term stands.
    pub(crate) fn places(&self, term: u64) -> &[u32] {
        let bucket = bucket_of(term, self.buckets.len() - 1);
        let (from, to) = (
            self.buckets[bucket] as usize,
            self.buckets[bucket + 1] as usize,
        );
        let found = self.terms[from..to].iter().position(|t| *t == term);
        found.map_or(&[], |at| {
            let starts = &self.starts[from + at..];
            &self.places[starts[0] as usize..starts[1] as usize]
        })
    }

    /// Calls `each` with every chunk that some of these places are in, in order.
    pub(crate) fn matches(&self, places: &[u32], mut each: impl FnMut(Match)) {
        let mut rest = places;
        while let Some(&place) = rest.first() {
            let mut chunk = self.hints[(place / HINT_EVERY) as usize] as usize;
            while self.first_place(chunk + 1) <= place {
                chunk += 1;
            }
            let (content, end) = (self.chunks[chunk].content, self.first_place(chunk + 1));
            let in_heading = rest.iter().take_while(|p| **p < content).count();
            let here = in_heading + rest[in_heading..].iter().take_while(|p| **p < end).count();
            each(Match {
                chunk: narrow(chunk),
                in_heading: narrow(in_heading),
                in_content: narrow(here - in_heading),
            });
            rest = &rest[here..];
        }
    }

    /// Those of a term's places that are in a chunk.
    pub(crate) fn places_in(&self, chunk: usize, places: &[u32]) -> impl Iterator<Item = Place> {
        let entry = &self.chunks[chunk];
        let end = self.first_place(chunk + 1);
        let from = places.partition_point(|place| *place < entry.heading);
        let pieces = self.pieces(chunk);
        places[from..]
            .iter()
            .take_while(move |place| **place < end)
            .map(move |place| {
                if *place < entry.content {
                    return Place::Heading;
                }
                let after = pieces.partition_point(|piece| piece.place <= *place);
                Place::Content {
                    piece: after.saturating_sub(1),
                    word: *place,
                }
            })
    }

    fn first_place(&self, chunk: usize) -> u32 {
        self.chunks.get(chunk).map_or(self.end, |c| c.heading)
    }
}

struct Builder<'a> {
    analyzer: &'a Analyzer,
    postings: Vec<(u64, u32)>,
    next: u32,
}

impl Builder<'_> {
    fn add(&mut self, text: &str) {
        self.analyzer.terms(text, |token| match token {
            Token::Word(term) => {
                self.postings.push((term, self.next));
                self.next += 1;
            }
            Token::Whole { term, .. } => self.postings.push((term, self.next.saturating_sub(1))),
            Token::StopWord(_) => {}
        });
    }
}

fn bucket_of(term: u64, buckets: usize) -> usize {
    ((u128::from(term) * buckets as u128) >> 64) as usize
}

fn buckets(terms: &[u64]) -> Box<[u32]> {
    let count = terms.len() / BUCKET + 1;
    let mut begins: Vec<u32> = Vec::with_capacity(count + 1);
    for (at, term) in terms.iter().enumerate() {
        while begins.len() <= bucket_of(*term, count) {
            begins.push(narrow(at));
        }
    }
    begins.resize(count + 1, narrow(terms.len()));
    begins.into()
}

/// The rotation makes the order of words count: "A pays B" is not "B pays A".
fn fingerprint(words: &[(u64, u32)]) -> u64 {
    words.iter().fold(words.len() as u64, |print, (term, _)| {
        (print.rotate_left(5) ^ term).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

/// A source holds at most ten megabytes, so its places and bytes fit.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The distinct terms of a source's name.
pub(crate) fn terms_of(analyzer: &Analyzer, name: &str) -> Box<[u64]> {
    let mut terms = Vec::new();
    analyzer.terms(name, |token| {
        if let Token::Word(term) | Token::Whole { term, .. } = token {
            terms.push(term);
        }
    });
    terms.sort_unstable();
    terms.dedup();
    terms.into()
}
