//! Reading files in a process of their own, so that whatever a file does to its reader, it does to that process
//! alone.
//!
//! The server starts its own program again, as `botwright extract KIND`, for each file. The file goes in and the
//! document comes out through pipes. What bounds the process stands in [`child`]: it binds itself before it looks
//! at the file. What is left for this side is to wait no longer than [`Limits::time`], to read no more than
//! [`Limits::output`], and to run few of them at once.

pub mod child;

use std::ffi::OsString;
use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use domain::documents::{Document, DocumentReader, FileKind, ReadError};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
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

    fn start(&self, kind: FileKind) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .arg(kind.as_str())
            .env_clear()
            // By itself, mimalloc maps a gibibyte for writing before the process can bind itself, and what was mapped
            // before a limit is free of it. Other allocators don't know the name.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Nobody waits for it any more: the source was deleted, or the server stops.
            .kill_on_drop(true)
            .spawn()
    }

    /// Gives the process its file, and waits for its answer and its end.
    async fn ask(
        &self,
        child: &mut Child,
        bytes: &[u8],
    ) -> Result<(ExitStatus, Vec<u8>), ReadError> {
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("the process has no pipes"));
        };
        let send = async move {
            // One that ends early reads no further; how it ended says why.
            let _ = input.write_all(bytes).await;
            // So that it sees the end of the file.
            drop(input);
            pending().await
        };
        let mut answer = Vec::new();
        let mut output = output.take(self.limits.output + 1);
        // Whoever has answered needs no more of the file.
        let received = tokio::select! {
            received = output.read_to_end(&mut answer) => received,
            never = send => never,
        };
        received.map_err(failed)?;
        if answer.len() as u64 > self.limits.output {
            return Err(crate::text::too_long());
        }
        Ok((child.wait().await.map_err(failed)?, answer))
    }
}

#[async_trait]
impl DocumentReader for Isolated {
    async fn read(&self, kind: FileKind, bytes: Vec<u8>) -> Result<Document, ReadError> {
        let Ok(_turn) = self.turns.acquire().await else {
            return Err(failed("no more files are read"));
        };
        let mut child = self.start(kind).map_err(failed)?;
        let asked = timeout(self.limits.time, self.ask(&mut child, &bytes)).await;
        let (status, answer) = match asked.unwrap_or_else(|_| Err(unreadable(TOO_LONG))) {
            Ok(ended) => ended,
            Err(error) => {
                // Its turn ends when it does: what is being killed still has its memory.
                let _ = child.kill().await;
                return Err(error);
            }
        };
        if !status.success() {
            return Err(ended(status));
        }
        // Megabytes take their time: not on a thread that answers visitors.
        spawn_blocking(move || serde_json::from_slice(&answer))
            .await
            .map_err(failed)?
            .unwrap_or_else(|error| Err(failed(error)))
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

/// The exit code of a program of Rust that panicked.
const PANICKED: i32 = 101;

/// What a process that ended badly says about its file.
fn ended(status: ExitStatus) -> ReadError {
    match status.signal().and_then(Signal::from_named_raw) {
        Some(Signal::XCPU) => unreadable(TOO_LONG),
        // Rust aborts where memory can't be had; the system kills where it is short of it.
        Some(Signal::ABORT | Signal::KILL) => unreadable(TOO_LARGE),
        // Whoever stops the server ends what it started as well. The file can be read another time.
        Some(Signal::TERM | Signal::INT | Signal::HUP | Signal::QUIT) => stopped(status),
        Some(_) => unreadable(DAMAGED),
        None if status.code() == Some(PANICKED) => unreadable(DAMAGED),
        // It did not come to read the file.
        None => stopped(status),
    }
}

fn stopped(status: ExitStatus) -> ReadError {
    failed(format_args!("the process ended: {status}"))
}

fn failed(why: impl std::fmt::Display) -> ReadError {
    ReadError::Failed(why.to_string())
}

fn unreadable(why: &str) -> ReadError {
    ReadError::Unreadable(why.to_owned())
}
