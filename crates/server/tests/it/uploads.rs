//! Files: `/knowledge/upload` and the file type of `/knowledge/sources`.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer, files};
use tokio::io::AsyncWriteExt;

use crate::raw;
use crate::support::{
    ASK_HOURS, Told, assert_id, delete, get, keys, make_bot, on_both, read_source, say, text,
};

on_both!(
    an_upload_is_answered_as_documented_and_becomes_ready,
    every_type_is_read,
    the_byte_order_mark_decides_the_encoding,
    the_limit_is_exact,
    too_large_is_refused_from_the_header_alone,
    what_is_not_supported_is_refused,
    what_cannot_be_read_fails_with_a_reason,
    a_source_may_be_deleted_while_it_is_processed,
);

const LIMIT: usize = 10_485_760;

pub async fn upload(client: &Client, bot: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    client.upload(bot, name, bytes.into()).await.unwrap()
}

pub async fn bot(server: &TestServer) -> String {
    text(&make_bot(&server.client, json!({})).await, "id").to_owned()
}

async fn an_upload_is_answered_as_documented_and_becomes_ready(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let words = "Q: What are your opening hours?\nA: Our opening hours are 9 AM to 6 PM.\n";
    let answer = upload(client, &bot, "knowledge.txt", words).await;
    let made = answer.gives(201);
    assert_eq!(
        keys(made),
        [
            "file_size",
            "id",
            "message",
            "name",
            "source_type",
            "status"
        ]
    );
    assert_id(&made["id"]);
    for (field, value) in [
        ("name", json!("knowledge.txt")),
        ("source_type", json!("file")),
        ("status", json!("processing")),
        ("file_size", json!(words.len())),
        ("message", json!("File uploaded and processing started")),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let source = read_source(client, text(made, "id")).await;
    assert_eq!(
        (&source["status"], &source["error"]),
        (&json!("ready"), &Value::Null)
    );
    assert_eq!(
        (&source["file_path"], &source["name"]),
        (&json!("/uploads/knowledge.txt"), &json!("knowledge.txt"))
    );
    assert_eq!(
        (&source["size_bytes"], &source["content"]),
        (&json!(words.len()), &json!(words))
    );
    let turn = say(client, "s", ASK_HOURS).await;
    assert!(text(&turn["bot_response"], "message").contains("9 AM to 6 PM"));
    let list = get(client, "/knowledge/sources").await;
    assert_eq!(
        (
            &list.lists()[0]["file_path"],
            &list.lists()[0]["content_preview"]
        ),
        (&source["file_path"], &json!(words))
    );
}

async fn every_type_is_read(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let paragraph = "<w:p><w:r><w:t>The code word is Jasper.</w:t></w:r></w:p>";
    let docx = || files::docx(paragraph, &[]);
    let doc = [files::DocParagraph::plain("The code word is Kaolin.")];
    let mut types = vec![
        ("e.pdf", files::pdf("The code word is Halite."), "Halite"),
        ("f.docx", docx(), "Jasper"),
        ("g.doc", files::doc(&doc, false), "Kaolin"),
        // What a file holds decides, not its name.
        ("h.doc", docx(), "Jasper"),
        ("i.txt", files::pdf("The code word is Halite."), "Halite"),
    ];
    for (name, bytes, word) in [
        ("a.txt", "The code word is Alabaster.", "Alabaster"),
        ("b.md", "# Head\n\nThe code word is *Basalt*.", "Basalt"),
        (
            "c.csv",
            "name,stone\nAda,Chalk\nBo,\"Dolomite, grey\"\n",
            "Dolomite",
        ),
        ("UPPER.TXT", "The code word is Emerald.", "Emerald"),
        ("two.dots.md", "The code word is Flint.", "Flint"),
        (
            "d.html",
            "<title>Stones</title><main><p>The code word is Gneiss.</p></main>",
            "Gneiss",
        ),
    ] {
        types.push((name, bytes.as_bytes().to_vec(), word));
    }
    for (name, bytes, word) in types {
        let made = upload(client, &bot, name, bytes).await.gives(201).clone();
        let source = read_source(client, text(&made, "id")).await;
        assert_eq!(source["status"], "ready", "{source}");
        assert!(text(&source, "content").contains(word), "{source}");
        assert!(source["chunk_count"].as_u64().unwrap() > 0);
    }
}

async fn the_byte_order_mark_decides_the_encoding(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let words = "Öffnungszeiten: 9 bis 18 Uhr – täglich, außer am Sonntag. Größere Bestellungen bitte früh.";
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        mark.into_iter()
            .chain(words.encode_utf16().flat_map(bytes))
            .collect::<Vec<_>>()
    };
    let latin: Vec<u8> = words
        .chars()
        .map(|c| {
            if c == '–' {
                0x96
            } else {
                u8::try_from(u32::from(c)).unwrap()
            }
        })
        .collect();
    for (name, bytes) in [
        ("utf8.txt", words.as_bytes().to_vec()),
        (
            "utf8-marked.txt",
            [b"\xef\xbb\xbf", words.as_bytes()].concat(),
        ),
        ("utf16le.txt", utf16([0xff, 0xfe], u16::to_le_bytes)),
        ("utf16be.txt", utf16([0xfe, 0xff], u16::to_be_bytes)),
        ("windows1252.txt", latin),
    ] {
        let made = upload(client, &bot, name, bytes).await.gives(201).clone();
        let source = read_source(client, text(&made, "id")).await;
        assert_eq!(text(&source, "content").trim(), words, "{name}");
    }
}

async fn the_limit_is_exact(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let mut bytes = "All work and no play makes a dull file. \n"
        .repeat(LIMIT / 40)
        .into_bytes();
    bytes.truncate(LIMIT);
    let answer = upload(client, &bot, "just.txt", bytes.clone()).await;
    let made = answer.gives(201);
    assert_eq!(made["file_size"], LIMIT);
    let path = format!("/knowledge/sources/{}", text(made, "id"));
    bytes.push(b'x');
    let answer = upload(client, &bot, "over.txt", bytes.clone()).await;
    answer.refuses(413, "Payload too large");
    let form = Form::new()
        .text("bot_id", bot.clone())
        .text("name", "N")
        .text("source_type", "file");
    let form = form.part("file", Part::bytes(bytes).file_name("over.txt"));
    let request = client
        .request(Method::POST, "/knowledge/sources")
        .multipart(form);
    client
        .answer(request)
        .await
        .unwrap()
        .refuses(413, "Payload too large");
    assert_eq!(get(client, "/knowledge/sources").await.lists().len(), 1);
    // A dull ten megabytes need not be read to their end here.
    delete(client, &path).await;
}

/// Nothing of the body is ever sent: the answer comes all the same, and the connection ends.
async fn too_large_is_refused_from_the_header_alone(server: &TestServer) {
    for target in [
        "/api/v1/knowledge/upload",
        "/api/v1/knowledge/sources",
        "/api/v1/bots",
        "/api/v1/knowledge/search",
    ] {
        for keyed in ["x-nothing: 1", "idempotency-key: k"] {
            let content_type = match target {
                "/api/v1/knowledge/upload" | "/api/v1/knowledge/sources" => {
                    "content-type: multipart/form-data; boundary=b"
                }
                _ => "content-type: application/json",
            };
            let head = raw::head(
                server,
                "POST",
                target,
                &["content-length: 1073741824", content_type, keyed],
            );
            let mut connection = raw::connect(server).await;
            connection.write_all(&head).await.unwrap();
            let answer = raw::answer(&mut connection).await;
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (413, &json!("Payload too large")),
                "{target} {}",
                answer.body
            );
            assert_eq!(keys(&answer.json()), ["error", "message", "success"]);
        }
    }
}

async fn what_is_not_supported_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    for name in [
        "a.exe",
        "a.png",
        "a.txt.zip",
        "txt",
        "a.",
        ".gitignore",
        "a.rtf",
        "a.xlsx",
    ] {
        let answer = upload(client, &bot, name, "words").await;
        let message = answer.refuses(400, "Invalid field: file");
        assert!(
            ["TXT", "PDF", "DOC", "DOCX", "MD", "CSV"]
                .iter()
                .all(|kind| message.contains(kind)),
            "{message}"
        );
    }
    assert!(get(client, "/knowledge/sources").await.lists().is_empty());
}

async fn what_cannot_be_read_fails_with_a_reason(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    for (name, bytes) in [
        ("empty.txt", Vec::new()),
        ("blank.md", b" \n\t\n".to_vec()),
        ("nothing.csv", b"\n\n".to_vec()),
    ] {
        let answer = upload(client, &bot, name, bytes).await;
        let source = read_source(client, text(answer.gives(201), "id")).await;
        assert_eq!(source["status"], "failed", "{name}: {source}");
        assert!(text(&source, "error").len() > 10);
        assert_eq!(source["chunk_count"], 0);
    }
    // Bytes that pretend to be text end well or badly, but they end.
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for (name, bytes) in [
        ("noise.txt", noise.clone()),
        ("noise.csv", noise),
        ("zip.txt", b"PK\x03\x04\0\0\0\0".to_vec()),
        ("nul.md", b"a\0b".to_vec()),
    ] {
        let answer = upload(client, &bot, name, bytes).await;
        let source = read_source(client, text(answer.gives(201), "id")).await;
        assert!(
            ["ready", "failed"].contains(&text(&source, "status")),
            "{source}"
        );
    }
}

async fn a_source_may_be_deleted_while_it_is_processed(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let large = "The quick brown fox jumps over the lazy dog. \n".repeat(100_000);
    let mut gone = Vec::new();
    for number in 0..5 {
        let answer = upload(client, &bot, &format!("{number}.txt"), large.clone()).await;
        let id = text(answer.gives(201), "id").to_owned();
        delete(client, &format!("/knowledge/sources/{id}")).await;
        gone.push(id);
    }
    // One that is read behind them shows that they have had their turn.
    let answer = upload(client, &bot, "last.txt", "The last words.").await;
    assert_eq!(
        read_source(client, text(answer.gives(201), "id")).await["status"],
        "ready"
    );
    for id in gone {
        get(client, &format!("/knowledge/sources/{id}"))
            .await
            .refuses(404, "Knowledge source not found");
    }
    assert_eq!(get(client, "/knowledge/sources").await.lists().len(), 1);
    assert!(
        client
            .search(&bot, "quick brown fox")
            .await
            .unwrap()
            .results
            .is_empty()
    );
}
