//! What runs in the process of its own.

use std::io::{Read, Write};
use std::process::ExitCode;

use domain::documents::FileKind;
use domain::knowledge::UPLOAD_MAX;
use rustix::process::{Resource, Rlimit, nice, setrlimit};

/// Memory that it may write to, in bytes. Address space that an allocator only reserves does not count
/// (`setrlimit(2)`, `RLIMIT_DATA`, since Linux 4.7).
const MEMORY: u64 = 256 * 1024 * 1024;
/// Processor time, in seconds.
const PROCESSOR: u64 = 45;
/// The pipes, and what its start leaves open.
const FILES: u64 = 16;
/// How far it stands back behind what answers visitors.
const NICE: i32 = 10;
/// The exit code of a process that could not bind itself, and so has read nothing.
pub const NOT_BOUND: i32 = 3;

/// Binds this process, reads a file from the standard input, and writes what it holds to the standard output as
/// JSON: a `Result<Document, ReadError>`. A panic ends the process; its words, which may quote the file, go nowhere.
pub fn run(kind: &str) -> ExitCode {
    if bind().is_err() {
        return ExitCode::from(NOT_BOUND as u8);
    }
    let Some(kind) = FileKind::parse(kind) else {
        return ExitCode::FAILURE;
    };
    let mut bytes = Vec::new();
    let input = std::io::stdin().lock();
    if input
        .take(UPLOAD_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    let read = crate::read(kind, bytes);
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    match serde_json::to_writer(&mut output, &read) {
        Ok(()) if output.flush().is_ok() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Takes from this process, for good, what reading a file does not need.
///
/// # Errors
/// Where the system does not let it.
pub fn bind() -> Result<(), rustix::io::Errno> {
    let at_most = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(Resource::Core, at_most(0))?;
    // Not a byte into any file. Pipes are none.
    setrlimit(Resource::Fsize, at_most(0))?;
    setrlimit(Resource::Nofile, at_most(FILES))?;
    setrlimit(Resource::Cpu, at_most(PROCESSOR))?;
    setrlimit(Resource::Data, at_most(MEMORY))?;
    nice(NICE)?;
    Ok(())
}
