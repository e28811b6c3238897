//! What the tests of `documents::isolated` start: a program that reads files as `botwright extract` does, and one that
//! misbehaves as a reader might that a file got hold of.

use std::process::ExitCode;

use documents::isolated::child;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["extract", kind] => child::run(kind),
        [fault, _] if child::bind().is_ok() => misbehave(fault),
        _ => ExitCode::FAILURE,
    }
}

fn misbehave(fault: &str) -> ExitCode {
    match fault {
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(600)),
        "allocate" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 1 << 20]);
            }
        }
        "flood" => {
            let line = [b'x'; 1 << 16];
            while std::io::Write::write_all(&mut std::io::stdout(), &line).is_ok() {}
        }
        "abort" => std::process::abort(),
        "panic" => panic!("as a reader may"),
        // Each of these would end well if it were allowed.
        "write" => {
            let path = std::env::temp_dir().join("botwright-extract-was-here");
            if std::fs::write(path, "x").is_err() {
                return ExitCode::FAILURE;
            }
        }
        "environment" if std::env::vars_os().next().is_none() => return ExitCode::FAILURE,
        _ => {}
    }
    println!("{{\"Ok\":{{\"text\":\"it was let\",\"chunks\":[]}}}}");
    ExitCode::SUCCESS
}
