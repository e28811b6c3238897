//! A website of any size: pages of some hundred words between a menu and a footer.

use std::io::Write;

use anyhow::Result;
use tokio::net::TcpListener;

use super::prose;
use crate::http::Connection;

/// Links on a page that lists others.
const LINKS: usize = 100;

/// Serves a site of so many pages until it is killed; prints its address first. It takes what processor time others
/// leave: a foreign site would take none of this machine's.
pub async fn serve(pages: usize) -> Result<()> {
    rustix::process::nice(19)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut connection = Connection::on(socket);
            while let Ok(Some(request)) = connection.receive().await {
                let path = request.first_line.split(' ').nth(1).unwrap_or_default();
                if connection.send(&answer(path, pages)).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn answer(path: &str, pages: usize) -> Vec<u8> {
    let number = match path {
        "/" => Some(0),
        _ => path
            .strip_prefix("/page/")
            .and_then(|number| number.parse().ok())
            .filter(|number| *number < pages),
    };
    let (status, body) = match number {
        Some(number) => ("200 OK", page(number, pages)),
        None => ("404 Not Found", "<p>Not found</p>".to_owned()),
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nETag: \"{}\"\r\nContent-Length: {}\r\n\r\n{body}",
        number.unwrap_or_default(),
        body.len()
    )
    .into_bytes()
}

/// The start page and every hundredth list the hundred behind them; each leads to the next list.
fn page(number: usize, pages: usize) -> String {
    let mut links = String::new();
    if number.is_multiple_of(LINKS) {
        for other in number + 1..=(number + LINKS).min(pages - 1) {
            links += &format!("<li><a href=\"/page/{other}\">Topic {other}</a></li>");
        }
    }
    let sections: String = (0..4)
        .map(|section| {
            let words = prose::words(number * 4 + section, 120);
            format!("<h2>Part {section} of topic {number}</h2><p>{words}</p>")
        })
        .collect();
    format!(
        "<!doctype html><html><head><title>Topic {number}</title></head><body>\
         <header><nav><ul><li><a href=\"/\">Home</a></li></ul></nav></header>\
         <main><h1>Topic {number}</h1>{sections}<ul>{links}</ul></main>\
         <footer><p>All rights reserved.</p></footer></body></html>"
    )
}
