//! Files as other programs write them, as small as they can be.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive of these parts, by name.
pub fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A document of Word's format since 2007 with this XML as its body, and other parts by their names.
pub fn docx(body: &str, others: &[(&str, &str)]) -> Vec<u8> {
    let relationship = |kind: &str, target: &str| {
        let of = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        format!(r#"<Relationship Id="{kind}" Type="{of}/{kind}" Target="{target}"/>"#)
    };
    let main = format!(
        "<Relationships>{}</Relationships>",
        relationship("officeDocument", "word/document.xml")
    );
    let others_related: String = others
        .iter()
        .map(|(name, _)| relationship(name, &format!("{name}.xml")))
        .collect();
    let others_related = format!("<Relationships>{others_related}</Relationships>");
    let document = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#
    );
    let mut parts = vec![
        ("_rels/.rels", main.as_str()),
        ("word/_rels/document.xml.rels", &others_related),
        ("word/document.xml", &document),
    ];
    let names: Vec<String> = others
        .iter()
        .map(|(name, _)| format!("word/{name}.xml"))
        .collect();
    let contents = others.iter().map(|(_, content)| *content);
    parts.extend(names.iter().map(String::as_str).zip(contents));
    archive(&parts)
}

/// An Office file up to 2003 with these streams, by name.
pub fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (name, content) in streams {
        file.create_stream(name)
            .unwrap()
            .write_all(content)
            .unwrap();
    }
    file.into_inner().into_inner()
}

/// A paragraph of a document of Word up to 2003.
pub struct DocParagraph<'p> {
    /// Its text.
    pub text: &'p str,
    /// The character that ends it: 13, or 7 for a table's cell or row.
    pub mark: u16,
    /// The number of its style and its properties, as MS-DOC has them.
    pub format: &'p [u8],
}

impl<'p> DocParagraph<'p> {
    /// One of body text.
    pub fn plain(text: &'p str) -> Self {
        Self {
            text,
            mark: 13,
            format: &[0, 0],
        }
    }
}

/// A document of Word's format from 1997 to 2003 (MS-DOC) with at most a dozen paragraphs, in one piece of UTF-16,
/// or in one of Windows-1252 where `narrow` says so.
pub fn doc(paragraphs: &[DocParagraph<'_>], narrow: bool) -> Vec<u8> {
    const TEXT: u32 = 0x200;
    let mut text: Vec<u8> = Vec::new();
    let mut ends = vec![TEXT];
    let mut count = 0u32;
    for paragraph in paragraphs {
        let units = paragraph.text.encode_utf16().chain([paragraph.mark]);
        for unit in units {
            count += 1;
            if narrow {
                text.push(u8::try_from(unit).unwrap());
            } else {
                text.extend(unit.to_le_bytes());
            }
        }
        ends.push(TEXT + text.len() as u32);
    }
    text.resize(text.len().next_multiple_of(512), 0);

    // One page of paragraphs' formats, which are written from its end.
    let mut page = vec![0u8; 512];
    page[511] = paragraphs.len() as u8;
    for (at, end) in ends.iter().enumerate() {
        page[4 * at..][..4].copy_from_slice(&end.to_le_bytes());
    }
    let mut free = 510;
    for (at, paragraph) in paragraphs.iter().enumerate() {
        let mut format = paragraph.format.to_vec();
        format.resize(format.len().next_multiple_of(2), 0);
        free = (free - format.len() - 2) & !1;
        page[free + 1] = (format.len() / 2) as u8;
        page[free + 2..][..format.len()].copy_from_slice(&format);
        page[4 * ends.len() + 13 * at] = (free / 2) as u8;
    }
    let number = (TEXT as usize + text.len()) / 512;

    let mut tables: Vec<u8> = vec![2];
    let offset = if narrow { (TEXT * 2) | (1 << 30) } else { TEXT };
    tables.extend(16u32.to_le_bytes());
    for field in [0, count] {
        tables.extend(field.to_le_bytes());
    }
    tables.extend([0, 0]);
    tables.extend(offset.to_le_bytes());
    tables.extend([0, 0]);
    let pieces = (0, tables.len());
    for field in [TEXT, ends[ends.len() - 1], number as u32] {
        tables.extend(field.to_le_bytes());
    }
    let formats = (pieces.1, tables.len() - pieces.1);

    let mut main = vec![0u8; TEXT as usize];
    let mut write = |at: usize, field: u32| main[at..][..4].copy_from_slice(&field.to_le_bytes());
    write(0, 0x00C1_A5EC);
    write(0x4C, count);
    for (part, (start, length)) in [(33, pieces), (13, formats)] {
        write(0x9A + 8 * part, start as u32);
        write(0x9E + 8 * part, length as u32);
    }
    main.extend(text);
    main.extend(page);
    compound(&[("WordDocument", &main), ("0Table", &tables)])
}

/// A PDF of one page with a line of text in one of the fonts that every reader knows.
pub fn pdf(line: &str) -> Vec<u8> {
    let content = format!("BT /F 12 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut index = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        index += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    pdf += &format!(
        "xref\n0 {size}\n{index}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.into_bytes()
}
