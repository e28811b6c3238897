//! OpenTelemetry: what goes to the operator's collector, and what must not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use testkit::NewBot;

use crate::program::Place;

/// A collector that takes OTLP over HTTP: each request's path and body.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut connection = connection.unwrap();
                let mut reader = BufReader::new(connection.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                    let mut length = 0;
                    loop {
                        line.clear();
                        reader.read_line(&mut line).unwrap();
                        if line.trim().is_empty() {
                            break;
                        }
                        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap();
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    let _ = sender.send((path, body));
                    connection
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .unwrap();
                    line.clear();
                }
            });
        }
    });
    (url, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_show_the_way_of_a_message_and_none_of_its_words() {
    let (url, collected) = collector();
    let place = Place::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    let (_, key) = place.tenant("Traced tenant");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = client.create_bot(&NewBot::named("Bot")).await.unwrap();
    client
        .create_text(&bot.id, "Hours", "The zeppelin leaves at nine.")
        .await
        .unwrap();
    client
        .send("session", "When does the zeppelin leave?")
        .await
        .unwrap();
    // The last spans go out while it stops.
    server.stop().await;
    let mut all = Vec::new();
    while let Ok((path, body)) = collected.recv_timeout(Duration::from_secs(1)) {
        assert_eq!(path, "/v1/traces");
        all.extend(body);
    }
    let told = String::from_utf8_lossy(&all);
    for span in [
        "request",
        "authenticate",
        "conversations.send",
        "conversations.receive",
        "retrieval",
        "provider",
        "conversations.reply",
    ] {
        assert!(told.contains(span), "there is no span '{span}'");
    }
    for secret in ["zeppelin", key.as_str()] {
        assert!(!told.contains(secret), "a trace holds '{secret}'");
    }
}
