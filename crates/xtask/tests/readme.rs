//! A new operator's first minute: README's first command, and the request that it prints.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line of README's first block of code, without its comment.
fn first_command(readme: &str) -> String {
    let block = readme.split("```").nth(1).unwrap_or_default();
    let line = block
        .lines()
        .find(|line| line.starts_with("cargo "))
        .unwrap_or_default();
    line.split('#').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn readmes_first_command_leads_to_a_grounded_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let command = first_command(&std::fs::read_to_string(root.join("README.md")).unwrap());
    assert_eq!(command, "cargo run --release -- demo");
    let data = tempfile::tempdir().unwrap();
    // `exec`: the signal below is for the server, which cargo becomes, and not for a shell before it.
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .current_dir(&root)
        .env("BOTWRIGHT_DATA_DIR", data.path())
        .env("BOTWRIGHT_BIND", "127.0.0.1:0")
        .env_remove("DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running(child);
    let mut curl = Vec::new();
    for line in printed.lines().map(Result::unwrap) {
        if !curl.is_empty() || line.trim_start().starts_with("curl ") {
            let last = !line.ends_with('\\');
            curl.push(line);
            if last {
                break;
            }
        }
    }
    let answer = Command::new("sh")
        .args(["-c", &curl.join("\n")])
        .output()
        .unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(
        answer.contains("Monday to Friday") && answer.contains("\"grounded\":true"),
        "{answer}"
    );

    let told = Command::new("kill")
        .args(["-TERM", &running.0.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let began = Instant::now();
    while running.0.try_wait().unwrap().is_none() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it does not stop"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}
