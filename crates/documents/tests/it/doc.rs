//! Documents of Word's format from 1997 to 2003.

use contracts::files::{DocParagraph, compound, doc};
use documents::Reader;
use domain::documents::{DocumentReader, FileKind, ReadError};

/// Properties of paragraphs (MS-DOC 2.6.2): in a table, at a row's end, of an outline level.
const CELL: &[u8] = &[0, 0, 0x16, 0x24, 1];
const ROW_END: &[u8] = &[0, 0, 0x16, 0x24, 1, 0x17, 0x24, 1];
const LEVEL_2: &[u8] = &[0, 0, 0x40, 0x26, 1];

async fn read(bytes: Vec<u8>) -> String {
    let document = Reader::new().read(FileKind::Doc, bytes).await;
    document.unwrap().text
}

async fn refused(bytes: Vec<u8>) -> String {
    match Reader::new().read(FileKind::Doc, bytes).await {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("it is unreadable, not {other:?}"),
    }
}

const fn paragraph<'p>(text: &'p str, mark: u16, format: &'p [u8]) -> DocParagraph<'p> {
    DocParagraph { text, mark, format }
}

#[tokio::test]
async fn text_is_read_in_both_of_its_encodings() {
    let words = ["Grüße aus Chur.", "漢字 and 🙂, “quoted”."];
    let wide = words.map(DocParagraph::plain);
    assert_eq!(read(doc(&wide, false)).await, words.join("\n\n"));
    // Quotes and dashes stand in Windows-1252 where Unicode has controls.
    let narrow = [DocParagraph::plain(
        "Gr\u{fc}\u{df}e \u{93}here\u{94} \u{96} caf\u{e9}",
    )];
    assert_eq!(read(doc(&narrow, true)).await, "Grüße “here” – café");
}

#[tokio::test]
async fn marks_and_fields_are_no_words() {
    let text = "Page \u{13} PAGE \u{14}7\u{15} of \u{13}X \u{13}Y\u{14}code\u{15}\u{14}nine\u{15}\u{1}\u{b}next\u{1e}line\u{1f}";
    assert_eq!(
        read(doc(&[DocParagraph::plain(text)], false)).await,
        "Page 7 of nine\nnext-line"
    );
    // A field without an end hides its paragraph and no more.
    let lost = ["Text \u{13} HYPERLINK", "goes on."].map(DocParagraph::plain);
    assert_eq!(read(doc(&lost, false)).await, "Text\n\ngoes on.");
}

#[tokio::test]
async fn tables_keep_their_rows_and_empty_cells() {
    let document = [
        paragraph("Menu", 13, LEVEL_2),
        paragraph("Drink", 7, CELL),
        paragraph("Price", 7, CELL),
        paragraph("", 7, ROW_END),
        paragraph("Tea,", 13, CELL),
        paragraph("green", 7, CELL),
        paragraph("", 7, CELL),
        paragraph("", 7, ROW_END),
        paragraph("Enjoy.", 13, &[0, 0]),
    ];
    assert_eq!(
        read(doc(&document, true)).await,
        "## Menu\n\n| Drink | Price |\n|---|---|\n| Tea, green |  |\n\nEnjoy."
    );
    // Without formats, two marks of cells in a row end it.
    let bare = [
        paragraph("a", 7, &[]),
        paragraph("b", 7, &[]),
        paragraph("", 7, &[]),
        paragraph("c", 7, &[]),
        paragraph("d", 7, &[]),
        paragraph("", 7, &[]),
    ];
    assert_eq!(
        read(doc(&bare, false)).await,
        "| a | b |\n|---|---|\n| c | d |"
    );
}

#[tokio::test]
async fn what_is_no_document_says_what_it_is() {
    let with_header = |version: u8, flags: u8| {
        let mut main = vec![0; 0x400];
        main[..12].copy_from_slice(&[0xEC, 0xA5, version, 0, 0, 0, 0, 0, 0, 0, 0, flags]);
        compound(&[("WordDocument", &main), ("0Table", b"x")])
    };
    for (bytes, words) in [
        (with_header(0x65, 0), "Word 95"),
        (with_header(0xC1, 1), "password"),
        (with_header(0xC1, 0), "damaged"),
        (compound(&[("WordDocument", b"\xEC\xA5")]), "damaged"),
        (compound(&[("VisioDocument", b"x")]), "Visio"),
        (compound(&[("__properties_version1.0", b"x")]), "Outlook"),
        (compound(&[("Other", b"x")]), "another kind"),
    ] {
        let why = refused(bytes).await;
        assert!(why.contains(words) && why.ends_with('.'), "{why}");
    }
}

#[tokio::test]
async fn numbers_that_lead_anywhere_do_no_harm() {
    let document = [
        paragraph("We open at nine.", 13, LEVEL_2),
        paragraph("a", 7, CELL),
        paragraph("", 7, ROW_END),
    ];
    let whole = doc(&document, false);
    // Each number of the header and of the tables, replaced by others.
    for at in (0..whole.len() - 4).step_by(3) {
        for number in [0u32, 0x7FFF_FFFF, u32::MAX] {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            match Reader::new().read(FileKind::Doc, bytes).await {
                Ok(_) => {}
                Err(ReadError::Unreadable(why)) => assert!(why.ends_with('.'), "{why}"),
                Err(ReadError::Failed(why)) => panic!("{number:#x} at {at:#x}: {why}"),
            }
        }
    }
}
