//! A provider of chat completions at no delay: every question gets the same streamed answer.

use std::io::Write;

use anyhow::Result;
use tokio::net::TcpListener;

use crate::http::Connection;

const WORDS: [&str; 12] = [
    "We ", "are ", "open ", "from ", "eight ", "to ", "six, ", "on ", "Sundays ", "from ", "ten ",
    "on.",
];

/// Serves until it is killed; prints its address first.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let answer: &'static [u8] = answer().leak();
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut connection = Connection::on(socket);
            while let Ok(Some(_)) = connection.receive().await {
                if connection.send(answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// The answer with its head, as one write.
fn answer() -> Vec<u8> {
    let piece = |delta: &str, finish: &str| {
        format!(
            "data: {{\"object\":\"chat.completion.chunk\",\"model\":\"stub\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut events: String = WORDS
        .iter()
        .map(|word| piece(&format!("{{\"content\":\"{word}\"}}"), "null"))
        .collect();
    events += &piece("{}", "\"stop\"");
    events += "data: {\"object\":\"chat.completion.chunk\",\"model\":\"stub\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":12,\"total_tokens\":112}}\n\n";
    events += "data: [DONE]\n\n";
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{events}",
        events.len()
    )
    .into_bytes()
}
