//! HTTP by hand, for what no well-behaved client sends.

use std::time::Duration;

use serde_json::Value;
use testkit::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any answer may take, the one to a request that never ends included.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, read as bytes.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl RawAnswer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

pub async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.url().trim_start_matches("http://"))
        .await
        .unwrap()
}

/// A request's head with the tenant's key; `headers` are lines without their ends.
pub fn head(server: &TestServer, method: &str, target: &str, headers: &[&str]) -> Vec<u8> {
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nhost: test\r\nx-api-key: {}\r\n",
        server.api_key
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends bytes, says that no more will come, and reads the answer.
pub async fn exchange(server: &TestServer, bytes: &[u8]) -> RawAnswer {
    let mut connection = connect(server).await;
    // A server that has refused already may have closed its ear.
    let _ = connection.write_all(bytes).await;
    let _ = connection.shutdown().await;
    answer(&mut connection).await
}

/// Reads one answer.
pub async fn answer(connection: &mut TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    let reading = async {
        let mut buffer = [0; 16 * 1024];
        while whole(&bytes).is_none() {
            match connection.read(&mut buffer).await {
                Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
                _ => break,
            }
        }
    };
    timeout(PATIENCE, reading)
        .await
        .unwrap_or_else(|_| panic!("an answer comes within {PATIENCE:?}"));
    whole(&bytes)
        .unwrap_or_else(|| panic!("no whole answer: {:?}", String::from_utf8_lossy(&bytes)))
}

fn whole(bytes: &[u8]) -> Option<RawAnswer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length: ")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    let body = bytes.get(end..end + length.unwrap_or(0))?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(RawAnswer {
        status,
        head,
        body: String::from_utf8_lossy(body).into_owned(),
    })
}
