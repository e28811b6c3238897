//! Developers' commands, run as `cargo xtask NAME`.

mod bench;
mod command;
mod machine;
mod postgres;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  test [-- ARGS]   run every test, with what they need; ARGS go to `cargo test`
  bench [--quick]  measure the built server; the figures go to docs/benchmarks.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((name, rest)) if name == "test" => test::run(rest),
        Some((name, rest)) if name == "bench" => bench::run(rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
