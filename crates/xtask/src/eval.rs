//! `cargo xtask eval`: measures the quality of answers on sets of questions.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Measures the sets of a folder, and writes the figures into `docs/quality.md`: what evaluations of the built server
/// come to, and what retrieval finds by itself.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let [data] = arguments else {
        bail!("`cargo xtask eval` takes the folder of the sets: see docs/quality.md");
    };
    let data = std::fs::canonicalize(data).with_context(|| data.clone())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&root);
        cargo
    };
    for package in ["botwright", "botwright-bench"] {
        let build = ["build", "--release", "--package", package];
        ensure!(
            cargo().args(build).status()?.success(),
            "{package} can't be built"
        );
    }
    let retrieval = cargo()
        .args([
            "run",
            "--release",
            "--package",
            "botwright-retrieval",
            "--example",
            "eval",
        ])
        .env("BOTWRIGHT_EVAL_DATA", &data)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = retrieval.wait_with_output()?;
    ensure!(output.status.success(), "retrieval can't be measured");
    let figures = tempfile::NamedTempFile::new()?;
    std::fs::write(figures.path(), &output.stdout)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), Into::into);
    let release = root.join(target).join("release");
    let status = Command::new(release.join("botwright-bench"))
        .current_dir(&root)
        .args(["eval", "docs/quality.md"])
        .arg(&data)
        .env("BENCH_SERVER", release.join("botwright"))
        .stdin(figures.reopen()?)
        .status()
        .context("the evaluation can't be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
