//! The promises of [`DocumentReader`].

use std::time::{Duration, Instant};

use domain::documents::{Document, DocumentReader, FileKind, ReadError};

/// Makes one test per promise of [`DocumentReader`]. `$open` is the path of an `async fn() -> (R, G)` that gives
/// a reader, and what must live as long as it (`()` where there is nothing).
#[macro_export]
macro_rules! document_reader_contract {
    ($open:path) => {
        $crate::document_reader_contract!(@ $open:
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
            what_is_no_text_is_unreadable_and_named,
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

const KINDS: [FileKind; 3] = [FileKind::Txt, FileKind::Md, FileKind::Csv];
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
}

/// Whatever its name ends in.
pub async fn what_is_no_text_is_unreadable_and_named(reader: &dyn DocumentReader) {
    let noise: Vec<u8> = (0..9_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for kind in KINDS {
        for (bytes, name) in [
            (&b"%PDF-1.7\n1 0 obj"[..], "PDF"),
            (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "ZIP"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "Office"),
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
