//! The program `botwright`.

use std::process::ExitCode;

use botwright::commands::{self, Cli};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            eprintln!("botwright: {line}");
            let not_started = commands::is_start_error(&error);
            ExitCode::from(if not_started { 2 } else { 1 })
        }
    }
}
