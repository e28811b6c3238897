//! What reading a large site and a large file costs, and what visitors notice of it.

pub mod pdf;
mod prose;
pub mod site;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::Connection;
use crate::load::{self, Outcome};
use crate::process::Process;
use crate::server::{Provider, Server};
use crate::store::{Engine, Store};

/// Pages of the site.
pub const SITE: usize = 10_000;
/// Pages of the PDF.
pub const BOOK: usize = 1_000;
/// How many of it are read, one after the other: one alone is done before a hundred visitors have come.
pub const BOOKS: usize = 10;
/// Turns a second that visitors take meanwhile: a busy shop, far from what the server could answer.
pub const CHATS: u32 = 100;
/// How often memory and progress are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What was read, and how.
pub struct Reading {
    /// Seconds until it could be answered from.
    pub seconds: f64,
    /// Chunks that it made.
    pub chunks: u64,
    /// The most resident memory of the server and the processes that it started, in megabytes.
    pub memory: f64,
    /// Turns taken meanwhile.
    pub chats: Outcome,
}

/// Everything.
pub struct Figures {
    /// Turns before anything was read.
    pub quiet: Outcome,
    /// The site, for the first time.
    pub site: Reading,
    /// The site, unchanged, once more.
    pub again: Reading,
    /// The PDFs.
    pub books: Reading,
    /// Bytes of the PDF.
    pub book_bytes: usize,
    /// Seconds and megabytes that `pdftotext` takes for it; `None`: it is not installed.
    pub pdftotext: Option<(f64, f64)>,
}

/// Measures on the embedded store.
pub async fn run(program: &Path, cluster: &str, pages: usize) -> Result<Figures> {
    let store = Store::create(program.to_owned(), Engine::Sqlite, cluster).await?;
    let (_site, site) = Process::own(&["site", &pages.to_string()])?;
    let settings = [("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")];
    let server = Server::start_with(&store, Provider::Extractive, &settings).await?;
    let visited = server.make_bot().await?;
    // Read by another bot: what is measured is the machine's load, not a larger search.
    let bot = server.make_bot().await?;
    server.first_turn().await?;
    load::paced(&server.target, CHATS, Duration::from_secs(2)).await?;
    let quiet = load::paced(&server.target, CHATS, Duration::from_secs(20)).await?;
    eprintln!("bench: {CHATS} turns a second, p99 {:.1} ms", quiet.p99);
    let source = json!({
        "bot_id": bot, "name": "Site", "source_type": "url", "url": format!("http://{site}/"),
        "include_subpages": true, "max_pages": pages, "background": true,
    });
    let made = server
        .ask("POST", "/api/v1/knowledge/sources", &source)
        .await?;
    let id = id_of(&made.body)?;
    let first = reading(&server, 1, async |_| Ok(id.clone())).await?;
    let refresh = format!("/api/v1/knowledge/sources/{id}/refresh");
    server.ask("POST", &refresh, &json!({})).await?;
    let again = reading(&server, 1, async |_| Ok(id.clone())).await?;
    let file = pdf::book(BOOK.min(pages));
    let books = reading(&server, BOOKS, async |_| upload(&server, &bot, &file).await).await?;
    ensure!(visited != bot, "two bots");
    server.process.stop()?;
    Ok(Figures {
        quiet,
        site: first,
        again,
        books,
        book_bytes: file.len(),
        pdftotext: pdftotext(&file)?,
    })
}

/// Waits until sources have been read, one after the other, with visitors around.
async fn reading(
    server: &Server,
    count: usize,
    next: impl AsyncFn(usize) -> Result<String>,
) -> Result<Reading> {
    let began = Instant::now();
    let watch = async {
        let (mut memory, mut chunks) = (0_f64, 0);
        for number in 0..count {
            let id = next(number).await?;
            let path = format!("/api/v1/knowledge/sources/{id}?include_content=false");
            chunks += loop {
                tokio::time::sleep(LOOK).await;
                memory = memory.max(server.process.family_memory()?);
                let answer = server.ask("GET", &path, &Value::Null).await?;
                let answer: Value = serde_json::from_slice(&answer.body)?;
                let source = &answer["data"]["source"];
                if source["status"] == "ready" && source["progress"].is_null() {
                    break source["chunk_count"].as_u64().unwrap_or_default();
                }
                ensure!(source["status"] != "failed", "{source}");
                ensure!(
                    began.elapsed() < Duration::from_secs(1800),
                    "it takes too long: {source}"
                );
            };
        }
        anyhow::Ok((memory, chunks, began.elapsed().as_secs_f64()))
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let chats = load::paced_until(&server.target, CHATS, stopped);
    let watch = async {
        let watched = watch.await;
        let _ = stop.send(true);
        watched
    };
    let (watched, chats) = tokio::join!(watch, chats);
    let (memory, chunks, seconds) = watched?;
    let reading = Reading {
        seconds,
        chunks,
        memory,
        chats: chats?,
    };
    eprintln!(
        "bench: read in {seconds:.1} s, {} chunks, {memory:.0} MB, chats p99 {:.1} ms",
        reading.chunks, reading.chats.p99
    );
    Ok(reading)
}

fn id_of(body: &[u8]) -> Result<String> {
    let made: Value = serde_json::from_slice(body)?;
    let id = made["data"]["id"].as_str().context("no source was made")?;
    Ok(id.to_owned())
}

async fn upload(server: &Server, bot: &str, file: &[u8]) -> Result<String> {
    let mark = "botwright-bench";
    let mut body = format!(
        "--{mark}\r\nContent-Disposition: form-data; name=\"bot_id\"\r\n\r\n{bot}\r\n--{mark}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"book.pdf\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{mark}--\r\n").as_bytes());
    let mut connection = Connection::open(server.target.address).await?;
    let head = format!(
        "POST /api/v1/knowledge/upload HTTP/1.1\r\nHost: localhost\r\n{}\
         Content-Type: multipart/form-data; boundary={mark}\r\nContent-Length: {}\r\n\r\n",
        server.target.headers,
        body.len()
    );
    connection.send(head.as_bytes()).await?;
    connection.send(&body).await?;
    let answer = connection.receive().await?.context("no answer")?;
    ensure!(
        answer.status() == 201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    id_of(&answer.body)
}

/// What the usual tool takes for the same file: seconds, and megabytes at most.
fn pdftotext(file: &[u8]) -> Result<Option<(f64, f64)>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("book.pdf");
    std::fs::write(&path, file)?;
    let began = Instant::now();
    let mut command = std::process::Command::new("pdftotext");
    let Ok(mut process) = Process::start(command.arg(&path).arg(folder.path().join("book.txt")))
    else {
        return Ok(None);
    };
    let mut memory = 0_f64;
    while process.check().is_ok() {
        memory = memory.max(process.memory().unwrap_or_default());
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(Some((began.elapsed().as_secs_f64(), memory)))
}
