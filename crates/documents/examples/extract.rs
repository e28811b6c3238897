//! What the tests of `documents::isolated` start: a program that reads files as `botwright extract` does, and one that
//! misbehaves as a reader might that a file got hold of.

use std::fs::{File, create_dir, write};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, ExitCode};
use std::time::Duration;

use documents::isolated::child;
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

/// The product's own: how memory is bounded depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More than a child may have.
const TOO_MUCH: usize = 300 << 20;

/// Takes what it is to do, words by which it can be found, and a kind of file.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, .., kind] = arguments.as_slice() else {
        return ExitCode::FAILURE;
    };
    if task == "extract" {
        return child::run(kind);
    }
    if child::bind().is_err() {
        return ExitCode::FAILURE;
    }
    let said = misbehave(task);
    println!("{{\"Ok\":{{\"text\":{said:?},\"chunks\":[]}}}}");
    ExitCode::SUCCESS
}

/// Answers what it was let do.
fn misbehave(task: &str) -> String {
    let signal = match task {
        "sleep" => {
            std::thread::sleep(Duration::from_secs(600));
            return "slept".into();
        }
        "compute" => {
            // As much less of the one limit as of the other.
            let limit = getrlimit(Resource::Cpu);
            let less = |most: u64| most - limit.current.unwrap_or(most) + 1;
            let limit = Rlimit {
                current: Some(1),
                maximum: limit.maximum.map(less),
            };
            let lowered = setrlimit(Resource::Cpu, limit);
            while lowered.is_ok() {
                std::hint::spin_loop();
            }
            return "it has no limit".into();
        }
        "allocate" => {
            let hoard: Vec<Vec<u8>> = (0..TOO_MUCH >> 20).map(|_| vec![1; 1 << 20]).collect();
            return std::hint::black_box(hoard).len().to_string();
        }
        "allocate at once" => {
            return std::hint::black_box(vec![1_u8; TOO_MUCH]).len().to_string();
        }
        "flood" => {
            let line = [b'x'; 1 << 16];
            while std::io::Write::write_all(&mut std::io::stdout(), &line).is_ok() {}
            return "flooded".into();
        }
        "look around" => {
            let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
            let names: Vec<String> = names
                .filter(|name| !name.starts_with("MIMALLOC_"))
                .collect();
            let folder = std::env::current_dir().unwrap_or_default();
            return format!("{} in {}", names.join(" "), folder.display());
        }
        "break out" => {
            let file = std::env::temp_dir().join("botwright-extract-was-here");
            let ways = [
                ("read", File::open("/etc/passwd").is_ok()),
                ("write", write(file, "x").is_ok()),
                ("listen", TcpListener::bind("127.0.0.1:0").is_ok()),
                ("send", UdpSocket::bind("127.0.0.1:0").is_ok()),
                ("start", Command::new("/bin/true").spawn().is_ok()),
            ];
            let open = ways.iter().filter(|(_, open)| *open);
            return open.map(|(way, _)| *way).collect::<Vec<_>>().join(" ");
        }
        "make a folder" => {
            let folder = std::env::temp_dir().join("botwright-extract-made-this");
            let made = create_dir(&folder).is_ok();
            let _ = std::fs::remove_dir(folder);
            return if made { "made" } else { "refused" }.into();
        }
        "panic" => panic!("as a reader may"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "be ended" => Signal::TERM,
        "be killed" => Signal::KILL,
        "fault" => Signal::ILL,
        _ => return "nothing".into(),
    };
    let _ = kill_process(getpid(), signal);
    std::thread::sleep(Duration::from_secs(60));
    "it lives".into()
}
