//! Files of HTML.

use std::time::{Duration, Instant};

use documents::Reader;
use domain::documents::{Document, DocumentReader, FileKind, ReadError};

async fn read(html: impl Into<Vec<u8>>) -> Result<Document, ReadError> {
    Reader::new().read(FileKind::Html, html.into()).await
}

async fn text(html: impl Into<Vec<u8>>) -> String {
    read(html).await.unwrap().text
}

#[tokio::test]
async fn the_title_stands_above_where_no_heading_does() {
    let body = "<h2>Hours</h2><p>We open at nine o'clock.</p>";
    let page =
        |head: &str, body: &str| format!("<html><head>{head}</head><body>{body}</body></html>");
    assert_eq!(
        text(page("<title>The Shop</title>", body)).await,
        "# The Shop\n\n## Hours\n\nWe open at nine o'clock."
    );
    assert_eq!(
        text(page("<title>x</title>", &format!("<h1>Welcome</h1>{body}"))).await,
        "# Welcome\n\n## Hours\n\nWe open at nine o'clock."
    );
    assert_eq!(
        text("Just words & <b>more</b> of them").await,
        "Just words & **more** of them"
    );
}

#[tokio::test]
async fn every_encoding_is_read() {
    let (latin, ..) = ("<meta charset=latin1><p>Caf\u{e9}</p>", ());
    let latin: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    let wide: Vec<u8> = "\u{feff}<html><p>Café</p>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [latin, wide, "<p>Café</p>".into()] {
        assert_eq!(text(bytes).await, "Café");
    }
}

#[tokio::test]
async fn pages_without_words_of_their_own_say_what_to_do() {
    for (html, words) in [
        ("<div id=root></div><script>go()</script>", "JavaScript"),
        (
            "<meta http-equiv=refresh content='0; url=https://example.com/'>",
            "another one",
        ),
        ("<body></body>", "no text"),
    ] {
        let Err(ReadError::Unreadable(why)) = read(html).await else {
            panic!("{html} was read");
        };
        assert!(why.contains(words) && why.contains("PDF"), "{why}");
    }
}

#[tokio::test]
async fn a_whole_book_is_read_and_more_is_refused_aloud() {
    let paragraph = "<p>We open at nine on every <b>day</b> of the week.</p>";
    let book = text(paragraph.repeat(60_000)).await;
    assert_eq!(book.matches("nine").count(), 60_000);
    let Err(ReadError::Unreadable(why)) = read("<p>Words.".repeat(500_000)).await else {
        panic!("a part of it was read");
    };
    assert!(why.contains("too large"), "{why}");
}

#[tokio::test]
async fn time_goes_with_the_size_of_a_page() {
    const SIZE: usize = 300_000;
    for unit in [
        "<",
        "</",
        "<p>",
        "<b>",
        "</p>",
        "<a href=x>",
        "<table><tr><td>",
        "<td>",
        "<li>a",
        "<!--",
        "<![CDATA[",
        "&amp;",
        "&",
        "&#x41;",
        "<p a",
        "<p a=\"",
        "<script>",
        "<textarea>",
        "<svg><p>",
        "<font><div>",
        "<h1>a",
        "<br>",
        "a ",
        "\u{301}",
        "<ul><li>a</ul>",
        "<pre>\n",
        "<select><option>",
        "<form><p>",
        "<math><mi>",
    ] {
        let began = Instant::now();
        let read = read(unit.repeat(SIZE / unit.len())).await;
        assert!(
            !matches!(read, Err(ReadError::Failed(_))),
            "{unit}: {read:?}"
        );
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{unit}: {took:?}");
    }
}
