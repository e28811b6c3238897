//! What the figures were measured on.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Lines of the report that tell the machine, the date and the versions.
pub fn describe(postgres: &str, sqlite: &str) -> Vec<(&'static str, String)> {
    let cpu = line_of("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = line_of("/proc/meminfo", "MemTotal");
    let gigabytes = memory
        .split_whitespace()
        .next()
        .and_then(|kilobytes| kilobytes.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0 / 1024.0);
    vec![
        ("Date", said("date", &["-u", "+%F"])),
        ("Commit", said("git", &["rev-parse", "--short", "HEAD"])),
        ("Processor", format!("{cpu}, {cores} cores")),
        ("Memory", format!("{gigabytes:.0} GB")),
        ("System", said("uname", &["-sr"])),
        ("Compiler", said("rustc", &["--version"])),
        (
            "Engines",
            format!("SQLite {sqlite}, PostgreSQL {postgres} (fsync on, otherwise as delivered)"),
        ),
    ]
}

/// How often a second the disk makes four kilobytes durable, one after the other: what a single commit
/// can't be faster than.
pub fn syncs_per_second(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("botwright-bench-sync");
    let mut file = File::create(&path)?;
    let (began, mut syncs) = (Instant::now(), 0);
    while began.elapsed() < time {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / began.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}

/// How busy the machine was before anything was measured: others at work on it spoil the figures.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().unwrap_or(0.0)
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.unwrap_or_else(|_| "unknown".to_owned())
}

fn line_of(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}
