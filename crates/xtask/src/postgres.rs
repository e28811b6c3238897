//! A throw-away PostgreSQL cluster: made in a temporary folder, gone with its value.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::command::{find, is_root, output, succeeds};

/// The role that tests connect as: it may make databases, but as no superuser it is bound by row-level security.
const ROLE: &str = "botwright_test";
/// Another process may take the port between its choice and the start.
const START_ATTEMPTS: u32 = 5;

/// How a cluster is to run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Keep what was committed through a power loss, as in production. Tests are faster without.
    pub durable: bool,
}

/// A running cluster, listening on the loopback address only, and stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    /// The user to run it as; `None`: the current one.
    user: Option<&'static str>,
    folder: TempDir,
    port: u16,
}

/// The folder of `initdb` and the other programs of the server, the newest version first.
pub fn programs() -> Option<PathBuf> {
    let in_path = find("initdb").and_then(|program| program.canonicalize().ok());
    if let Some(program) = in_path {
        return program.parent().map(Path::to_path_buf);
    }
    let version = |folder: &PathBuf| -> Option<u32> { folder.file_name()?.to_str()?.parse().ok() };
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort_by_key(version);
    let mut folders = versions.iter().rev().map(|folder| folder.join("bin"));
    folders.find(|folder| folder.join("initdb").is_file())
}

impl Cluster {
    /// Makes and starts a cluster.
    pub fn start(options: Options) -> Result<Self> {
        let programs = programs().context("PostgreSQL is not installed: there is no initdb")?;
        let user = unprivileged_user()?;
        let folder = tempfile::Builder::new()
            .prefix("botwright-postgres-")
            .tempdir()?;
        if let Some(user) = user {
            output(Command::new("chown").arg(user).arg(folder.path()))?;
        }
        let mut cluster = Self {
            programs,
            user,
            folder,
            port: 0,
        };
        cluster.initialise(options)?;
        for _ in 0..START_ATTEMPTS {
            cluster.port = free_port()?;
            if succeeds(&mut cluster.start_command()) {
                return Ok(cluster);
            }
        }
        let log = std::fs::read_to_string(cluster.log()).unwrap_or_default();
        bail!("PostgreSQL does not start:\n{log}");
    }

    /// Where to connect.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/postgres", self.port)
    }

    fn initialise(&self, options: Options) -> Result<()> {
        output(
            self.program("initdb")
                .args([
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--no-locale",
                    "--no-sync",
                ])
                .arg("--username=postgres")
                .arg(self.data()),
        )?;
        let mut settings = OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))?;
        settings.write_all(
            b"listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 400\n",
        )?;
        if !options.durable {
            settings
                .write_all(b"fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")?;
        }
        self.create_role()
    }

    /// By the server's single-user mode, which needs neither a port nor a client program.
    fn create_role(&self) -> Result<()> {
        let mut server = self
            .program("postgres")
            .arg("--single")
            .arg("-D")
            .arg(self.data())
            .arg("postgres")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = server.stdin.take() {
            writeln!(input, "CREATE ROLE {ROLE} LOGIN CREATEDB")?;
        }
        let done = server.wait_with_output()?;
        // Its exit code says nothing about its statements.
        let errors = String::from_utf8_lossy(&done.stderr);
        ensure!(
            done.status.success() && !errors.contains("ERROR"),
            "the role {ROLE} can't be made: {errors}"
        );
        Ok(())
    }

    fn start_command(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command
            .args(["start", "--wait", "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(self.log())
            .args(["-o", &format!("-p {}", self.port)]);
        command
    }

    /// A program of PostgreSQL, run by the cluster's user.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        // The current folder may be closed to that user.
        command.current_dir(self.folder.path()).env_remove("PGDATA");
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--wait", "--mode=immediate", "-D"])
            .arg(self.data());
        // One that never came up can't be stopped.
        if self.data().join("postmaster.pid").exists() && !succeeds(&mut stop) {
            eprintln!("xtask: {:?} failed", stop);
        }
    }
}

/// PostgreSQL does not run as root.
fn unprivileged_user() -> Result<Option<&'static str>> {
    if !is_root() {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .into_iter()
        .find(|user| succeeds(Command::new("id").arg(user)))
        .map(Some)
        .context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
