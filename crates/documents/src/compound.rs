//! Files of Office up to 2003: a small file system in a file (MS-CFB).

use std::io::{Cursor, Read};

use cfb::CompoundFile;

/// A file that holds streams by their names.
pub(crate) struct Compound<'b> {
    file: CompoundFile<Cursor<&'b [u8]>>,
    size: usize,
}

impl<'b> Compound<'b> {
    /// How such a file begins.
    pub(crate) const SIGNATURE: &'static [u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

    /// `None` where its directory can't be read.
    pub(crate) fn open(bytes: &'b [u8]) -> Option<Self> {
        let file = CompoundFile::open(Cursor::new(bytes)).ok()?;
        let size = bytes.len();
        Some(Self { file, size })
    }

    /// Whether there is one of that name outside of all folders.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file.is_stream(name)
    }

    /// A whole stream, or as much of it as the file holds.
    pub(crate) fn stream(&mut self, name: &str) -> Option<Vec<u8>> {
        let stream = self.file.open_stream(name).ok()?;
        let mut bytes = Vec::new();
        // What a file cut off short still holds is read before the error.
        let _ = stream.take(self.size as u64).read_to_end(&mut bytes);
        Some(bytes).filter(|bytes| !bytes.is_empty())
    }
}
