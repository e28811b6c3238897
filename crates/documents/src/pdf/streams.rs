//! Unpacking what is in a PDF, and no more of it than may be.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use hayro_syntax::Filter;
use hayro_syntax::object::Stream;

/// What one stream may unpack to, in bytes. A page of text takes some kilobytes.
const STREAM_MAX: usize = 64 << 20;
/// What all that is read may unpack to, in bytes.
const TOTAL_MAX: usize = 200 << 20;

/// A file has no more streams with objects in them: each holds many.
const OBJECT_STREAMS_MAX: usize = 10_000;

/// How much may still be unpacked.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self { left: TOTAL_MAX }
    }

    /// Whether something was not read because too much was.
    pub(super) const fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// What is in a stream, if it is sound and not too large.
    pub(super) fn unpack<'a>(&mut self, stream: &Stream<'a>) -> Option<Cow<'a, [u8]>> {
        if !self.allows(stream) {
            return None;
        }
        let data = stream.decoded_data().ok()?;
        self.left = self.left.saturating_sub(data.len());
        Some(data).filter(|_| !self.is_spent())
    }

    /// Whether a stream may be unpacked: the library does so without a limit.
    pub(super) fn allows(&mut self, stream: &Stream<'_>) -> bool {
        let raw = stream.raw_data();
        let filters = stream.filters();
        let worst = filters.iter().fold(raw.len(), |size, filter| {
            size.saturating_mul(most_from_a_byte(*filter))
        });
        let fits = worst <= STREAM_MAX
            || filters[..] == [Filter::FlateDecode] && inflates_within(&raw, STREAM_MAX);
        if !fits {
            self.left = 0;
        }
        fits && !self.is_spent()
    }
}

/// The most bytes that a byte can become.
const fn most_from_a_byte(filter: Filter) -> usize {
    match filter {
        Filter::FlateDecode => 1032,
        // A code of at least nine bits stands for a sequence of at most 4,096 bytes.
        Filter::LzwDecode => 3641,
        Filter::RunLengthDecode => 64,
        _ => 1,
    }
}

/// Whether the streams that hold a file's objects unpack to no more than may be. The library unpacks them by
/// itself when it looks for an object.
pub(super) fn objects_fit(file: &[u8]) -> bool {
    let mut left = STREAM_MAX;
    let mut from = 0;
    let mut count = 0;
    while let Some(at) = find(&file[from..], b"stream") {
        let start = from + at;
        let above = &file[start.saturating_sub(600)..start];
        from = start + 6;
        if !holds_objects(above) {
            continue;
        }
        count += 1;
        if count > OBJECT_STREAMS_MAX {
            return false;
        }
        let data = &file[from..];
        let data = data.strip_prefix(b"\r").unwrap_or(data);
        let data = data.strip_prefix(b"\n").unwrap_or(data);
        match inflated(data, left) {
            Some(length) => left -= length,
            None => return false,
        }
    }
    true
}

/// Whether the dictionary above a stream says that objects are in it; names may be written with escapes.
fn holds_objects(above: &[u8]) -> bool {
    let dictionary = above.rsplit(|b| *b == b'\n').take(12);
    let mut lines = dictionary.take_while(|line| !line.ends_with(b"endobj"));
    !above.ends_with(b"end")
        && lines.any(|line| {
            [b"ObjStm".as_slice(), b"XRef", b"#"]
                .iter()
                .any(|mark| find(line, mark).is_some())
        })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn inflates_within(data: &[u8], limit: usize) -> bool {
    inflated(data, limit).is_some()
}

/// How much it inflates to, if no more than so many bytes, however damaged it is.
fn inflated(data: &[u8], limit: usize) -> Option<usize> {
    match length(ZlibDecoder::new(data), limit) {
        (length, true) => (length <= limit).then_some(length),
        // The library tries these as well.
        (length, false) => {
            let bare = self::length(DeflateDecoder::new(data), limit).0;
            let behind_header = self::length(
                DeflateDecoder::new(data.get(2..).unwrap_or_default()),
                limit,
            )
            .0;
            let most = length.max(bare).max(behind_header);
            (most <= limit).then_some(most)
        }
    }
}

/// How many bytes there are to read, up to one more than the limit, and whether that went well.
fn length(mut reader: impl Read, limit: usize) -> (usize, bool) {
    let mut buffer = [0; 16 * 1024];
    let mut length = 0;
    while length <= limit {
        match reader.read(&mut buffer) {
            Ok(0) => return (length, true),
            Ok(read) => length += read,
            Err(_) => return (length, false),
        }
    }
    (length, true)
}
