//! Documents of Word's format since 2007.

use contracts::files::{archive, docx};
use documents::Reader;
use domain::documents::{DocumentReader, FileKind, ReadError};

async fn read(bytes: Vec<u8>) -> String {
    let document = Reader::new().read(FileKind::Docx, bytes).await;
    document.unwrap().text
}

async fn body(xml: &str) -> String {
    read(docx(xml, &[])).await
}

async fn refused(bytes: Vec<u8>) -> String {
    match Reader::new().read(FileKind::Docx, bytes).await {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("it is unreadable, not {other:?}"),
    }
}

fn run(text: &str) -> String {
    format!("<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>")
}

fn paragraph(inside: &str) -> String {
    format!("<w:p>{inside}</w:p>")
}

fn styled(style: &str, text: &str) -> String {
    paragraph(&format!(
        "<w:pPr><w:pStyle w:val='{style}'/></w:pPr>{}",
        run(text)
    ))
}

fn table(rows: &[&[&str]]) -> String {
    let cell = |text: &&str| format!("<w:tc>{}</w:tc>", paragraph(&run(text)));
    let row = |cells: &&[&str]| {
        let cells: String = cells.iter().map(cell).collect();
        format!("<w:tr>{cells}</w:tr>")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<w:tbl>{rows}</w:tbl>")
}

#[tokio::test]
async fn headings_are_told_by_their_styles_whatever_those_are_called() {
    let styles = "<w:styles xmlns:w='w'>\
        <w:style w:styleId='berschrift1'><w:name w:val='heading 1'/></w:style>\
        <w:style w:styleId='Kapitel'><w:name w:val='Kapitel'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style>\
        <w:style w:styleId='Abschnitt'><w:name w:val='Abschnitt'/><w:basedOn w:val='Kapitel'/></w:style>\
        <w:style w:styleId='Titel'><w:name w:val='Title'/></w:style>\
        <w:style w:styleId='a'><w:basedOn w:val='b'/></w:style>\
        <w:style w:styleId='b'><w:basedOn w:val='a'/></w:style>\
        </w:styles>";
    let outline = "<w:pPr><w:outlineLvl w:val='2'/></w:pPr>";
    let document = [
        styled("Titel", "Guide"),
        styled("berschrift1", "One"),
        styled("Kapitel", "Two"),
        styled("Abschnitt", "Also two"),
        paragraph(&format!("{outline}{}", run("Three"))),
        styled("a", "Text"),
        styled("unknown", "More"),
        styled("Heading4", "Four"),
    ];
    assert_eq!(
        read(docx(&document.concat(), &[("styles", styles)])).await,
        "# Guide\n\n# One\n\n## Two\n\n## Also two\n\n### Three\n\nText\n\nMore\n\n#### Four"
    );
}

#[tokio::test]
async fn lists_and_headings_have_their_numbers() {
    let level = |depth: u8, format: &str, text: &str| {
        format!(
            "<w:lvl w:ilvl='{depth}'><w:start w:val='1'/><w:numFmt w:val='{format}'/><w:lvlText w:val='{text}'/></w:lvl>"
        )
    };
    let numbering = format!(
        "<w:numbering xmlns:w='w'><w:abstractNum w:abstractNumId='7'>{}{}{}</w:abstractNum>\
        <w:abstractNum w:abstractNumId='8'>{}</w:abstractNum>\
        <w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>\
        <w:num w:numId='2'><w:abstractNumId w:val='7'/>\
        <w:lvlOverride w:ilvl='0'><w:startOverride w:val='5'/></w:lvlOverride></w:num>\
        <w:num w:numId='3'><w:abstractNumId w:val='8'/></w:num></w:numbering>",
        level(0, "decimal", "%1."),
        level(1, "lowerLetter", "%1.%2)"),
        level(2, "lowerRoman", "(%3)"),
        level(0, "bullet", "\u{f0b7}"),
    );
    let item = |list: u8, depth: u8, text: &str| {
        paragraph(&format!(
            "<w:pPr><w:numPr><w:ilvl w:val='{depth}'/><w:numId w:val='{list}'/></w:numPr></w:pPr>{}",
            run(text)
        ))
    };
    let styles = "<w:styles xmlns:w='w'><w:style w:styleId='h'><w:name w:val='heading 2'/>\
        <w:pPr><w:numPr><w:numId w:val='2'/></w:numPr></w:pPr></w:style></w:styles>";
    let document = [
        item(1, 0, "One"),
        item(1, 1, "Inner"),
        item(1, 1, "Inner"),
        item(1, 2, "Innermost"),
        item(1, 0, "Two"),
        item(1, 1, "Inner again"),
        styled("h", "Numbered"),
        styled("h", "Next"),
        item(3, 0, "Bullet"),
        item(0, 0, "None"),
    ];
    let parts = [("numbering", numbering.as_str()), ("styles", styles)];
    assert_eq!(
        read(docx(&document.concat(), &parts)).await,
        "1. One\n    1.a) Inner\n    1.b) Inner\n        (i) Innermost\n2. Two\n    2.a) Inner again\n\n\
        ## 5. Numbered\n\n## 6. Next\n\n- Bullet\n\nNone"
    );
}

#[tokio::test]
async fn tables_keep_their_rows_whatever_is_in_their_cells() {
    assert_eq!(
        body(&table(&[&["A|B", "C"], &["1", ""], &["", ""]])).await,
        "| A\\|B | C |\n|---|---|\n| 1 |  |"
    );
    let two = paragraph(&run("two")) + &paragraph(&run("paragraphs"));
    let inner = table(&[&["in", "ner"], &["ta", "ble"]]);
    let wide = format!(
        "<w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>{}</w:tc>",
        paragraph(&run("wide"))
    );
    let rows = format!(
        "<w:tbl><w:tr>{wide}<w:tc>{two}</w:tc></w:tr><w:tr><w:tc>{inner}</w:tc></w:tr></w:tbl>"
    );
    assert_eq!(
        body(&rows).await,
        "| wide |  | two paragraphs |\n|---|---|---|\n| in ner ta ble |"
    );
    // A frame around text is no table.
    let frame = format!("<w:tbl><w:tr><w:tc>{two}{inner}</w:tc></w:tr></w:tbl>");
    assert_eq!(
        body(&frame).await,
        "two\n\nparagraphs\n\n| in | ner |\n|---|---|\n| ta | ble |"
    );
}

#[tokio::test]
async fn what_a_reader_of_the_page_sees_is_read() {
    let field = |kind: &str| format!("<w:r><w:fldChar w:fldCharType='{kind}'/></w:r>");
    let code = "<w:r><w:instrText>PAGE IF</w:instrText></w:r>";
    let hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>";
    let boxed = paragraph(&run("in a box"));
    let fallback = format!("<w:pict><w:txbxContent>{boxed}</w:txbxContent></w:pict>");
    for (xml, expected) in [
        (
            format!("<w:del>{}</w:del><w:ins>{}</w:ins>", run("old"), run("new")),
            "new",
        ),
        (
            format!(
                "{}{code}{}{}{code}{}{}{}{}{}",
                field("begin"),
                run("code"),
                field("begin"),
                field("separate"),
                run("code"),
                field("end"),
                field("separate"),
                run("seven") + &field("end")
            ),
            "seven",
        ),
        (
            format!(
                "<w:hyperlink>{}</w:hyperlink>{hidden}{}",
                run("a "),
                run("link")
            ),
            "a link",
        ),
        (
            "<w:r><w:t>day</w:t><w:noBreakHyphen/><w:t>to</w:t><w:softHyphen/><w:t>day</w:t><w:tab/><w:t>a</w:t>\
            <w:br/><w:t>b</w:t><w:sym w:font='Wingdings' w:char='F0FC'/></w:r>"
                .to_owned(),
            "day-today\ta\nb✓",
        ),
        (
            run("Q&amp;A &#8211; &lt;b&gt; &unknown;&#0;<![CDATA[& so on]]>"),
            "Q&A – <b> & so on",
        ),
        (
            format!(
                "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{boxed}</w:txbxContent></mc:Choice>\
                <mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent></w:r>{}",
                run("text")
            ),
            "in a box\n\ntext",
        ),
        (
            "<w:r><w:rPr><w:b/></w:rPr><w:t>Do you ship?</w:t></w:r>".to_owned(),
            "**Do you ship?**",
        ),
        (
            format!(
                "<w:r><w:rPr><w:b w:val='0'/></w:rPr><w:t>Not </w:t></w:r>{}",
                run("bold")
            ),
            "Not bold",
        ),
    ] {
        assert_eq!(body(&paragraph(&xml)).await, expected, "{xml}");
    }
}

#[tokio::test]
async fn notes_stand_below_what_refers_to_them() {
    let note = |id: u8, kind: &str, text: &str| {
        format!(
            "<w:footnote w:id='{id}' w:type='{kind}'>{}</w:footnote>",
            paragraph(&run(text))
        )
    };
    let notes = format!(
        "<w:footnotes xmlns:w='w'>{}{}{}</w:footnotes>",
        note(0, "separator", "line"),
        note(1, "normal", "First note."),
        note(2, "normal", "Second note."),
    );
    let refers = |id: u8| format!("<w:r><w:footnoteReference w:id='{id}'/></w:r>");
    let cell = format!("<w:tc>{}</w:tc>", paragraph(&(run("cell") + &refers(2))));
    let document = [
        paragraph(&(run("Text") + &refers(1) + &run(" goes on."))),
        format!(
            "<w:tbl><w:tr>{cell}<w:tc>{}</w:tc></w:tr></w:tbl>",
            paragraph(&run("x"))
        ),
        paragraph(&run("End.")),
    ];
    assert_eq!(
        read(docx(&document.concat(), &[("footnotes", &notes)])).await,
        "Text goes on.\n\nFirst note.\n\n| cell | x |\n|---|---|\n\nSecond note.\n\nEnd."
    );
}

#[tokio::test]
async fn parts_are_found_whatever_programs_call_them() {
    let xml = format!(
        "<document><body>{}</body></document>",
        "<p><r><t>Words.</t></r></p>"
    );
    for name in [
        "word/document.xml",
        "word\\document.xml",
        "Word/Document.xml",
        "word/document22.xml",
    ] {
        assert_eq!(read(archive(&[(name, &xml)])).await, "Words.", "{name}");
    }
    let moved = "<R><r Type='x/officeDocument' Target='/word/main.xml'/></R>";
    let moved = archive(&[("_rels/.rels", moved), ("word/main.xml", &xml)]);
    assert_eq!(read(moved).await, "Words.");
}

#[tokio::test]
async fn broken_documents_are_refused_with_what_to_do() {
    for (xml, words) in [
        ("<w:document><w:p>", "damaged"),
        ("<w:document></w:p>", "damaged"),
        ("no XML at all & more", "damaged"),
        ("", "no text"),
    ] {
        let why = refused(archive(&[("word/document.xml", xml)])).await;
        assert!(why.contains(words) && why.ends_with('.'), "{xml}: {why}");
    }
    let whole = docx(&paragraph(&run("Words.")), &[]);
    let why = refused(whole[..whole.len() / 2].to_vec()).await;
    assert!(why.contains("damaged"), "{why}");
    // The flag of encryption (APPNOTE 4.4.4) of every part, in both places where it stands.
    let mut locked = whole;
    for at in 0..locked.len() - 10 {
        match &locked[at..at + 4] {
            b"PK\x03\x04" => locked[at + 6] |= 1,
            b"PK\x01\x02" => locked[at + 8] |= 1,
            _ => {}
        }
    }
    let why = refused(locked).await;
    assert!(why.contains("password"), "{why}");
}

#[tokio::test]
async fn text_without_end_is_given_up() {
    let endless = paragraph(&run(&"All work and no play. ".repeat(100))).repeat(20_000);
    let why = refused(docx(&endless, &[])).await;
    assert!(why.contains("more text than can be read"), "{why}");
}
