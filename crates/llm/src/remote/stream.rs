//! Reading what a provider sends: bytes with limits, and the events in them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use domain::answers::ProviderError;
use reqwest::Response;
use tokio::time::timeout;

use super::settings::Limits;

/// The body of an answer, cut off where it goes on for too long or is too large.
pub struct Body {
    response: Response,
    left: usize,
    idle: Duration,
}

impl Body {
    /// The body of `response` within `limits`.
    pub fn new(response: Response, limits: &Limits) -> Self {
        Self {
            response,
            left: limits.body_bytes,
            idle: limits.idle,
        }
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ProviderError> {
        let bytes = match timeout(self.idle, self.response.chunk()).await {
            Err(_) => return Err(ProviderError::TimedOut),
            Ok(Err(error)) if error.is_timeout() => return Err(ProviderError::TimedOut),
            Ok(Err(_)) => return Err(stream_cut()),
            Ok(Ok(None)) => return Ok(None),
            Ok(Ok(Some(bytes))) => bytes,
        };
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(too_large)?;
        Ok(Some(bytes))
    }

    /// All that is left.
    pub async fn rest(&mut self) -> Result<Vec<u8>, ProviderError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}

/// The stream ended before the answer did.
pub fn stream_cut() -> ProviderError {
    ProviderError::Unavailable("stream cut".into())
}

/// The answer is over its limit.
pub fn too_large() -> ProviderError {
    ProviderError::BadAnswer("too large".into())
}

/// Finds the data of events in bytes (WHATWG HTML, "Server-sent events"). Event names, ids and comments are
/// passed over: providers say in the data what it is. The one departure: lines that end in a bare carriage
/// return, which no provider writes, are not told apart.
///
/// Our own because the crate for it (eventsource-stream 0.2) panics on a byte order mark and holds a line
/// of any length.
#[derive(Debug)]
pub struct Events {
    longest: usize,
    line: Vec<u8>,
    data: Option<String>,
    begun: bool,
    ready: VecDeque<String>,
}

impl Events {
    /// A reader that takes events of at most `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            data: None,
            begun: false,
            ready: VecDeque::new(),
        }
    }

    /// The next whole event's data.
    pub fn pop(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    /// Takes further bytes.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ProviderError> {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.end_line(&line)?;
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > self.longest {
            return Err(too_large());
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), ProviderError> {
        let line =
            std::str::from_utf8(line).map_err(|_| ProviderError::BadAnswer("not UTF-8".into()))?;
        let mut line = line.strip_suffix('\r').unwrap_or(line);
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.ready.extend(self.data.take());
        } else if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) if data.len() + value.len() > self.longest => return Err(too_large()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, ProviderError> {
        let mut events = Events::new(100);
        for piece in pieces {
            events.push(piece)?;
        }
        Ok(std::iter::from_fn(|| events.pop()).collect())
    }

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let text = "\u{feff}event: x\r\ndata: {\"é\": 1}\r\n\r\n: a comment\n\ndata:a\ndata: b\nid: 7\n\ndata: open";
        let expected = ["{\"é\": 1}", "a\nb"];
        assert_eq!(read(&[text.as_bytes()]).unwrap(), expected);
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single).unwrap(), expected);
    }

    #[test]
    fn what_no_provider_sends_is_an_error_and_no_panic() {
        let long = [b'x'; 60];
        assert_eq!(read(&[&long, &long]), Err(too_large()));
        let data = [b"data: ".as_slice(), &long, b"\n"].concat();
        assert_eq!(read(&[&data, &data]), Err(too_large()));
        assert!(matches!(
            read(&[b"data: \xff\n"]),
            Err(ProviderError::BadAnswer(_))
        ));
    }
}
