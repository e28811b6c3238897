//! What is measured, and in which order.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::engine;
use crate::fill;
use crate::load::{self, Target};
use crate::machine;
use crate::process::Process;
use crate::server::{Provider, Server};
use crate::store::{Engine, Store};

/// How many clients there are at once.
pub const CLIENTS: [u64; 3] = [1, 16, 64];
/// The stores that the cost of a turn is compared on, in messages.
pub const STORED: [u64; 2] = [1_000, 1_000_000];
/// Before each measurement, so that connections and caches are warm.
const WARM_UP: Duration = Duration::from_millis(500);

/// How much time to take.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Runs, of which the median counts.
    pub runs: usize,
    /// How long each takes.
    pub time: Duration,
    /// Starts, of which the median counts.
    pub starts: usize,
}

/// A load on a process: medians of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Clients at once.
    pub clients: u64,
    /// Turns a second.
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds of processor time for each turn.
    pub processor: f64,
}

/// One provider on one engine.
pub struct Series {
    /// The engine.
    pub engine: Engine,
    /// The provider's name.
    pub provider: &'static str,
    /// One for each number of clients.
    pub cells: Vec<Cell>,
    /// Resident memory in megabytes, just started and under load.
    pub memory: (f64, f64),
    /// Transactions in a commit at 16 clients, on SQLite.
    pub group: Option<f64>,
}

/// One engine, beside the load.
pub struct Ground {
    /// The engine.
    pub engine: Engine,
    /// Turns a second that it writes without anything around it.
    pub own_rate: f64,
    /// Milliseconds from the start of the process to `/healthz`, and to the first answer.
    pub start: (f64, f64),
    /// 16 clients, on the stores of [`STORED`].
    pub growth: Vec<Cell>,
    /// Milliseconds that `TestServer::start()` takes.
    pub test_server: f64,
}

/// Everything.
pub struct Figures {
    /// The bare handler.
    pub floor: Vec<Cell>,
    /// The server.
    pub series: Vec<Series>,
    /// The engines.
    pub grounds: Vec<Ground>,
    /// Writes that the disk makes durable in a second, one after the other.
    pub syncs: f64,
    /// The machine's load average before it began.
    pub load_before: f64,
    /// How it was measured.
    pub effort: Effort,
}

/// Measures with the server's program and a PostgreSQL cluster.
pub struct Bench {
    /// The built server.
    pub program: PathBuf,
    /// The cluster's address.
    pub cluster: String,
    /// How much time to take.
    pub effort: Effort,
}

impl Bench {
    /// Measures everything.
    pub async fn run(&self) -> Result<Figures> {
        let load_before = machine::load();
        let syncs = machine::syncs_per_second(&std::env::temp_dir(), Duration::from_secs(1))?;
        let (_stub, stub) = Process::own(&["stub"])?;
        let (mut series, mut grounds, mut answer) = (Vec::new(), Vec::new(), 0);
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let mut last = None;
            for provider in [Provider::OpenAi(stub), Provider::Extractive] {
                tell(&format!("{}, {}", engine.name(), provider.name()));
                let store = self.store(engine).await?;
                let (figures, size) = self.series(&store, provider).await?;
                answer = size;
                last = Some((store, figures.group));
                series.push(figures);
            }
            let (store, group) = last.context("there is no provider")?;
            grounds.push(self.ground(&store, group).await?);
        }
        tell("the bare handler");
        let floor = self.floor(answer).await?;
        Ok(Figures {
            floor,
            series,
            grounds,
            syncs,
            load_before,
            effort: self.effort,
        })
    }

    async fn store(&self, engine: Engine) -> Result<Store> {
        Store::create(self.program.clone(), engine, &self.cluster).await
    }

    async fn series(&self, store: &Store, provider: Provider) -> Result<(Series, usize)> {
        let mut server = Server::start(store, provider).await?;
        server.make_bot().await?;
        let (size, _) = server.first_turn().await?;
        server.process.stop()?;
        server = Server::start(store, provider).await?;
        // What a start leaves to be done has been done by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle = server.process.memory()?;
        let (mut cells, mut group) = (Vec::new(), None);
        for clients in CLIENTS {
            let commits = || match store.engine {
                Engine::Sqlite => engine::sqlite::commits(&store.file()).map(Some),
                Engine::Postgres => Ok(None),
            };
            let before = commits()?;
            let (cell, turns) = self.cell(&server.process, &server.target, clients).await?;
            if let (16, Some(before), Some(after)) = (clients, before, commits()?) {
                group = Some(2.0 * turns as f64 / f64::from(after.wrapping_sub(before).max(1)));
            }
            cells.push(cell);
        }
        let loaded = server.process.memory()?;
        server.process.stop()?;
        let series = Series {
            engine: store.engine,
            provider: provider.name(),
            cells,
            memory: (idle, loaded),
            group,
        };
        Ok((series, size))
    }

    /// Medians of the runs, and all turns that were taken.
    async fn cell(
        &self,
        process: &Process,
        target: &Target,
        clients: u64,
    ) -> Result<(Cell, usize)> {
        let mut turns = load::run(target, clients, WARM_UP).await?.turns;
        let mut runs = Vec::new();
        for _ in 0..self.effort.runs {
            let before = process.processor()?;
            let outcome = load::run(target, clients, self.effort.time).await?;
            let used = process.processor()? - before;
            turns += outcome.turns;
            runs.push((outcome, used * 1000.0 / outcome.turns as f64));
        }
        let cell = Cell {
            clients,
            per_second: median(runs.iter().map(|run| run.0.per_second)),
            p50: median(runs.iter().map(|run| run.0.p50)),
            p99: median(runs.iter().map(|run| run.0.p99)),
            processor: median(runs.iter().map(|run| run.1)),
        };
        tell(&format!(
            "  {clients} clients: {:.0} turns a second, p50 {:.2} ms, p99 {:.2} ms, {:.3} ms of processor",
            cell.per_second, cell.p50, cell.p99, cell.processor
        ));
        Ok((cell, turns))
    }

    async fn ground(&self, store: &Store, group: Option<f64>) -> Result<Ground> {
        let engine = store.engine;
        let start = self.starts(store).await?;
        let mut rates = Vec::new();
        for _ in 0..self.effort.runs {
            let time = self.effort.time;
            rates.push(match engine {
                Engine::Sqlite => {
                    let group = group.unwrap_or(1.0).round() as usize;
                    engine::sqlite::turns_per_second(&store.file(), group, time)?
                }
                Engine::Postgres => engine::postgres::turns_per_second(store, time).await?,
            });
        }
        let own_rate = median(rates.into_iter());
        tell(&format!(
            "  started in {:.0} ms, first answer after {:.0} ms; the engine alone writes {own_rate:.0} turns a second",
            start.0, start.1
        ));
        let mut growth = Vec::new();
        for stored in STORED {
            tell(&format!("{}, {stored} messages stored", engine.name()));
            growth.push(self.growth(engine, stored).await?);
        }
        Ok(Ground {
            engine,
            own_rate,
            start,
            growth,
            test_server: self.test_server(engine)?,
        })
    }

    async fn starts(&self, store: &Store) -> Result<(f64, f64)> {
        let (mut healthy, mut answered) = (Vec::new(), Vec::new());
        for _ in 0..self.effort.starts {
            let server = Server::start(store, Provider::Extractive).await?;
            healthy.push(server.healthy_after);
            answered.push(server.first_turn().await?.1);
            server.process.stop()?;
        }
        Ok((median(healthy.into_iter()), median(answered.into_iter())))
    }

    async fn growth(&self, engine: Engine, stored: u64) -> Result<Cell> {
        let store = self.store(engine).await?;
        let server = Server::start(&store, Provider::Extractive).await?;
        let bot = server.make_bot().await?;
        server.process.stop()?;
        let filled = fill::fill(&store, &bot, stored).await?;
        let mut server = Server::start(&store, Provider::Extractive).await?;
        server.target.filled = filled;
        let (cell, _) = self.cell(&server.process, &server.target, 16).await?;
        server.process.stop()?;
        Ok(cell)
    }

    async fn floor(&self, answer: usize) -> Result<Vec<Cell>> {
        let (process, address) = Process::own(&["floor", &answer.to_string()])?;
        let target = Target {
            address,
            headers: "X-API-Key: tk_0000000000000000000000000000000000000000000000000\r\n".into(),
            filled: 0,
        };
        let mut cells = Vec::new();
        for clients in CLIENTS {
            cells.push(self.cell(&process, &target, clients).await?.0);
        }
        Ok(cells)
    }

    /// As a test sees it: in a build for development.
    fn test_server(&self, engine: Engine) -> Result<f64> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = std::process::Command::new(cargo)
            .args([
                "run",
                "--quiet",
                "--package",
                "botwright-bench",
                "--example",
                "test_server",
            ])
            .args(["--", engine.name(), &self.effort.starts.to_string()])
            .env("TEST_DATABASE_URL", &self.cluster)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let times: Result<Vec<f64>, _> = said.split_whitespace().map(str::parse).collect();
        let times = times
            .ok()
            .filter(|times| !times.is_empty())
            .with_context(|| {
                format!(
                    "TestServer can't be measured: {}",
                    String::from_utf8_lossy(&output.stderr)
                )
            })?;
        Ok(median(times.into_iter()))
    }
}

/// The middle one; of an even number the mean of the middle two.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values.len() / 2, values.len().saturating_sub(1) / 2);
    match (values.get(lower), values.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

fn tell(line: &str) {
    eprintln!("bench: {line}");
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_and_not_the_mean() {
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 100.0].into_iter()), 3.0);
        assert!(median(std::iter::empty()).is_nan());
    }
}
