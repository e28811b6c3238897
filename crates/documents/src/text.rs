//! What a reader makes of a file.

/// The text of a file: Markdown, or plain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Where each page begins, in bytes of the text, ascending; empty where there are no pages.
    pub(crate) pages: Vec<usize>,
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self {
            text,
            pages: Vec::new(),
        }
    }
}

impl Text {
    /// The page, from 1, on which a place of the text stands.
    pub(crate) fn page(pages: &[usize], at: usize) -> Option<u32> {
        let begun = pages.partition_point(|start| *start <= at);
        u32::try_from(begun).ok().filter(|page| *page > 0)
    }
}
