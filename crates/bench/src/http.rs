//! Just enough of HTTP/1.1 for a client and a stub that cost next to nothing.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request or a response, as far as a benchmark looks at it.
pub struct Message {
    /// The request line or the status line.
    pub first_line: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// The status of a response; 0 where there is none.
    pub fn status(&self) -> u16 {
        let word = self.first_line.split(' ').nth(1);
        word.and_then(|word| word.parse().ok()).unwrap_or(0)
    }
}

/// A connection that is kept open, from either end.
pub struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self::on(TcpStream::connect(address).await?))
    }

    /// The other end of one that was accepted.
    pub fn on(socket: TcpStream) -> Self {
        // Without it a delayed acknowledgement would be measured instead of the server.
        let _ = socket.set_nodelay(true);
        Self {
            socket,
            received: Vec::with_capacity(8 * 1024),
        }
    }

    /// Sends a request and reads its answer. `headers` are whole lines.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<Message> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(request.as_bytes()).await?;
        let answer = self.receive().await?;
        answer.context("the server closed the connection instead of answering")
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.socket.write_all(bytes).await?)
    }

    /// Reads the next message; `None`: the other end has closed.
    pub async fn receive(&mut self) -> Result<Option<Message>> {
        let head_end = loop {
            if let Some(at) = self.received.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).into_owned();
        let end = head_end + content_length(&head)?;
        while self.received.len() < end {
            if self.fill().await? == 0 {
                bail!("the connection broke off within a body");
            }
        }
        let body = self.received[head_end..end].to_vec();
        self.received.drain(..end);
        let first_line = head.lines().next().unwrap_or_default().to_owned();
        Ok(Some(Message { first_line, body }))
    }

    async fn fill(&mut self) -> Result<usize> {
        Ok(self.socket.read_buf(&mut self.received).await?)
    }
}

fn content_length(head: &str) -> Result<usize> {
    for line in head.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_told_apart_however_they_arrive() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let mut client = Connection::open(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut server = Connection::on(socket);
        let two = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabHTTP/1.1 404 Not Found\r\n\r\n";
        for byte in two.as_bytes() {
            server.send(&[*byte]).await.unwrap();
        }
        drop(server);
        let first = client.receive().await.unwrap().unwrap();
        assert_eq!((first.status(), first.body.as_slice()), (200, &b"ab"[..]));
        let second = client.receive().await.unwrap().unwrap();
        assert_eq!((second.status(), second.body.len()), (404, 0));
        assert!(client.receive().await.unwrap().is_none());
    }
}
