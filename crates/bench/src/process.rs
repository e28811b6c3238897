//! Programs under measurement, and what the system says about them.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks of the processor clock in a second, as `/proc` counts them: 100 on every Linux there is.
const TICKS: f64 = 100.0;

/// A program that was started; killed when dropped.
pub struct Process(Child);

impl Process {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("{command:?} can't be started"))?;
        Ok(Self(child))
    }

    /// Starts one of this program's own servers, which prints its address.
    pub fn own(arguments: &[&str]) -> Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Self::start(command.args(arguments).stdout(Stdio::piped()))?;
        let output = process.0.stdout.take().context("there is no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("no address was printed")?;
        Ok((process, address))
    }

    /// Processor time that it has used, in seconds.
    pub fn processor(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name, in brackets, may hold blanks; the fields behind it don't.
        let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat is odd")?;
        let ticks: Vec<f64> = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / TICKS)
    }

    /// Resident memory, in megabytes.
    pub fn memory(&self) -> Result<f64> {
        resident(self.0.id())
    }

    /// Resident memory of it and the processes that it started, in megabytes.
    pub fn family_memory(&self) -> Result<f64> {
        let own = self.0.id();
        let mut memory = resident(own)?;
        let threads = std::fs::read_dir(format!("/proc/{own}/task"))?;
        for thread in threads.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children"));
            for child in children.unwrap_or_default().split_whitespace() {
                // One that has ended meanwhile has none.
                memory += child.parse().map_or(Ok(0.0), resident).unwrap_or_default();
            }
        }
        Ok(memory)
    }

    /// Fails where it has ended on its own.
    pub fn check(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the process ended: {status}"),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let id = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        for _ in 0..1_500 {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("the process does not stop")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended can't be killed, and need not be.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn resident(id: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line
        .and_then(|rest| rest.split_whitespace().next())
        .context("/proc/PID/status has no VmRSS")?
        .parse()?;
    Ok(kilobytes / 1024.0)
}
