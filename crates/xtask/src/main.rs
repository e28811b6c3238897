//! Developers' commands, run as `cargo xtask NAME`.

mod bench;
mod command;
mod eval;
mod machine;
mod postgres;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  test [-- ARGS]   run every test, with what they need; ARGS go to `cargo test`
  bench [--quick]  measure the built server; the figures go to docs/benchmarks.md
  eval FOLDER      measure the quality of answers on sets of questions; the figures go to docs/quality.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((name, rest)) if name == "test" => test::run(rest),
        Some((name, rest)) if name == "bench" => bench::run(rest),
        Some((name, rest)) if name == "eval" => eval::run(rest),
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
