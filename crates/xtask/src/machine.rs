//! What the tests need of the machine. What is there is used as it is; what is missing is installed from
//! Debian's packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{find, is_root, output, succeeds};
use crate::postgres;

/// Makes sure of everything, and answers the environment that the tests are to have for it.
pub fn prepare() -> Result<Vec<(&'static str, String)>> {
    if std::env::var_os("TEST_DATABASE_URL").is_none() {
        postgres_server()?;
    }
    browser()?;
    node()?;
    python()
}

fn postgres_server() -> Result<()> {
    if postgres::programs().is_none() {
        install("PostgreSQL", &["postgresql"])?;
    }
    ensure!(
        postgres::programs().is_some(),
        "PostgreSQL's server is installed, but no initdb is in PATH or /usr/lib/postgresql"
    );
    Ok(())
}

/// For the tests that open pages.
fn browser() -> Result<()> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    if names.iter().any(|name| find(name).is_some()) {
        return Ok(());
    }
    install("a browser", &["chromium"])
}

/// For the documented JavaScript client.
fn node() -> Result<()> {
    if find("node").is_none() {
        install("Node.js", &["nodejs"])?;
    }
    if find("npm").is_none() {
        install("npm", &["npm"])?;
    }
    Ok(())
}

/// For the documented Python client, which imports `requests`.
fn python() -> Result<Vec<(&'static str, String)>> {
    if find("python3").is_none() {
        install("Python", &["python3", "python3-requests"])?;
    }
    let has_requests = || succeeds(Command::new("python3").args(["-c", "import requests"]));
    if has_requests() || (install("requests", &["python3-requests"]).is_ok() && has_requests()) {
        return Ok(Vec::new());
    }
    // A python3 that is not Debian's does not see Debian's packages.
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python");
    if !packages.join("requests").is_dir() {
        output(
            Command::new("python3")
                .args(["-m", "pip", "install", "--quiet", "--target"])
                .arg(&packages)
                .arg("requests"),
        )
        .context("the Python package `requests` is missing")?;
    }
    Ok(vec![("PYTHONPATH", packages.display().to_string())])
}

fn install(what: &str, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find("apt-get").is_none() || !is_root() {
        bail!(
            "the tests need {what}, which is not installed: run `apt-get install {names}` as root, or what your system has for it"
        );
    }
    eprintln!("xtask: installing {names}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    // Lists that are out of date often do; an update that fails for one of many sources is no reason to stop.
    let fresh = succeeds(apt().arg("update"));
    output(
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages),
    )
    .with_context(|| {
        let lists = if fresh {
            ""
        } else {
            " (`apt-get update` failed, too)"
        };
        format!("the tests need {what}, and it could not be installed{lists}")
    })?;
    Ok(())
}
