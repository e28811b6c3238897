//! The program `botwright`.

use std::process::ExitCode;

use botwright::commands::{self, Cli};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    small_pages();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            eprintln!("botwright: {line}");
            ExitCode::from(if commands::is_start_error(&error) { 2 } else { 1 })
        }
    }
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    Cli::parse().run().await
}

/// The allocator reserves generously, and with huge pages what it has reserved becomes resident two
/// megabytes at a time: 15 MB more for an idle server. Not being allowed to is no reason not to start.
fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}
