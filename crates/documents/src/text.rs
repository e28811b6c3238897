//! What a reader makes of a file.

use domain::documents::ReadError;

/// The longest text that a file may hold, in bytes: twice the largest file. Longer ones are packed to harm.
pub(crate) const MAX: usize = 20 * 1024 * 1024;

/// What is said of a file with more text than [`MAX`].
pub(crate) fn too_long() -> ReadError {
    let why =
        "The file holds more text than can be read. Divide it into smaller files and upload those.";
    ReadError::Unreadable(why.into())
}

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
