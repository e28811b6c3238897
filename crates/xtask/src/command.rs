//! Running other programs.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// Runs a command to its end and answers its output; one that fails is an error that says what it said.
pub fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .with_context(|| format!("{command:?} can't be started"))?;
    ensure!(
        status.success(),
        "{command:?} failed ({status}): {}{}",
        String::from_utf8_lossy(&stderr),
        String::from_utf8_lossy(&stdout),
    );
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Whether a command can be run and ends well.
pub fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|done| done.status.success())
}

/// Where a program is, looked for in `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this process is root, which PostgreSQL refuses to run as and Debian's packages need.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
