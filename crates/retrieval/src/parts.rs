//! Which sources share a segment. Few large segments are searched faster, and take less memory, than one for each
//! source; but a source that changes makes its segment be written anew. So segments of a size are merged when there
//! are some of them, up to a limit: how often a chunk is written grows with the logarithm of their number.

use std::ops::Range;
use std::sync::Arc;

use crate::segment::Segment;

/// Of one size there are no more segments than these; the next size is eight times as large.
const OF_A_SIZE: usize = 4;
/// In chunks: what is larger together is not merged. Writing so many takes a tenth of a second.
pub(crate) const FULL: usize = 16 * 1024;

/// A segment and what of it is used.
pub(crate) struct Part {
    pub(crate) segment: Arc<Segment>,
    /// In the order in which they stand.
    pub(crate) sources: Vec<Placed>,
}

/// Where the chunks of a source are in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// Which of the bot's sources.
    pub(crate) source: usize,
    pub(crate) chunks: Range<usize>,
}

impl Part {
    /// How many chunks are used.
    pub(crate) fn len(&self) -> usize {
        self.sources.iter().map(|placed| placed.chunks.len()).sum()
    }

    fn size(&self) -> u32 {
        self.len().max(1).ilog2() / 3
    }

    /// All in one.
    fn merge(parts: &[Self]) -> Self {
        let ranges = parts.iter().map(|part| {
            let ranges = part.sources.iter().map(|placed| placed.chunks.clone());
            ranges.collect::<Vec<_>>()
        });
        let ranges: Vec<_> = ranges.collect();
        let segments = parts.iter().zip(&ranges);
        let segments: Vec<_> = segments.map(|(p, r)| (&*p.segment, &**r)).collect();
        let mut next = 0;
        let sources = parts.iter().flat_map(|part| &part.sources).map(|placed| {
            let first = next;
            next += placed.chunks.len();
            Placed {
                source: placed.source,
                chunks: first..next,
            }
        });
        Self {
            sources: sources.collect(),
            segment: Arc::new(Segment::merge(&segments)),
        }
    }
}

/// Whether [`tidy`] has something to do.
pub(crate) fn are_untidy(parts: &[Part]) -> bool {
    let of_size = |size| parts.iter().filter(|p| p.size() == size).count();
    parts.iter().any(|part| {
        part.len() < part.segment.len() || part.len() < FULL / 2 && of_size(part.size()) > OF_A_SIZE
    })
}

/// Writes anew what has unused chunks, and merges segments where there are too many of a size.
pub(crate) fn tidy(parts: Vec<Part>) -> Vec<Part> {
    let mut parts: Vec<Part> = parts
        .into_iter()
        .filter(|part| part.len() > 0)
        .map(|part| {
            if part.len() < part.segment.len() {
                Part::merge(&[part])
            } else {
                part
            }
        })
        .collect();
    for size in 0..=(FULL / 2).ilog2() / 3 {
        let (mut same, others): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|part| part.size() == size && part.len() < FULL / 2);
        parts = others;
        if same.len() > OF_A_SIZE {
            same = merge_up_to_full(same);
        }
        parts.append(&mut same);
    }
    parts
}

fn merge_up_to_full(parts: Vec<Part>) -> Vec<Part> {
    let mut groups: Vec<(usize, Vec<Part>)> = Vec::new();
    for part in parts {
        match groups.last_mut() {
            Some((len, group)) if *len + part.len() <= FULL => {
                *len += part.len();
                group.push(part);
            }
            _ => groups.push((part.len(), vec![part])),
        }
    }
    let merged = groups.into_iter().flat_map(|(_, group)| match group.len() {
        1 => group,
        _ => vec![Part::merge(&group)],
    });
    merged.collect()
}
