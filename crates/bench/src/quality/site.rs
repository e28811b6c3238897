//! A website with questions: its pages in `www`, and `questions.jsonl` beside them.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Asked, ask, chunks_of, make_bot, rows};
use crate::http::Connection;
use crate::process::Process;
use crate::server::Server;

/// Where the pages say that they are.
const ADDRESS: &str = "127.0.0.1:8765";
/// More than the site has.
const PAGES: u32 = 100;

#[derive(Deserialize)]
struct Question {
    question: String,
    answerable: bool,
    #[serde(default)]
    gold_url: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
}

/// Makes a bot that has read the site.
pub(super) async fn fill(server: &Server, folder: &Path) -> Result<(String, Vec<Asked>)> {
    let questions: Vec<Question> = rows(&folder.join("questions.jsonl"))?;
    let pages = folder.join("www");
    let (_site, address) = Process::own(&["folder", &pages.to_string_lossy()])?;
    let bot = make_bot(server, "site", "en").await?;
    let source = json!({
        "bot_id": bot, "name": "Site", "source_type": "url", "url": format!("http://{address}/"),
        "include_subpages": true, "max_pages": PAGES, "background": true,
    });
    let made = ask(server, "POST", "/api/v1/knowledge/sources", source).await?;
    let id = made["id"].as_str().context("no source was made")?;
    let path = format!("/api/v1/knowledge/sources/{id}");
    loop {
        let now = ask(server, "GET", &path, Value::Null).await?;
        match now["source"]["status"].as_str() {
            Some("processing") => tokio::time::sleep(Duration::from_millis(100)).await,
            status => {
                ensure!(status == Some("ready"), "{}", now["source"]);
                break;
            }
        }
    }
    let chunks = chunks_of(server, id).await?;
    let of_page = |path: &String| {
        let url = format!("http://{address}{path}");
        let is_its = move |chunk: &&Value| chunk["url"] == url.as_str();
        chunks
            .iter()
            .filter(is_its)
            .filter_map(|chunk| chunk["id"].as_str())
    };
    let asked = questions.iter().map(|question| Asked {
        question: question.question.clone(),
        unanswerable: (!question.answerable).then(|| "off topic".to_owned()),
        chunks: question
            .gold_url
            .iter()
            .flat_map(of_page)
            .map(str::to_owned)
            .collect(),
        phrases: question.answers.clone(),
    });
    Ok((bot, asked.collect()))
}

/// Serves a folder of pages until it is killed; prints its address first.
pub async fn serve(folder: PathBuf) -> Result<()> {
    let listener = TcpListener::bind(ADDRESS).await.context(ADDRESS)?;
    println!("{ADDRESS}");
    loop {
        let (socket, _) = listener.accept().await?;
        let folder = folder.clone();
        tokio::spawn(async move {
            let mut connection = Connection::on(socket);
            while let Ok(Some(request)) = connection.receive().await {
                let path = request.first_line.split(' ').nth(1).unwrap_or_default();
                if connection.send(&answer(&folder, path)).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn answer(folder: &Path, path: &str) -> Vec<u8> {
    let file = Path::new(path.trim_start_matches('/'));
    let is_inside = file
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let mut file = folder.join(file);
    if file.is_dir() {
        file.push("index.html");
    }
    let found = is_inside.then(|| std::fs::read(&file).ok()).flatten();
    let (status, body) = match found {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", b"Not found".to_vec()),
    };
    let kind = match file.extension().and_then(|kind| kind.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("xml") => "application/xml",
        _ => "text/plain; charset=utf-8",
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
