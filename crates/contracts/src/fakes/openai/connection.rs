//! A connection to the provider, byte by byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::wire::{Wire, embeddings, last_message};
use super::{Behaviour, REMEMBERED, Recorded, Shared};

/// Serves all who come.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = shared.clone();
        connections.spawn(async move {
            let _open = Open::count(&shared);
            // A client that hangs up is no fault of the provider's.
            let _ = Connection::new(socket).serve(&shared).await;
        });
    }
}

/// Counts a connection for as long as it is open, however it ends.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn count(shared: &'a Shared) -> Self {
        shared.open.fetch_add(1, Ordering::SeqCst);
        Self(&shared.open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        let _ = socket.set_nodelay(true);
        Self {
            socket,
            received: Vec::new(),
        }
    }

    async fn serve(&mut self, shared: &Shared) -> std::io::Result<()> {
        while let Some(request) = self.read_request().await? {
            let behaviour = {
                let mut state = shared.state();
                let state = &mut *state;
                state.requests.push_back(request.clone());
                if state.requests.len() > REMEMBERED {
                    state.requests.pop_front();
                }
                let planned = state.queue.pop_front().or_else(|| state.default.clone());
                planned.unwrap_or(Behaviour::Echo)
            };
            if !self.answer(&request, behaviour, shared).await? {
                break;
            }
        }
        Ok(())
    }

    /// The next request; `None` when the client has closed the connection.
    async fn read_request(&mut self) -> std::io::Result<Option<Recorded>> {
        let head_len = loop {
            if let Some(at) = self.received.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.received[..head_len]).into_owned();
        let mut lines = head.lines();
        let path = lines.next().and_then(|line| line.split(' ').nth(1));
        let path = path.unwrap_or_default().to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
        while self.received.len() < head_len + length {
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        }
        let body = serde_json::from_slice(&self.received[head_len..head_len + length]);
        self.received.drain(..head_len + length);
        Ok(Some(Recorded {
            path,
            headers,
            body: body.unwrap_or(Value::Null),
        }))
    }

    /// Answers a request. `false`: the connection is over.
    async fn answer(
        &mut self,
        request: &Recorded,
        behaviour: Behaviour,
        shared: &Shared,
    ) -> std::io::Result<bool> {
        let embeds = request.path.starts_with("/v1/embeddings");
        if embeds && matches!(behaviour, Behaviour::Answer(_) | Behaviour::Echo) {
            let made = embeddings(&request.body, &shared.state().synonyms);
            self.whole(200, &[], &made).await?;
            return Ok(true);
        }
        let wire = if embeds {
            Some(Wire::OpenAi)
        } else {
            Wire::of(&request.path)
        };
        let Some(wire) = wire else {
            self.whole(404, &[], &Wire::OpenAi.error("not_found"))
                .await?;
            return Ok(true);
        };
        let streamed = request.body["stream"] == true;
        match behaviour {
            Behaviour::Answer(text) => self.words(wire, streamed, &text).await?,
            Behaviour::Echo => {
                self.words(wire, streamed, &last_message(&request.body))
                    .await?
            }
            Behaviour::Calls(calls) => {
                let body = wire.calls(&request.body, &calls);
                self.whole(200, &[], &body).await?;
            }
            Behaviour::EmptyText => self.words(wire, streamed, "").await?,
            Behaviour::PlainJson(text) => self.words(wire, false, &text).await?,
            Behaviour::Status {
                code,
                headers,
                body,
            } => self.whole(code, &headers, &body).await?,
            Behaviour::Html => {
                let headers = [("content-type".into(), "text/html".into())];
                self.whole(200, &headers, "<!doctype html><title>Welcome</title>")
                    .await?;
            }
            Behaviour::Slow { text, pause } => {
                self.socket.write_all(STREAM_HEAD).await?;
                for event in wire.events(&text) {
                    tokio::time::sleep(pause).await;
                    self.socket.write_all(&chunk(&event)).await?;
                }
                self.socket.write_all(STREAM_END).await?;
            }
            Behaviour::Trickle { pause } => {
                let mut bytes = STREAM_HEAD.to_vec();
                bytes.extend(chunk(&wire.events("one byte after another").concat()));
                for byte in bytes {
                    tokio::time::sleep(pause).await;
                    self.socket.write_all(&[byte]).await?;
                }
                self.socket.write_all(STREAM_END).await?;
            }
            Behaviour::NoEndMark(text) => self.stream(&[wire.open_events(&text)]).await?,
            Behaviour::BrokenJson if !streamed => self.whole(200, &[], "{\"choices\": [").await?,
            Behaviour::NoChoices if !streamed => {
                self.whole(200, &[], "{\"choices\": []}").await?;
            }
            Behaviour::BrokenJson => self.stream(&["data: {\"choices\": [\n\n".into()]).await?,
            Behaviour::NoChoices => {
                let none = "data: {\"choices\": []}\n\n".to_owned();
                self.stream(&[none, "data: [DONE]\n\n".into()]).await?;
            }
            Behaviour::Huge(size) => {
                self.socket.write_all(STREAM_HEAD).await?;
                let event = chunk(&wire.open_events(&"many words ".repeat(1_000)));
                let mut sent = 0;
                while sent < size {
                    self.socket.write_all(&event).await?;
                    sent += event.len();
                }
                self.socket.write_all(STREAM_END).await?;
            }
            Behaviour::Cut(text) => {
                self.socket.write_all(STREAM_HEAD).await?;
                let events = wire.open_events(&text);
                self.socket.write_all(&chunk(&events)).await?;
                return Ok(false);
            }
            Behaviour::HangUp => return Ok(false),
            Behaviour::Hang => {
                // Until the client gives up, so that it can be seen that it did.
                while self.socket.read_buf(&mut self.received).await? > 0 {}
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn words(&mut self, wire: Wire, streamed: bool, text: &str) -> std::io::Result<()> {
        if streamed {
            self.stream(&[wire.events(text).concat()]).await
        } else {
            self.whole(200, &[], &wire.body(text)).await
        }
    }

    async fn stream(&mut self, events: &[String]) -> std::io::Result<()> {
        let mut bytes = STREAM_HEAD.to_vec();
        bytes.extend(chunk(&events.concat()));
        bytes.extend(STREAM_END);
        self.socket.write_all(&bytes).await
    }

    async fn whole(
        &mut self,
        code: u16,
        headers: &[(String, String)],
        body: &str,
    ) -> std::io::Result<()> {
        let mut answer = format!(
            "HTTP/1.1 {code} Status\r\ncontent-length: {}\r\n",
            body.len()
        );
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            answer.push_str("content-type: application/json\r\n");
        }
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str("\r\n");
        answer.push_str(body);
        self.socket.write_all(answer.as_bytes()).await
    }
}

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const STREAM_END: &[u8] = b"0\r\n\r\n";

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}
