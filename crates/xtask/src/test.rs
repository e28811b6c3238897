//! `cargo xtask test`: every test, with what they need.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::machine;
use crate::postgres::{Cluster, Options};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs the tests; `arguments` as given after `test`.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let arguments = match arguments.split_first() {
        None => &[],
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) => {
            bail!("unexpected `{first}`: arguments for `cargo test` come after `--`")
        }
    };
    // From here on a signal only sets this, so that whatever was started is also stopped.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }

    let mut tests = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tests.args(["test", "--no-fail-fast"]);
    if !names_packages(arguments) {
        tests.arg("--workspace");
    }
    tests.args(arguments).envs(machine::prepare()?);

    let _cluster = if std::env::var_os("TEST_DATABASE_URL").is_some() {
        None
    } else {
        let cluster = Cluster::start(Options::default())?;
        tests.env("TEST_DATABASE_URL", cluster.url());
        Some(cluster)
    };
    // A group of its own, so that the test binaries can be ended with it.
    let child = tests
        .process_group(0)
        .spawn()
        .context("cargo can't be started")?;
    let status = wait(child, &interrupted)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Whether the caller chose packages: `--workspace` would overrule that.
fn names_packages(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

fn wait(mut child: Child, interrupted: &AtomicBool) -> Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted.load(Ordering::Relaxed) && !told {
            told = true;
            let group = format!("-{}", child.id());
            Command::new("kill")
                .args(["-TERM", "--", &group])
                .status()?;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
