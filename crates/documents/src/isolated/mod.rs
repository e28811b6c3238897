//! Reading files in a process of their own, so that whatever a file does to its reader, it does to that process
//! alone.
//!
//! The server starts its own program again, as `botwright extract KIND`, for each file. The file goes in and the
//! document comes out through pipes. What bounds the process stands in [`child`]: it binds itself before it looks
//! at the file. What is left for this side is to wait no longer than [`Limits::time`], to read no more than
//! [`Limits::output`], and to run few of them at once.

pub mod child;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use domain::documents::{Document, DocumentReader, FileKind, ReadError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::Reader;

/// What the reading of one file may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the start to the end of the process.
    pub time: Duration,
    /// What it answers, in bytes.
    pub output: u64,
    /// Files that are read at once; others wait.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            time: Duration::from_secs(60),
            // The text and its chunks, each of them as long as the longest text.
            output: 4 * crate::text::MAX as u64,
            at_once: processors.clamp(1, 4),
        }
    }
}

/// Reads files in processes of their own.
#[derive(Debug)]
pub struct Isolated {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    turns: Semaphore,
}

impl Isolated {
    /// Reads by `program`, which calls [`child::run`] when it is started with these arguments and a kind of file.
    pub fn new(program: PathBuf, arguments: Vec<OsString>, limits: Limits) -> Self {
        Self {
            program,
            arguments,
            turns: Semaphore::new(limits.at_once),
            limits,
        }
    }

    async fn run(&self, kind: FileKind, bytes: &[u8]) -> Result<(ExitStatus, Vec<u8>), ReadError> {
        let failed = |error: std::io::Error| ReadError::Failed(error.to_string());
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(kind.as_str())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Nobody waits for it any more: the source was deleted, or the server stops.
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ReadError::Failed("the process has no pipes".into()));
        };
        let send = async move {
            // One that ends early reads no further; how it ended says why.
            let _ = input.write_all(bytes).await;
        };
        let mut answer = Vec::new();
        let mut output = output.take(self.limits.output + 1);
        let receive = output.read_to_end(&mut answer);
        let ((), received) = tokio::join!(send, receive);
        received.map_err(failed)?;
        if answer.len() as u64 > self.limits.output {
            return Err(crate::text::too_long());
        }
        let status = child.wait().await.map_err(failed)?;
        Ok((status, answer))
    }
}

#[async_trait]
impl DocumentReader for Isolated {
    async fn read(&self, kind: FileKind, bytes: Vec<u8>) -> Result<Document, ReadError> {
        let Ok(_turn) = self.turns.acquire().await else {
            return Err(ReadError::Failed("no more files are read".into()));
        };
        let run = timeout(self.limits.time, self.run(kind, &bytes)).await;
        let (status, answer) = run.unwrap_or_else(|_| Err(unreadable(TOO_LONG)))?;
        if status.success() {
            return serde_json::from_slice(&answer)
                .unwrap_or_else(|error| Err(ReadError::Failed(error.to_string())));
        }
        Err(ended(status))
    }

    async fn cut(&self, kind: FileKind, text: String) -> Document {
        // Text that is read already is cut in time and memory in proportion to it.
        Reader::new().cut(kind, text).await
    }
}

const TOO_LONG: &str = "Reading the file took too long. Divide it into smaller files, or save it anew, and upload those.";
const TOO_LARGE: &str = "Reading the file needs more memory than there is for one file. Divide it into smaller files, or save it anew, \
     and upload those.";
const DAMAGED: &str = "The file can't be read: it is damaged in a way that ends its reader. Save it anew and upload that.";

/// What a process that ended badly says about its file.
fn ended(status: ExitStatus) -> ReadError {
    if status.code() == Some(child::NOT_BOUND) {
        return ReadError::Failed("the process could not bind itself".into());
    }
    #[cfg(unix)]
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        // SIGXCPU; SIGKILL comes from the system when a process goes on nevertheless, or when memory is short.
        Some(24) => return unreadable(TOO_LONG),
        // SIGABRT is how Rust ends where memory can't be had.
        Some(6 | 9) => return unreadable(TOO_LARGE),
        _ => {}
    }
    unreadable(DAMAGED)
}

fn unreadable(why: &str) -> ReadError {
    ReadError::Unreadable(why.to_owned())
}
