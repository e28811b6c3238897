//! An inverted index: which terms stand where in the chunks of some sources. Never changed once built; two are
//! merged into a third one.

use std::ops::Range;

use domain::ChunkId;
use domain::embeddings::{PassageHash, passage};
use domain::knowledge::Chunk;

use crate::codes::{self, Reader, narrow};
use crate::doubles::Sketch;
use crate::layout::{self, Role};
use crate::neighbours::goes_on;
use crate::postings::{List, Writer};
use crate::query::QueryTerm;
use crate::words::{Analyzer, Token};

/// How many terms a bucket has on average.
const BUCKET: usize = 4;

/// The inverted index of the chunks of one source or several.
///
/// The words of a chunk, stop words aside, are counted through: first those of its heading, then those of its
/// content.
pub(crate) struct Segment {
    /// Every term once, ascending.
    terms: Box<[u64]>,
    /// Where the terms of each bucket begin, and at the end their number. Terms are hashes and so evenly spread:
    /// their high bits say the bucket.
    buckets: Box<[u32]>,
    /// Where the list of each term begins in `lists`, and at the end their length.
    starts: Box<[u32]>,
    lists: Box<[u8]>,
    chunks: Box<[ChunkEntry]>,
    /// The pieces of all chunks, as [`put_pieces`] writes them.
    pieces: Box<[u8]>,
}

#[derive(Clone, Copy)]
struct ChunkEntry {
    id: ChunkId,
    passage: PassageHash,
    sketch: Sketch,
    goes_on: bool,
    words: u32,
    /// How many of the words are its heading's.
    heading: u32,
    /// Where its pieces begin.
    pieces: u32,
}

/// A piece of a chunk that can be quoted, or that leads others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PieceEntry {
    /// Its first word.
    pub(crate) place: u32,
    start: u32,
    end: u32,
    lead: Option<u32>,
    pub(crate) role: Role,
}

impl PieceEntry {
    /// Its bytes in the chunk's content.
    pub(crate) const fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The piece that leads it, by its place among the chunk's pieces.
    pub(crate) fn lead(&self) -> Option<usize> {
        self.lead.map(|lead| lead as usize)
    }
}

impl Segment {
    /// Indexes chunks.
    pub(crate) fn build(analyzer: &Analyzer, chunks: &[Chunk]) -> Self {
        let mut postings: Vec<(u64, u32, u32)> = Vec::new();
        let mut entries = Vec::with_capacity(chunks.len());
        let mut coded = Vec::new();
        for (at, chunk) in (0..).zip(chunks) {
            let content = &chunk.draft.content;
            let next = chunks.get(at as usize + 1);
            let first = postings.len();
            let mut words = 0;
            let mut add = |text: &str| {
                analyzer.terms(text, |token| match token {
                    Token::Word(term) => {
                        postings.push((term, at, words));
                        words += 1;
                    }
                    Token::Whole { term, .. } => postings.push((term, at, words.saturating_sub(1))),
                    Token::StopWord(_) => {}
                });
                words
            };
            let heading = chunk.draft.heading.as_deref().map_or(0, &mut add);
            let mut place = heading;
            let pieces = layout::pieces(content).into_iter().map(|piece| PieceEntry {
                place: std::mem::replace(&mut place, add(&content[piece.start..piece.end])),
                start: narrow(piece.start),
                end: narrow(piece.end),
                lead: piece.lead.map(narrow),
                role: piece.role,
            });
            let pieces: Vec<PieceEntry> = pieces.collect();
            entries.push(ChunkEntry {
                id: chunk.id,
                passage: PassageHash::of(&passage(&chunk.draft)),
                sketch: Sketch::of(postings[first..].iter().map(|(term, ..)| *term), content),
                goes_on: next.is_some_and(|next| {
                    next.source_id == chunk.source_id && goes_on(&chunk.draft, &next.draft)
                }),
                words,
                heading,
                pieces: narrow(coded.len()),
            });
            put_pieces(&mut coded, &pieces);
        }
        postings.sort_unstable();
        let mut dictionary = Dictionary::default();
        let mut places = Vec::new();
        for of_term in postings.chunk_by(|a, b| a.0 == b.0) {
            for of_chunk in of_term.chunk_by(|a, b| a.1 == b.1) {
                places.clear();
                places.extend(of_chunk.iter().map(|(_, _, place)| *place));
                dictionary.writer.add(of_chunk[0].1, &places);
            }
            dictionary.finish(of_term[0].0);
        }
        dictionary.segment(entries, coded)
    }

    /// The chunks of several segments in one, in their order; of each segment those of some ranges, ascending.
    pub(crate) fn merge(parts: &[(&Self, &[Range<usize>])]) -> Self {
        const DROPPED: u32 = u32::MAX;
        let mut entries: Vec<ChunkEntry> = Vec::new();
        let mut coded = Vec::new();
        let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(parts.len());
        for (part, ranges) in parts {
            let mut renumbered = vec![DROPPED; part.len()];
            for chunk in ranges.iter().cloned().flatten() {
                renumbered[chunk] = narrow(entries.len());
                entries.push(ChunkEntry {
                    pieces: narrow(coded.len()),
                    ..part.chunks[chunk]
                });
                coded.extend_from_slice(part.coded_pieces(chunk));
            }
            numbers.push(renumbered);
        }
        let of = |(at, (part, _)): (usize, &(&Self, _))| {
            let terms = part.terms.iter().enumerate();
            terms.map(move |(nth, term)| (*term, at, nth)).collect()
        };
        let all: Vec<Vec<_>> = parts.iter().enumerate().map(of).collect();
        let mut all = all.concat();
        all.sort_unstable();
        let mut dictionary = Dictionary::default();
        for of_term in all.chunk_by(|a, b| a.0 == b.0) {
            for (_, at, nth) in of_term {
                for posting in parts[*at].0.list(*nth).postings() {
                    let chunk = numbers[*at][posting.chunk as usize];
                    if chunk != DROPPED {
                        dictionary.writer.copy(chunk, &posting);
                    }
                }
            }
            dictionary.finish(of_term[0].0);
        }
        dictionary.segment(entries, coded)
    }

    /// How many chunks it has.
    pub(crate) const fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.terms)
            + size_of_val(&*self.buckets)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.lists)
            + size_of_val(&*self.chunks)
            + size_of_val(&*self.pieces)
    }

    /// The id of a chunk.
    pub(crate) fn id(&self, chunk: usize) -> ChunkId {
        self.chunks[chunk].id
    }

    /// The hash of what of a chunk is embedded.
    pub(crate) fn passage(&self, chunk: usize) -> PassageHash {
        self.chunks[chunk].passage
    }

    /// What tells whether another chunk says the same under the same heading.
    pub(crate) fn sketch(&self, chunk: usize) -> Sketch {
        self.chunks[chunk].sketch
    }

    /// Whether what a chunk says goes on in the next one.
    pub(crate) fn goes_on(&self, chunk: usize) -> bool {
        self.chunks[chunk].goes_on
    }

    /// How many words a chunk and its heading have, stop words aside.
    pub(crate) fn words(&self, chunk: usize) -> u32 {
        self.chunks[chunk].words
    }

    /// How many words the heading of a chunk has, stop words aside: they are its first ones.
    pub(crate) fn heading(&self, chunk: usize) -> u32 {
        self.chunks[chunk].heading
    }

    /// The pieces of a chunk.
    pub(crate) fn pieces(&self, chunk: usize) -> Vec<PieceEntry> {
        read_pieces(self.coded_pieces(chunk), self.heading(chunk))
    }

    /// Where a term stands.
    pub(crate) fn postings(&self, term: u64) -> List<'_> {
        let bucket = bucket_of(term, self.buckets.len() - 1);
        let (from, to) = (
            self.buckets[bucket] as usize,
            self.buckets[bucket + 1] as usize,
        );
        let found = self.terms[from..to].iter().position(|t| *t == term);
        found.map_or_else(List::default, |at| self.list(from + at))
    }

    /// Where each term of a question stands.
    pub(crate) fn lists(&self, terms: &[QueryTerm]) -> Vec<List<'_>> {
        terms.iter().map(|term| self.postings(term.term)).collect()
    }

    fn list(&self, nth: usize) -> List<'_> {
        List::new(&self.lists[self.starts[nth] as usize..self.starts[nth + 1] as usize])
    }

    fn coded_pieces(&self, chunk: usize) -> &[u8] {
        let next = self.chunks.get(chunk + 1);
        let end = next.map_or(self.pieces.len(), |next| next.pieces as usize);
        &self.pieces[self.chunks[chunk].pieces as usize..end]
    }
}

/// Terms with their lists, on their way into a segment.
#[derive(Default)]
struct Dictionary {
    terms: Vec<u64>,
    starts: Vec<u32>,
    lists: Vec<u8>,
    /// The list of the next term.
    writer: Writer,
}

impl Dictionary {
    fn finish(&mut self, term: u64) {
        let start = narrow(self.lists.len());
        if self.writer.finish(&mut self.lists) {
            self.terms.push(term);
            self.starts.push(start);
        }
    }

    fn segment(mut self, chunks: Vec<ChunkEntry>, pieces: Vec<u8>) -> Segment {
        self.starts.push(narrow(self.lists.len()));
        Segment {
            buckets: buckets(&self.terms),
            terms: self.terms.into(),
            starts: self.starts.into(),
            lists: self.lists.into(),
            chunks: chunks.into(),
            pieces: pieces.into(),
        }
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

/// Writes the pieces of a chunk, each by its distance to the piece before. Few are led by one far above.
fn put_pieces(out: &mut Vec<u8>, pieces: &[PieceEntry]) {
    let (mut place, mut end) = (pieces.first().map_or(0, |first| first.place), 0);
    for (at, piece) in (0..).zip(pieces) {
        let role = Role::ALL.iter().position(|role| *role == piece.role);
        let lead = piece.lead.map_or(0, |lead| at - lead);
        let kind = lead * narrow(Role::ALL.len()) + role.map_or(0, narrow);
        for number in [
            kind,
            piece.place - place,
            piece.start - end,
            piece.end - piece.start,
        ] {
            codes::put(out, number);
        }
        (place, end) = (piece.place, piece.end);
    }
}

/// Reads what [`put_pieces`] wrote; `place` is that of the first piece.
fn read_pieces(coded: &[u8], mut place: u32) -> Vec<PieceEntry> {
    let mut reader = Reader(coded);
    let mut pieces = Vec::new();
    let (mut at, mut end) = (0_u32, 0);
    while !reader.0.is_empty() {
        let kind = reader.number();
        let roles = narrow(Role::ALL.len());
        place += reader.number();
        let start = end + reader.number();
        end = start + reader.number();
        pieces.push(PieceEntry {
            place,
            start,
            end,
            lead: Some(kind / roles)
                .filter(|lead| *lead > 0)
                .map(|up| at - up),
            role: Role::ALL[(kind % roles) as usize],
        });
        at += 1;
    }
    pieces
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
