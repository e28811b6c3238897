//! What a file is by its content, whatever its name promises.

use domain::documents::{FileKind, ReadError};

use crate::compound::Compound;
use crate::docx::Package;

/// How a file begins that can't be read, what it is then, and how its words get here nevertheless.
const SIGNATURES: &[(&[u8], Named)] = &[
    (b"{\\rtf", ("a rich-text document (RTF)", AS_WORD)),
    (b"\xDB\xA5", ("a Word document from before 1995", AS_WORD)),
    (b"\xFFWPC", ("a WordPerfect document", AS_WORD)),
    (b"%!PS", ("a PostScript file", AS_PDF)),
    (b"\x1F\x8B", ("a packed file (gzip)", UNPACKED)),
    (b"7z\xBC\xAF\x27\x1C", ("a packed file (7z)", UNPACKED)),
    (b"Rar!\x1A", ("a packed file (RAR)", UNPACKED)),
    (b"\x89PNG", ("an image", IMAGE)),
    (b"\xFF\xD8\xFF", ("an image", IMAGE)),
    (b"GIF87a", ("an image", IMAGE)),
    (b"GIF89a", ("an image", IMAGE)),
    (b"SQLite format 3\0", ("a database", AS_TEXT)),
    (b"\x7FELF", ("a program", AS_TEXT)),
];
/// What a file is called, and a sentence on what to do to have its words.
type Named = (&'static str, &'static str);
const AS_TEXT: &str = "Save its contents as plain text and upload that.";
const AS_WORD: &str = "Open it, save it as a Word document (DOCX) or a PDF and upload that.";
const AS_PDF: &str = "Save it as a PDF and upload that.";
const UNPACKED: &str = "Unpack it and upload the files that are in it.";
const IMAGE: &str = "Write down what it shows and upload that.";
const EXCEL: Named = (
    "an Excel workbook",
    "Export its sheets as CSV and upload those.",
);
const POWERPOINT: Named = ("a presentation", AS_PDF);

const ZIP: &[&[u8]] = &[b"PK\x03\x04", b"PK\x05\x06"];
/// Parts that tell what a ZIP archive is, by the beginnings of their names.
const PARTS: &[(&str, Named)] = &[
    ("xl/", EXCEL),
    ("ppt/", POWERPOINT),
    ("meta-inf/manifest.xml", ("an OpenDocument file", AS_WORD)),
    ("meta-inf/container.xml", ("an e-book (EPUB)", AS_PDF)),
    (
        "index/",
        ("a document of Pages, Numbers or Keynote", AS_PDF),
    ),
];
/// Streams that tell what an Office file up to 2003 is.
const STREAMS: &[(&str, Named)] = &[
    ("Workbook", EXCEL),
    ("Book", EXCEL),
    ("PowerPoint Document", POWERPOINT),
    ("__properties_version1.0", ("an Outlook message", AS_TEXT)),
    ("VisioDocument", ("a Visio drawing", AS_PDF)),
];

const PDF: &[u8] = b"%PDF-";
/// How far into a file its PDF may begin (ISO 32000-1, annex H, note 13), in bytes.
const PDF_WITHIN: usize = 1024;
/// How much is looked at to tell markup, in bytes.
const MARKUP_WITHIN: usize = 4096;

/// What a file is by its content, whatever its name promises.
///
/// # Errors
/// [`ReadError::Unreadable`] for what can't be read, with a sentence on what to do.
pub(crate) fn kind(promised: FileKind, bytes: &[u8]) -> Result<FileKind, ReadError> {
    let is_document = matches!(promised, FileKind::Pdf | FileKind::Doc | FileKind::Docx);
    let head = &bytes[..bytes.len().min(PDF_WITHIN)];
    // A text may speak of PDF in its first lines.
    if bytes.starts_with(PDF) || is_document && head.windows(PDF.len()).any(|at| at == PDF) {
        return Ok(FileKind::Pdf);
    }
    if bytes.starts_with(Compound::SIGNATURE) {
        return compound(promised, bytes);
    }
    if ZIP.iter().any(|beginning| bytes.starts_with(beginning)) {
        return archive(promised, bytes);
    }
    let known = SIGNATURES
        .iter()
        .find(|(beginning, _)| bytes.starts_with(beginning));
    if let Some((_, named)) = known {
        return Err(is(*named, promised));
    }
    match (markup(bytes), promised) {
        (Some(Markup::Unreadable(named)), _) if is_document => Err(is(named, promised)),
        // A table of code is a table.
        (Some(Markup::Html), kind) if kind != FileKind::Csv => Ok(FileKind::Html),
        _ if is_document => Ok(FileKind::Txt),
        _ => Ok(promised),
    }
}

fn is((name, remedy): Named, promised: FileKind) -> ReadError {
    let ending = promised.as_str();
    ReadError::Unreadable(format!(
        "This file is {name}, although its name ends in .{ending}. {remedy}"
    ))
}

fn compound(promised: FileKind, bytes: &[u8]) -> Result<FileKind, ReadError> {
    let Some(file) = Compound::open(bytes) else {
        let why = "The Office document is damaged or incomplete. Open it in Office, save it as DOCX or PDF and upload that.";
        return Err(ReadError::Unreadable(why.into()));
    };
    if file.has("EncryptedPackage") {
        let why = "The document is protected with a password. Save it without one and upload that.";
        return Err(ReadError::Unreadable(why.into()));
    }
    if file.has("WordDocument") {
        return Ok(FileKind::Doc);
    }
    let known = STREAMS.iter().find(|(stream, _)| file.has(stream));
    let named = known.map_or(
        ("an Office document of another kind", AS_PDF),
        |(_, named)| *named,
    );
    Err(is(named, promised))
}

fn archive(promised: FileKind, bytes: &[u8]) -> Result<FileKind, ReadError> {
    let Some(mut package) = Package::open(bytes) else {
        // Its end is missing, where the names are; what it was to be is all that is known.
        let is_office = matches!(promised, FileKind::Doc | FileKind::Docx);
        let damaged = ("a ZIP archive that is damaged or incomplete", UNPACKED);
        return if is_office {
            Ok(FileKind::Docx)
        } else {
            Err(is(damaged, promised))
        };
    };
    if package.document()?.is_some() {
        return Ok(FileKind::Docx);
    }
    let known = PARTS.iter().find(|(part, _)| {
        let mut names = package.names();
        names.any(|name| name.to_ascii_lowercase().starts_with(part))
    });
    let named = known.map_or(("a ZIP archive", UNPACKED), |(_, named)| *named);
    Err(is(named, promised))
}

enum Markup {
    Html,
    Unreadable(Named),
}

/// What a text is by its first tags.
fn markup(bytes: &[u8]) -> Option<Markup> {
    let head = &bytes[..bytes.len().min(MARKUP_WITHIN)];
    // In UTF-16, every second byte is zero.
    let head: Vec<u8> = head
        .iter()
        .filter(|byte| **byte != 0)
        .map(u8::to_ascii_lowercase)
        .collect();
    let head = String::from_utf8_lossy(&head);
    let mut rest = head.trim_start_matches(|c: char| c.is_whitespace() || !c.is_ascii());
    if rest.starts_with("mime-version:") && rest.contains("multipart/related") {
        return Some(Markup::Unreadable(("a web archive (MHTML)", AS_WORD)));
    }
    loop {
        if rest.starts_with("<!doctype html") || rest.starts_with("<html") {
            return Some(Markup::Html);
        }
        if rest.starts_with("<?mso-application") || rest.starts_with("<w:worddocument") {
            return Some(Markup::Unreadable(("a Word document in XML", AS_WORD)));
        }
        // What may stand above: a declaration, a comment, another kind of document type.
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") || rest.starts_with("<!") => ">",
            _ => return None,
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(promised: FileKind, bytes: &[u8]) -> String {
        match kind(promised, bytes) {
            Err(ReadError::Unreadable(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_begins_like_something_is_that() {
        for (bytes, promised, is) in [
            (&b"%PDF-1.7"[..], FileKind::Txt, FileKind::Pdf),
            (
                b"\r\n\r\nstray bytes %PDF-1.4",
                FileKind::Docx,
                FileKind::Pdf,
            ),
            (b"# A file begins with %PDF-", FileKind::Md, FileKind::Md),
            (b"Plain words.", FileKind::Doc, FileKind::Txt),
            (b"Plain words.", FileKind::Pdf, FileKind::Txt),
            (b"PK is a company.", FileKind::Docx, FileKind::Txt),
            (b"a,b", FileKind::Csv, FileKind::Csv),
            (b"<b>x", FileKind::Html, FileKind::Html),
            (b"<b>x", FileKind::Md, FileKind::Md),
            (
                b"\xEF\xBB\xBF <!DOCTYPE html><p>x",
                FileKind::Doc,
                FileKind::Html,
            ),
            (
                b"<!-- saved --><HTML lang=en>",
                FileKind::Txt,
                FileKind::Html,
            ),
            (
                b"<?xml version='1.0'?>\n<!DOCTYPE x>\n<html xmlns='x'>",
                FileKind::Doc,
                FileKind::Html,
            ),
            (b"\xFF\xFE<\0h\0t\0m\0l\0>\0", FileKind::Doc, FileKind::Html),
            (b"", FileKind::Pdf, FileKind::Txt),
        ] {
            assert_eq!(
                kind(promised, bytes).unwrap(),
                is,
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_called_by_its_name() {
        for (bytes, name) in [
            (&b"{\\rtf1\\ansi"[..], "RTF"),
            (b"\x89PNG\r\n", "image"),
            (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "ZIP"),
            (
                b"MIME-Version: 1.0\r\nContent-Type: multipart/related;",
                "MHTML",
            ),
            (
                b"<?xml version='1.0'?><?mso-application progid='Word.Document'?>",
                "in XML",
            ),
        ] {
            let why = named(FileKind::Doc, bytes);
            assert!(
                why.contains(name) && why.contains(".doc") && why.ends_with('.'),
                "{why}"
            );
        }
        let why = named(FileKind::Doc, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0");
        assert!(why.contains("damaged"), "{why}");
        let why = named(FileKind::Txt, b"PK\x03\x04 [Content_Types].xml xl/");
        assert!(why.contains("ZIP") && why.contains("damaged"), "{why}");
    }
}
