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
/// How much later the system ends it without saying for what, in seconds.
const GRACE: u64 = 5;
/// How far it stands back behind what answers visitors.
const NICE: i32 = 10;

/// Binds this process, reads a file from the standard input, and writes what it holds to the standard output as
/// JSON: a `Result<Document, ReadError>`. A panic ends the process; its words, which may quote the file, go nowhere.
pub fn run(kind: &str) -> ExitCode {
    let (Ok(()), Some(kind)) = (bind(), FileKind::parse(kind)) else {
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

/// Takes from this process, for good, what reading a file does not need. What it can do afterwards is compute, and
/// use the pipes that are open already.
///
/// # Errors
/// Where the system does not let it.
pub fn bind() -> std::io::Result<()> {
    shut_out()?;
    let between = |soft, hard| Rlimit {
        current: Some(soft),
        maximum: Some(hard),
    };
    let at_most = |most| between(most, most);
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::Nproc, at_most(0))?;
    // Not a byte into any file. Pipes are none.
    setrlimit(Resource::Fsize, at_most(0))?;
    // At the one SIGXCPU, which says why; at the other SIGKILL.
    setrlimit(Resource::Cpu, between(PROCESSOR, PROCESSOR + GRACE))?;
    setrlimit(Resource::Data, at_most(MEMORY))?;
    nice(NICE)?;
    // Last, as it counts for the others as well: no file, socket or pipe can be opened any more.
    setrlimit(Resource::Nofile, at_most(0))?;
    Ok(())
}

/// No path, no network, and no signal to others, as far as the kernel knows how (`landlock(7)`, Linux 5.13 and later):
/// what no count of open files forbids.
#[cfg(target_os = "linux")]
fn shut_out() -> std::io::Result<()> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
        RulesetError, Scope,
    };
    const KNOWN: ABI = ABI::V6;
    let shut = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))?
            .handle_access(AccessNet::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?
            .restrict_self()
    };
    let shut: Result<_, RulesetError> = shut();
    shut.map(drop).map_err(std::io::Error::other)
}

#[cfg(not(target_os = "linux"))]
fn shut_out() -> std::io::Result<()> {
    Ok(())
}
