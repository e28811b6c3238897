//! Bytes to text with structure to chunks.
//!
//! What a file is, its content says (`signature`). Each kind's module makes Markdown of it, with the places where
//! its pages begin (`text`); plain text is decoded (`charset`). The blocks of the Markdown are found (`outline`)
//! and packed into chunks (`packing`), cut where they are too long (`cutting`). All of it takes time and memory
//! in proportion to the file, whatever is in it: anybody may upload anything.
//!
//! # Adding a kind of file
//! One module that makes a [`text::Text`] of bytes, and its arms in `signature` and `text_of`.

mod blocks;
mod charset;
mod compound;
mod csv_rows;
mod cutting;
mod doc;
mod docx;
mod fields;
mod html;
pub mod isolated;
mod marks;
mod numbering;
mod outline;
mod packing;
mod pdf;
mod signature;
mod symbols;
mod text;

use std::sync::Arc;

use async_trait::async_trait;
use domain::documents::{Document, DocumentReader, FileKind, ReadError};
use domain::knowledge::ChunkDraft;
use tokio::task::spawn_blocking;

use crate::text::Text;

/// Reads every [`FileKind`] in this process, away from the threads that answer requests. A server reads strangers'
/// files by [`isolated::Isolated`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader;

impl Reader {
    /// A reader. It keeps nothing.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl DocumentReader for Reader {
    async fn read(&self, kind: FileKind, bytes: Vec<u8>) -> Result<Document, ReadError> {
        // What a panic says may quote the document, so it is not passed on.
        spawn_blocking(move || read(kind, bytes))
            .await
            .unwrap_or_else(|_| Err(ReadError::Failed("reading ended early".into())))
    }

    async fn cut(&self, kind: FileKind, text: String) -> Document {
        let text = Arc::new(text);
        let shared = text.clone();
        let chunks = spawn_blocking(move || chunks(kind, &shared, &[]))
            .await
            // Cutting can't be refused: without its structure, the text is still all there.
            .unwrap_or_else(|_| packing::by_size(&text));
        Document {
            text: Arc::unwrap_or_clone(text),
            chunks,
        }
    }
}

/// Reads a file in this thread and cuts it into chunks. `promised` is the kind that its name promises; what it holds
/// decides.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub fn read(promised: FileKind, bytes: Vec<u8>) -> Result<Document, ReadError> {
    let kind = signature::kind(promised, &bytes)?;
    let Text { text, pages } = text_of(kind, promised, bytes)?;
    if !text.contains(char::is_alphanumeric) {
        let why = "The file holds no text: there is not a single word in it. Upload a file with text in it.";
        return Err(ReadError::Unreadable(why.into()));
    }
    let chunks = chunks(kind, &text, &pages);
    Ok(Document { text, chunks })
}

fn text_of(kind: FileKind, promised: FileKind, bytes: Vec<u8>) -> Result<Text, ReadError> {
    match kind {
        FileKind::Txt | FileKind::Md | FileKind::Csv => {
            charset::text(promised, bytes).map(Text::from)
        }
        FileKind::Html => html::read(promised, &bytes).map(Text::from),
        FileKind::Pdf => pdf::read(&bytes),
        FileKind::Doc => doc::read(&bytes).map(Text::from),
        FileKind::Docx => docx::read(&bytes).map(Text::from),
    }
}

fn chunks(kind: FileKind, text: &str, pages: &[usize]) -> Vec<ChunkDraft> {
    match kind {
        FileKind::Csv => csv_rows::pack(text),
        // People name Markdown .txt, plain text is Markdown with few marks, and the other readers write it.
        _ => packing::pack(text, pages),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cutting::MAX;

    /// Text made of what outlines are made of.
    fn documents() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[#=*|`\\-~>:?.,;\"'\r\n \t]{1,6}",
            "(Q: |A: |\\*\\*|```|~~~|# |## |- |1\\. |\\| a \\||\\|---\\||---|\n\n|\r\n)",
            "[A-Za-z0-9äß漢。🙂\u{a0}\u{feff}]{1,12}",
            "[a-z ]{1,400}[.!?]?",
            "[xyz漢]{1500,2000}",
            "(\n| \n){1,2000}",
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn check(chunks: &[ChunkDraft]) -> Result<(), TestCaseError> {
        for chunk in chunks {
            prop_assert!(!chunk.content.trim().is_empty());
            prop_assert!(chunk.content.chars().count() <= MAX);
            prop_assert!(
                chunk
                    .heading
                    .as_ref()
                    .is_none_or(|h| !h.is_empty() && h.len() < 2_000)
            );
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn chunks_are_the_words_of_the_text_in_order(text in documents()) {
            let chunks = chunks(FileKind::Md, &text, &[]);
            check(&chunks)?;
            let joined: Vec<&str> = chunks.iter().map(|c| c.content.as_str()).collect();
            let joined = joined.join("\n");
            if text.split_whitespace().all(|word| word.chars().count() <= MAX) {
                prop_assert!(text.split_whitespace().eq(joined.split_whitespace()));
            } else {
                let solid = |text: &str| text.split_whitespace().collect::<String>();
                prop_assert_eq!(solid(&text), solid(&joined));
            }
        }

        #[test]
        fn every_value_of_a_table_is_in_a_chunk(
            rows in prop::collection::vec(prop::collection::vec("[a-zA-Z0-9 ,;\t|\"\nü漢.?]{0,30}", 1..6), 0..20),
            delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let chunks = chunks(FileKind::Csv, &text, &[]);
            check(&chunks)?;
            let joined: Vec<&str> = chunks.iter().map(|c| c.content.as_str()).collect();
            let joined = joined.join(" ");
            for word in text.split(|c: char| !c.is_alphanumeric()) {
                prop_assert!(joined.contains(word), "{word} of {text:?} is not in {joined:?}");
            }
        }

        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..3000), kind in 0..3usize) {
            let kind = [FileKind::Txt, FileKind::Md, FileKind::Csv][kind];
            if let Ok(document) = read(kind, bytes) {
                check(&document.chunks)?;
                prop_assert!(!document.chunks.is_empty() && !document.text.contains('\0'));
            }
        }

        #[test]
        fn no_text_does_harm(text in "(?s).{0,600}", kind in 0..3usize) {
            let kind = [FileKind::Txt, FileKind::Md, FileKind::Csv][kind];
            check(&chunks(kind, &text, &[]))?;
        }
    }
}
