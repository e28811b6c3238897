//! The program `botwright`.

use std::process::ExitCode;

use botwright::commands::{self, Cli};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            eprintln!("botwright: {line}");
            ExitCode::from(if commands::is_start_error(&error) {
                2
            } else {
                1
            })
        }
    }
}
