//! Turning bytes into text, and text into chunks.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::knowledge::ChunkDraft;
use crate::named::named;

named! {
    /// The kinds of file that can be read.
    FileKind {
        /// Plain text.
        Txt = "txt",
        /// Markdown.
        Md = "md",
        /// Comma-separated values.
        Csv = "csv",
        /// A web page.
        Html = "html",
        /// The Portable Document Format.
        Pdf = "pdf",
        /// Word's format up to 2003.
        Doc = "doc",
        /// Word's format since 2007 (Office Open XML).
        Docx = "docx",
    }
}

impl FileKind {
    /// The kind that a file's name promises, by its ending in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Txt),
            "md" | "markdown" => Some(Self::Md),
            "csv" => Some(Self::Csv),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            "doc" => Some(Self::Doc),
            "docx" => Some(Self::Docx),
            _ => None,
        }
    }
}

/// A document as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The whole text, word for word.
    pub text: String,
    /// The pieces, in order. Together they hold every word of the text.
    pub chunks: Vec<ChunkDraft>,
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReadError {
    /// Its owner can mend it: the sentence says how.
    #[error("{0}")]
    Unreadable(String),
    /// A fault of ours; try again.
    #[error("the reader failed: {0}")]
    Failed(String),
}

/// Reads documents. Whatever the bytes are, the process stays up.
#[async_trait]
pub trait DocumentReader: Send + Sync {
    /// Reads a file and cuts it into chunks that follow headings, rows and sentences. `kind` is what its name
    /// promises; what it holds decides.
    ///
    /// # Errors
    /// [`ReadError`]; a file without a word is `Unreadable`.
    async fn read(&self, kind: FileKind, bytes: Vec<u8>) -> Result<Document, ReadError>;

    /// Cuts text that is read already: plain or CSV, and Markdown for all other kinds.
    async fn cut(&self, kind: FileKind, text: String) -> Document;
}
