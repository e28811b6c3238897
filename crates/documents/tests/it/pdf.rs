//! PDFs, written here letter by letter.
#![allow(clippy::expect_used, reason = "a panic is how tests fail")]

use documents::Reader;
use domain::documents::{Document, DocumentReader, FileKind, ReadError};

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";
const FONT: &str =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
const BOLD: &str =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>";

/// A file of these objects, numbered from 1.
fn file(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(
            format!("{} 0 obj\n", at + 1)
                .bytes()
                .chain(object.iter().copied()),
        );
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = places.len() + 1;
    file.extend(
        format!("trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF")
            .bytes(),
    );
    file
}

fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let mut stream = format!("<< /Length {} {dictionary} >>\nstream\n", content.len()).into_bytes();
    stream.extend(content);
    stream.extend(b"\nendstream");
    stream
}

/// The objects of a document whose pages have these contents; F1 is Helvetica, F2 bold.
fn objects(contents: &[String]) -> Vec<Vec<u8>> {
    let kids: Vec<String> = (0..contents.len())
        .map(|at| format!("{} 0 R", 5 + 2 * at))
        .collect();
    let pages = format!(
        "<< /Type /Pages /Count {} /Kids [{}] >>",
        kids.len(),
        kids.join(" ")
    );
    let mut objects: Vec<Vec<u8>> = [CATALOG, &pages, FONT, BOLD]
        .map(|object| object.as_bytes().to_vec())
        .to_vec();
    for (at, content) in contents.iter().enumerate() {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
            6 + 2 * at
        );
        objects.push(page.into_bytes());
        objects.push(stream("", content.as_bytes()));
    }
    objects
}

fn pdf(contents: &[String]) -> Vec<u8> {
    file(&objects(contents), "")
}

/// Shows a text from a place on.
fn at(x: u32, y: u32, text: &str) -> String {
    sized("F1", 10, x, y, text)
}

fn sized(font: &str, size: u32, x: u32, y: u32, text: &str) -> String {
    format!("BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n")
}

/// Lines of ten points below each other.
fn lines(x: u32, y: u32, lines: &[&str]) -> String {
    let shown = lines
        .iter()
        .zip(0..)
        .map(|(line, below)| at(x, y - 12 * below, line));
    shown.collect()
}

async fn read(file: Vec<u8>) -> Result<Document, ReadError> {
    Reader::new().read(FileKind::Pdf, file).await
}

async fn text(contents: &[String]) -> String {
    read(pdf(contents))
        .await
        .expect("it is read")
        .text
        .trim()
        .to_owned()
}

async fn why(file: Vec<u8>) -> String {
    match read(file).await {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("it is unreadable, not {other:?}"),
    }
}

const PROSE: [&str; 4] = [
    "Bicycles may be returned to us within thirty",
    "days, as long as they were not ridden out-",
    "side, and we will pay the money back at once to",
    "the card that was used.",
];

#[tokio::test]
async fn lines_become_paragraphs_and_words_whole() {
    let content = lines(50, 700, &PROSE) + &lines(50, 640, &["A second one."]);
    assert_eq!(
        text(&[content]).await,
        "Bicycles may be returned to us within thirty days, as long as they were not ridden outside, and we will pay \
         the money back at once to the card that was used.\n\nA second one."
    );
}

#[tokio::test]
async fn columns_are_read_one_after_the_other() {
    let other = [
        "We repair bicycles of all makers here,",
        "even those bought in other shops or",
        "on the market, and we lend you one of",
        "ours until yours is ready again.",
    ];
    let rows = PROSE.iter().zip(other).zip(0..);
    // Written row by row, below a title that stands above both.
    let columns = rows.map(|((left, right), below)| {
        at(50, 650 - 12 * below, left) + &at(310, 650 - 12 * below, right)
    });
    let title = sized(
        "F1",
        20,
        50,
        700,
        "Everything that our shop does for bicycles, on one page",
    );
    let text = text(&[title + &columns.collect::<String>()]).await;
    assert!(text.starts_with("# Everything that"), "{text}");
    assert!(
        text.contains("card that was used.\n\nWe repair bicycles of all makers here, even those"),
        "{text}"
    );
}

#[tokio::test]
async fn rows_of_tables_stay_together() {
    let rows = [
        ["Drink", "Size", "Price"],
        ["Espresso", "small", "2.10"],
        ["Flat white", "", "3.40"],
    ];
    let cells = rows.iter().zip(0..).flat_map(|(row, below)| {
        let cells = row
            .iter()
            .zip([50, 200, 300])
            .filter(|(cell, _)| !cell.is_empty());
        cells.map(move |(cell, x)| at(x, 700 - 16 * below, cell))
    });
    assert_eq!(
        text(&[cells.collect()]).await,
        "| Drink | Size | Price |\n|---|---|---|\n| Espresso | small | 2.10 |\n| Flat white |  | 3.40 |"
    );
}

#[tokio::test]
async fn ruled_lines_tell_what_is_in_a_cell() {
    let mut content = String::new();
    for y in [720, 690, 650] {
        content += &format!("50 {y} m 350 {y} l S\n");
    }
    for x in [50, 150, 350] {
        content += &format!("{x} 720 m {x} 650 l S\n");
    }
    content += &(at(55, 700, "Case") + &at(155, 700, "What to do"));
    content += &(at(55, 675, "A flat tyre")
        + &lines(
            155,
            675,
            &["Call us, stay where you are", "and wait for the van."],
        ));
    assert_eq!(
        text(&[content]).await,
        "| Case | What to do |\n|---|---|\n| A flat tyre | Call us, stay where you are and wait for the van. |"
    );
}

#[tokio::test]
async fn headings_and_lists_keep_their_form() {
    let content = sized("F1", 18, 50, 740, "Handbook")
        + &sized("F2", 10, 50, 710, "Opening hours")
        + &lines(
            50,
            694,
            &[
                "We are open from Monday to Friday, and on",
                "Saturdays in summer. Bring with you:",
            ],
        )
        + &at(50, 666, "\\225 a passport")
        + &at(50, 652, "\\225")
        + &at(65, 652, "a photo");
    assert_eq!(
        text(&[content]).await,
        "# Handbook\n\n## Opening hours\n\nWe are open from Monday to Friday, and on Saturdays in summer. Bring with \
         you:\n\n• a passport\n• a photo"
    );
}

#[tokio::test]
async fn what_repeats_on_the_pages_is_left_out_and_chunks_know_their_page() {
    let topics = ["Tyres", "Brakes", "Chains", "Lamps"];
    let pages = topics.iter().zip(1..).map(|(topic, number)| {
        let edges =
            at(50, 780, "The Bicycle Handbook") + &at(280, 20, &format!("Page {number} of 4"));
        // A price at the same place of each page is no page number.
        edges
            + &sized("F2", 16, 50, 740, topic)
            + &at(50, 60, &format!("{} euros", 7 * number * number))
    });
    let document = read(pdf(&pages.collect::<Vec<_>>()))
        .await
        .expect("it is read");
    assert!(
        !document.text.contains("Handbook") && !document.text.contains("Page"),
        "{}",
        document.text
    );
    for (topic, (page, price)) in topics.iter().zip([(1, 7), (2, 28), (3, 63), (4, 112)]) {
        let chunk = document
            .chunks
            .iter()
            .find(|chunk| chunk.content.contains(topic))
            .expect("every topic is in a chunk");
        assert_eq!(chunk.page, Some(page));
        assert!(
            chunk.content.contains(&format!("{price} euros")),
            "{chunk:?}"
        );
    }
}

#[tokio::test]
async fn letters_are_as_people_type_them() {
    let differences = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica \
                       /Encoding << /Differences [1 /fi /nbspace /.notdef] >> >>";
    let mut all = objects(&[at(50, 700, "of\\001ce\\002hours\\003")]);
    all[2] = differences.into();
    assert_eq!(
        read(file(&all, "")).await.expect("it is read").text.trim(),
        "office hours"
    );
}

#[tokio::test]
async fn text_in_forms_and_fields_is_text() {
    let mut all = objects(&[at(50, 700, "Name:") + "q /X Do Q"]);
    all[4] =
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 6 0 R /Annots [8 0 R] \
        /Resources << /Font << /F1 3 0 R >> /XObject << /X 7 0 R >> >> >>"
            .to_vec();
    // It draws itself as well.
    let form = "/Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> /XObject << /X 7 0 R >> >>";
    all.push(stream(
        form,
        (at(50, 600, "Stamped") + "/X Do /X Do").as_bytes(),
    ));
    all.push(b"<< /Subtype /Widget /FT /Tx /V (Ada) /Rect [90 697 200 710] >>".to_vec());
    assert_eq!(
        read(file(&all, "")).await.expect("it is read").text.trim(),
        "Name: Ada\n\nStamped"
    );
}

#[tokio::test]
async fn damaged_files_give_what_is_left_of_them() {
    let whole = pdf(&[
        at(50, 700, "The first page."),
        at(50, 700, "The second page."),
    ]);
    let cut = whole
        .windows(6)
        .position(|bytes| bytes == b"second")
        .expect("it is there");
    let text = read(whole[..cut].to_vec())
        .await
        .expect("the first page is left")
        .text;
    assert!(text.contains("The first page."), "{text}");
    assert!(why(whole[..60].to_vec()).await.contains("damaged"));
    assert!(why(b"%PDF-1.7\n".to_vec()).await.contains("damaged"));
}

#[tokio::test]
async fn what_holds_no_text_says_what_to_do() {
    let mut scan = objects(&["q 600 0 0 800 0 0 cm /X Do Q".into()]);
    scan[4] = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 6 0 R \
        /Resources << /XObject << /X 7 0 R >> >> >>"
        .to_vec();
    scan.push(stream(
        "/Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray",
        b"x",
    ));
    assert!(why(file(&scan, "")).await.contains("OCR"));
    assert!(why(pdf(&[String::new()])).await.contains("empty"));
    let mut locked = objects(&[at(50, 700, "Secret")]);
    let zeros = "00".repeat(32);
    locked.push(
        format!("<< /Filter /Standard /V 1 /R 2 /P -4 /O <{zeros}> /U <{zeros}> >>").into_bytes(),
    );
    assert!(
        why(file(&locked, "/Encrypt 7 0 R /ID [<00> <00>]"))
            .await
            .contains("password")
    );
}

#[tokio::test]
async fn hostile_files_end_soon() {
    let nested = |open: &str| at(50, 700, "Text") + &open.repeat(100_000);
    for open in ["[", "<<", "(", "q ", "BT ", "BI ID x EI (EI) "] {
        let _ = read(pdf(&[nested(open)])).await;
    }
    // A page tree that bites its tail.
    let mut ring = objects(&[at(50, 700, "Text")]);
    ring[1] = b"<< /Type /Pages /Kids [2 0 R 5 0 R 2 0 R] /Parent 2 0 R >>".to_vec();
    assert_eq!(
        read(file(&ring, "")).await.expect("it is read").text.trim(),
        "Text"
    );
    let mut many = objects(&[String::new()]);
    many[1] = format!(
        "<< /Type /Pages /Kids [{}] >>",
        "<< /Type /Page >> ".repeat(5_001)
    )
    .into_bytes();
    assert!(why(file(&many, "")).await.contains("5,000 pages"));
}
