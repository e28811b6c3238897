//! `cargo xtask bench`: builds what the benchmark needs, and runs it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::postgres::{Cluster, Options};

/// Measures, and writes the figures into `docs/benchmarks.md`; `--quick` takes one short round, `--turns` and
/// `--reading` measure one of the two parts alone.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (mut quick, mut parts) = (false, vec!["run", "read"]);
    for word in arguments {
        match word.as_str() {
            "--quick" => quick = true,
            "--turns" => parts = vec!["run"],
            "--reading" => parts = vec!["read"],
            _ => bail!("`cargo xtask bench` takes nothing but --quick, --turns and --reading"),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&root);
        cargo
    };
    // The server by itself, so that it is the one that operators run, whatever others here want of its libraries.
    let builds: [&[&str]; 3] = [
        &["--release", "--package", "botwright"],
        &["--release", "--package", "botwright-bench"],
        &["--package", "botwright-bench", "--example", "test_server"],
    ];
    for build in builds {
        let done = cargo().arg("build").args(build).status()?;
        ensure!(done.success(), "cargo build {} failed", build.join(" "));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), Into::into);
    let release = root.join(target).join("release");

    // A signal ends the benchmark, which gets it as well; the cluster is stopped here all the same.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let cluster = Cluster::start(Options { durable: true })
        .context("`cargo xtask test` installs what is missing")?;
    for part in parts {
        let status = Command::new(release.join("botwright-bench"))
            .current_dir(&root)
            .args([part, "docs/benchmarks.md"])
            .args(quick.then_some("--quick"))
            .env("BENCH_SERVER", release.join("botwright"))
            .env("BENCH_DATABASE_URL", cluster.url())
            .status()
            .context("the benchmark can't be started")?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
