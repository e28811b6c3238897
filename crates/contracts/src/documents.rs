//! The promises of [`DocumentReader`].

use std::time::{Duration, Instant};

use domain::documents::{Document, DocumentReader, FileKind, ReadError};

use crate::files::{self, DocParagraph};

/// Makes one test per promise of [`DocumentReader`]. `$open` is the path of an `async fn() -> (R, G)` that gives
/// a reader, and what must live as long as it (`()` where there is nothing).
#[macro_export]
macro_rules! document_reader_contract {
    ($open:path) => {
        $crate::document_reader_contract!(@ $open:
            every_kind_is_read,
            content_tells_the_kind,
            structure_becomes_markdown,
            text_is_kept_word_for_word,
            any_encoding_is_read,
            a_stray_nul_becomes_a_space,
            given_text_is_kept_word_for_word,
            chunks_hold_every_word_in_order,
            rows_are_whole_and_name_their_values,
            no_chunk_is_empty_or_long,
            headings_begin_chunks_and_stand_above_them,
            sentences_are_whole,
            a_file_without_a_word_is_unreadable,
            what_cannot_be_read_is_named,
            documents_with_a_password_say_so,
            damaged_files_do_no_harm,
            files_packed_to_harm_are_given_up_soon,
            reading_twice_gives_the_same,
            large_files_are_read_soon,
        );
    };
    (@ $open:path: $($promise:ident,)+) => {$(
        #[tokio::test]
        async fn $promise() {
            let (reader, _guard) = $open().await;
            $crate::documents::$promise(&reader).await;
        }
    )+};
}

/// Those that hold nothing but text.
const KINDS: [FileKind; 3] = [FileKind::Txt, FileKind::Md, FileKind::Csv];
const DOCUMENTS: [FileKind; 4] = [FileKind::Html, FileKind::Pdf, FileKind::Doc, FileKind::Docx];
const SENTENCE: &str = "We open at nine and close at six.";
const HANDBOOK: &str = "Welcome to the shop.\r\n\r\n# Handbook\r\n\r\n## Hours\r\nWe open at nine.  \r\nWe close at six.\r\n\r\n\
    ## Prices\r\n\r\n| Drink | Price |\r\n|---|---|\r\n| Espresso | 3.50 € |\r\n\r\n```\r\n# no heading\r\n```\r\n\r\n\
    Q: Do you ship abroad?\r\n\r\nA: Yes, to all of Europe.\r\n";

async fn read(reader: &dyn DocumentReader, kind: FileKind, bytes: impl Into<Vec<u8>>) -> Document {
    reader.read(kind, bytes.into()).await.unwrap()
}

async fn refused(reader: &dyn DocumentReader, kind: FileKind, bytes: &[u8]) -> String {
    match reader.read(kind, bytes.to_vec()).await {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("it is unreadable, not {other:?}"),
    }
}

fn words(document: &Document) -> Vec<&str> {
    let chunks = document.chunks.iter();
    chunks
        .flat_map(|chunk| chunk.content.split_whitespace())
        .collect()
}

/// A document of each kind that holds more than text, with one sentence.
fn samples() -> [(FileKind, Vec<u8>); 4] {
    let html = format!("<!doctype html><html><body><p>{SENTENCE}</p></body></html>");
    let docx = format!("<w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p>");
    let doc = [DocParagraph::plain(SENTENCE)];
    [
        (FileKind::Html, html.into_bytes()),
        (FileKind::Pdf, files::pdf(SENTENCE)),
        (FileKind::Doc, files::doc(&doc, false)),
        (FileKind::Docx, files::docx(&docx, &[])),
    ]
}

/// Its words, and nothing but them.
pub async fn every_kind_is_read(reader: &dyn DocumentReader) {
    for (kind, bytes) in samples() {
        let document = read(reader, kind, bytes).await;
        assert_eq!(words(&document).join(" "), SENTENCE, "{kind:?}");
    }
}

/// Whatever its name promises; tables of text alone are told by their names.
pub async fn content_tells_the_kind(reader: &dyn DocumentReader) {
    for (kind, bytes) in samples() {
        let known = read(reader, kind, bytes.clone()).await;
        for promised in DOCUMENTS.into_iter().chain([FileKind::Txt, FileKind::Md]) {
            assert_eq!(
                read(reader, promised, bytes.clone()).await,
                known,
                "{kind:?} named as {promised:?}"
            );
        }
    }
    for promised in [FileKind::Pdf, FileKind::Doc, FileKind::Docx] {
        assert_eq!(read(reader, promised, HANDBOOK).await.text, HANDBOOK);
    }
}

/// Headings, lists and tables, in the order of the document.
pub async fn structure_becomes_markdown(reader: &dyn DocumentReader) {
    let html = "<html><main><h1>Shop</h1><p>Welcome.</p><ul><li>Tea</li><li>Coffee</li></ul>\
        <table><tr><th>Drink</th><th>Price</th></tr><tr><td>Tea</td><td>2.80</td></tr></table></main></html>";
    let paragraph = |properties: &str, text: &str| {
        format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    };
    let item = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr>";
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph("", text));
    let row = |cells: [&str; 2]| format!("<w:tr>{}</w:tr>", cells.map(cell).concat());
    let body = [
        paragraph("<w:pStyle w:val='Heading1'/>", "Shop"),
        paragraph("", "Welcome."),
        paragraph(item, "Tea"),
        paragraph(item, "Coffee"),
        "<w:tbl>".to_owned(),
        row(["Drink", "Price"]),
        row(["Tea", "2.80"]),
        "</w:tbl>".to_owned(),
    ];
    let numbering = "<w:numbering xmlns:w='w'><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'>\
        <w:numFmt w:val='bullet'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>\
        </w:numbering>";
    let docx = files::docx(&body.concat(), &[("numbering", numbering)]);
    // Properties of MS-DOC 2.6: an outline level, a list, a place in a table, the end of a row.
    let plain = |text, mark, format| DocParagraph { text, mark, format };
    let (heading, item) = (&[0, 0, 0x40, 0x26, 0][..], &[0, 0, 0x0B, 0x46, 1, 0][..]);
    let (cell, row) = (
        &[0, 0, 0x16, 0x24, 1][..],
        &[0, 0, 0x16, 0x24, 1, 0x17, 0x24, 1][..],
    );
    let doc = [
        plain("Shop", 13, heading),
        plain("Welcome.", 13, &[0, 0]),
        plain("Tea", 13, item),
        plain("Coffee", 13, item),
        plain("Drink", 7, cell),
        plain("Price", 7, cell),
        plain("", 7, row),
        plain("Tea", 7, cell),
        plain("2.80", 7, cell),
        plain("", 7, row),
    ];
    for (kind, bytes) in [
        (FileKind::Html, html.as_bytes().to_vec()),
        (FileKind::Docx, docx),
        (FileKind::Doc, files::doc(&doc, true)),
    ] {
        let document = read(reader, kind, bytes).await;
        let rules = |line: &&str| !line.is_empty() && !line.chars().all(|c| "|- ".contains(c));
        let lines: Vec<&str> = document.text.lines().filter(rules).collect();
        assert_eq!(
            lines,
            [
                "# Shop",
                "Welcome.",
                "- Tea",
                "- Coffee",
                "| Drink | Price |",
                "| Tea | 2.80 |"
            ],
            "{kind:?}"
        );
        assert_eq!(document.chunks[0].heading.as_deref(), Some("Shop"));
    }
}

/// White space and the ends of lines too.
pub async fn text_is_kept_word_for_word(reader: &dyn DocumentReader) {
    for kind in KINDS {
        assert_eq!(read(reader, kind, HANDBOOK).await.text, HANDBOOK);
    }
}

/// UTF-8 and UTF-16 by their marks, others by what they look like.
pub async fn any_encoding_is_read(reader: &dyn DocumentReader) {
    let text = "Größe;Preis\nKlein – süß;3,50\n";
    let marked: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
    let little: Vec<u8> = marked.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = marked.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for kind in KINDS {
        for bytes in [
            text.as_bytes(),
            format!("\u{feff}{text}").as_bytes(),
            &little,
            &big,
        ] {
            let document = read(reader, kind, bytes).await;
            assert_eq!(document.text, text);
            assert!(words(&document).concat().contains("Größe"));
        }
        let latin = b"Wir \xf6ffnen um neun. Gr\xfc\xdfe aus dem Caf\xe9.";
        assert_eq!(
            read(reader, kind, latin).await.text,
            "Wir öffnen um neun. Grüße aus dem Café."
        );
    }
}

/// Stores can't keep NUL.
pub async fn a_stray_nul_becomes_a_space(reader: &dyn DocumentReader) {
    for kind in KINDS {
        let document = read(reader, kind, "We open\0at nine.").await;
        assert_eq!(document.text, "We open at nine.");
    }
}

/// What is no file keeps all it has, and may be blank.
pub async fn given_text_is_kept_word_for_word(reader: &dyn DocumentReader) {
    for kind in KINDS {
        for text in [HANDBOOK, "", " \n", "word", "\u{feff}# ?"] {
            let document = reader.cut(kind, text.to_owned()).await;
            assert_eq!(document.text, text);
            assert_eq!(document.chunks.is_empty(), text.trim().is_empty());
        }
    }
}

/// Together they are the text, with nothing said twice.
pub async fn chunks_hold_every_word_in_order(reader: &dyn DocumentReader) {
    let long = format!("{HANDBOOK}\n{}\n\n{HANDBOOK}", "word and ".repeat(3_000));
    let lines = "All work and no play, all day long\n".repeat(500);
    let chinese = "我们每天九点开门。\n".repeat(800);
    for kind in [FileKind::Txt, FileKind::Md] {
        for text in [HANDBOOK, &long, &lines, &chinese] {
            let document = read(reader, kind, text).await;
            assert!(words(&document).into_iter().eq(text.split_whitespace()));
            assert!(reader.cut(kind, text.to_owned()).await == document);
        }
    }
}

/// Each row can be read by itself, and no value is lost.
pub async fn rows_are_whole_and_name_their_values(reader: &dyn DocumentReader) {
    for delimiter in [',', ';', '\t', '|'] {
        let mut text = format!("Product{delimiter}Price{delimiter}Roast\r\n");
        for number in 0..300 {
            text += &format!(
                "\"Blend {number}, \"\"fine\"\"\"{delimiter}{number}.50{delimiter}dark\r\n"
            );
        }
        let document = read(reader, FileKind::Csv, text).await;
        assert!(document.chunks.len() > 3);
        for number in 0..300 {
            let row = format!("Product: Blend {number}, \"fine\"; Price: {number}.50; Roast: dark");
            let holders = document
                .chunks
                .iter()
                .filter(|chunk| chunk.content.contains(&row));
            assert_eq!(holders.count(), 1, "{row}");
        }
    }
    let header_only = read(reader, FileKind::Csv, "Product,Price\n").await;
    assert!(header_only.chunks[0].content.contains("Product"));
    let ragged = read(reader, FileKind::Csv, "a,b\n1\n2,3,4,\"five\n").await;
    assert!(
        ["1", "2", "3", "4", "five"]
            .iter()
            .all(|value| words(&ragged).join(" ").contains(value))
    );
}

/// However long paragraphs, lines, words, rows and tables are.
pub async fn no_chunk_is_empty_or_long(reader: &dyn DocumentReader) {
    let table = format!("| a | b |\n|---|---|\n{}", "| one | two |\n".repeat(2_000));
    for text in [
        "x".repeat(50_000),
        "word ".repeat(10_000),
        format!("# {}", "word ".repeat(10_000)),
        format!("a,b\n1,\"{}\"\n", "word\n".repeat(10_000)),
        format!("word{}word", "\n".repeat(10_000)),
        format!("```\n{}", "code();\n".repeat(5_000)),
        table,
    ] {
        for kind in KINDS {
            let document = read(reader, kind, text.as_str()).await;
            for chunk in &document.chunks {
                let length = chunk.content.chars().count();
                assert!(
                    !chunk.content.trim().is_empty() && length <= 2_000,
                    "{length}"
                );
            }
        }
    }
}

/// The path of headings, outermost first; the heading's words are in the chunk as well.
pub async fn headings_begin_chunks_and_stand_above_them(reader: &dyn DocumentReader) {
    let document = read(reader, FileKind::Md, HANDBOOK).await;
    let of = |words: &str| {
        let mut holders = document
            .chunks
            .iter()
            .filter(|chunk| chunk.content.contains(words));
        let holder = holders.next().unwrap();
        (holder.content.as_str(), holder.heading.as_deref())
    };
    assert_eq!(of("Welcome"), ("Welcome to the shop.", None));
    let (content, heading) = of("We close");
    assert!(
        content.starts_with("# Handbook") && content.contains("## Hours"),
        "{content}"
    );
    assert_eq!(heading, Some("Handbook > Hours"));
    let (content, heading) = of("Espresso");
    assert!(content.starts_with("## Prices"), "{content}");
    assert_eq!(heading, Some("Handbook > Prices"));
    assert_eq!(of("# no heading").1, Some("Handbook > Prices"));
    assert!(of("Do you ship").0.contains("A: Yes"));
}

/// As long as one fits into a chunk.
pub async fn sentences_are_whole(reader: &dyn DocumentReader) {
    let sentence =
        "The shop in the old town has been open every day of the week since it was founded. ";
    for kind in [FileKind::Txt, FileKind::Md] {
        let document = read(reader, kind, sentence.repeat(100)).await;
        assert!(document.chunks.len() > 5);
        for chunk in &document.chunks {
            assert!(chunk.content.starts_with("The shop") && chunk.content.ends_with("founded."));
        }
    }
}

/// The sentence says what to do.
pub async fn a_file_without_a_word_is_unreadable(reader: &dyn DocumentReader) {
    for kind in KINDS {
        for bytes in [
            &b""[..],
            b" \r\n\t",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"---\n\n***\n",
            b",,,\n,,,\n",
        ] {
            let why = refused(reader, kind, bytes).await;
            assert!(why.contains("no text") && why.ends_with('.'), "{why}");
        }
    }
    for (kind, bytes) in [
        (FileKind::Html, b"<html><p> </p></html>".to_vec()),
        (FileKind::Pdf, files::pdf(" ")),
        (FileKind::Doc, files::doc(&[DocParagraph::plain("")], false)),
        (FileKind::Docx, files::docx("<w:p/>", &[])),
    ] {
        for bytes in [bytes, Vec::new()] {
            let why = refused(reader, kind, &bytes).await;
            assert!(why.contains("no text") && why.ends_with('.'), "{why}");
        }
    }
}

/// With what it is, and what to do.
pub async fn what_cannot_be_read_is_named(reader: &dyn DocumentReader) {
    let noise: Vec<u8> = (0..9_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let workbook = files::archive(&[("xl/workbook.xml", "<workbook/>")]);
    for kind in KINDS.into_iter().chain(DOCUMENTS) {
        for (bytes, name) in [
            (workbook.as_slice(), "Excel"),
            (&files::archive(&[("notes.txt", "Words.")]), "ZIP"),
            (&files::compound(&[("Workbook", b"x")]), "Excel"),
            (
                &files::compound(&[("PowerPoint Document", b"x")]),
                "presentation",
            ),
            (b"{\\rtf1\\ansi Words.}", "RTF"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
            (&noise, "binary"),
        ] {
            let why = refused(reader, kind, bytes).await;
            let ending = format!(".{}", kind.as_str());
            assert!(
                why.contains(name) && why.contains(&ending) && why.ends_with('.'),
                "{why}"
            );
        }
    }
}

/// So that it can be taken off.
pub async fn documents_with_a_password_say_so(reader: &dyn DocumentReader) {
    let docx = files::compound(&[("EncryptedPackage", b"x"), ("EncryptionInfo", b"x")]);
    let mut main = vec![0; 0x200];
    main[..12].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let doc = files::compound(&[("WordDocument", &main), ("0Table", b"x")]);
    for (kind, bytes) in [(FileKind::Docx, docx), (FileKind::Doc, doc)] {
        let why = refused(reader, kind, &bytes).await;
        assert!(why.contains("password") && why.ends_with('.'), "{why}");
    }
}

/// Cut off anywhere, or with bytes that are others: what can be read of them is read, or a sentence says no.
pub async fn damaged_files_do_no_harm(reader: &dyn DocumentReader) {
    for (kind, whole) in samples() {
        let mut cases: Vec<Vec<u8>> = Vec::new();
        for part in 0..20 {
            cases.push(whole[..whole.len() * part / 20].to_vec());
        }
        for seed in 0..200usize {
            let mut bytes = whole.clone();
            for nth in 1..=4 {
                let place = (seed * 7_919 + nth * 104_729) * 31 % bytes.len();
                bytes[place] = (seed * 37 + nth * 101) as u8;
            }
            cases.push(bytes);
        }
        for bytes in cases {
            match reader.read(kind, bytes).await {
                Ok(document) => assert!(!document.chunks.is_empty()),
                Err(ReadError::Unreadable(why)) => assert!(why.ends_with('.'), "{why}"),
                Err(ReadError::Failed(why)) => panic!("{kind:?}: {why}"),
            }
        }
    }
}

/// However little of it there is before it is unpacked.
pub async fn files_packed_to_harm_are_given_up_soon(reader: &dyn DocumentReader) {
    let paragraph = "<w:p><w:r><w:t>We open at nine.</w:t></w:r></w:p>";
    let entities: String = (1..10)
        .map(|at| format!("<!ENTITY e{at} '{}'>", format!("&e{};", at - 1).repeat(10)))
        .collect();
    let doctype = format!("<!DOCTYPE x [<!ENTITY e0 'word '>{entities}]>");
    let document = |body: &str| {
        files::archive(&[(
            "word/document.xml",
            &format!("{doctype}<w:document xmlns:w='w'>{body}</w:document>"),
        )])
    };
    let many = document(&paragraph.repeat(2_500_000));
    let long = document(&format!("<w:p><w:r><w:t>{}", "word ".repeat(30_000_000)));
    let deep = document(&"<w:tbl><w:tr><w:tc>".repeat(100_000));
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=''")).collect();
    let wide = document(&format!("<w:p{attributes}>{paragraph}</w:p>"));
    let expanded = document("<w:p><w:r><w:t>Words &e9; more.</w:t></w:r></w:p>");
    let html = "<div>".repeat(2_000_000).into_bytes();
    for (name, kind, bytes) in [
        ("many", FileKind::Docx, many),
        ("long", FileKind::Docx, long),
        ("deep", FileKind::Docx, deep),
        ("wide", FileKind::Docx, wide),
        ("expanded", FileKind::Docx, expanded),
        ("html", FileKind::Html, html),
    ] {
        let began = Instant::now();
        match reader.read(kind, bytes).await {
            Ok(document) => assert!(document.text.len() < 1_000, "{name}"),
            Err(ReadError::Unreadable(why)) => assert!(why.ends_with('.'), "{name}: {why}"),
            Err(ReadError::Failed(why)) => panic!("{name}: {why}"),
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
}

/// A job may be done twice.
pub async fn reading_twice_gives_the_same(reader: &dyn DocumentReader) {
    for kind in KINDS {
        let first = read(reader, kind, HANDBOOK).await;
        assert_eq!(read(reader, kind, HANDBOOK).await, first);
    }
}

/// Time goes with the size of the file, whatever is in it, and other tasks go on meanwhile.
pub async fn large_files_are_read_soon(reader: &dyn DocumentReader) {
    const SIZE: usize = 500_000;
    for unit in [
        "\n",
        "#",
        "# ",
        "# a\n",
        "a",
        "a ",
        "a\n\n",
        "a:\n\n",
        "**a**\n",
        "> ",
        "* ",
        "- a\n",
        "1. ",
        "[",
        "![](",
        "`",
        "```\n",
        "|",
        "|a\n",
        "|-|\n",
        "|a|\n|-|\n",
        "*a_",
        "<a ",
        "\"",
        "\",",
        ",",
        "a,",
        ",\n",
        ";\"\n",
        "\r",
        "\t",
        "---\n",
        "a\n=\n",
        ".",
        "a. ",
        "。",
        "\u{301}",
    ] {
        let text = unit.repeat(SIZE / unit.len());
        for kind in KINDS {
            let began = Instant::now();
            let document = reader.cut(kind, text.clone()).await;
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{unit:?} as {kind:?}: {:?}",
                began.elapsed()
            );
            let size: usize = document
                .chunks
                .iter()
                .map(|chunk| chunk.content.len())
                .sum();
            assert!(size < 20 * SIZE, "{unit:?} as {kind:?}: {size}");
        }
    }
    let began = Instant::now();
    let reading = read(
        reader,
        FileKind::Md,
        "# Words\n\nand more of them.\n\n".repeat(20_000),
    );
    let (_, waited) = tokio::join!(reading, async {
        tokio::task::yield_now().await;
        began.elapsed()
    });
    assert!(
        waited < began.elapsed() / 2,
        "other tasks waited {waited:?} of {:?}",
        began.elapsed()
    );
}
