//! A short run of what `fuzz/` does at length: the corpus there, changed by chance, and no reader may panic or take
//! long. The chance is the same every time.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::documents::FileKind;

/// Changed files for each file of the corpus.
const ROUNDS: usize = 120;
/// What no file so small may take, without optimisation and beside other tests.
const SOON: Duration = Duration::from_secs(3);

#[test]
fn no_reader_panics_or_lingers_over_changed_files() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    for &kind in FileKind::ALL {
        let mut files: Vec<PathBuf> = std::fs::read_dir(corpus.join(kind.as_str()))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} has no corpus", kind.as_str());
        let wholes: Vec<Vec<u8>> = files
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect();
        for (file, whole) in files.iter().zip(&wholes) {
            assert!(documents::read(kind, whole.clone()).is_ok(), "{file:?}");
            for round in 0..ROUNDS {
                let other = &wholes[chance.below(wholes.len())];
                let changed = chance.change(whole, other);
                let began = Instant::now();
                let read = catch_unwind(|| documents::read(kind, changed));
                assert!(read.is_ok(), "{file:?}, round {round}");
                let took = began.elapsed();
                assert!(took < SOON, "{file:?}, round {round}: {took:?}");
            }
        }
    }
}

/// An LCG (Knuth, MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// The file with one to four faults: bits flipped, bytes replaced by odd ones, parts cut out, doubled, moved, or
    /// taken from another file.
    fn change(&mut self, whole: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + self.below(64)).min(bytes.len());
            match self.below(7) {
                0 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
                1 => {
                    let odd = [0, 0xFF, 0x7F, 0x80, b'<', b'>', b'(', b'9'][self.below(8)];
                    bytes[at..end].fill(odd);
                }
                2 => drop(bytes.drain(at..end)),
                3 => bytes.truncate(at),
                4 => {
                    let part = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, part);
                }
                5 => {
                    let from = self.below(other.len());
                    let to = (from + self.below(256)).min(other.len());
                    bytes.splice(at..end, other[from..to].iter().copied());
                }
                _ => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, std::iter::repeat_n(part, 50).flatten());
                }
            }
        }
        bytes
    }
}
