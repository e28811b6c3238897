//! The benchmark of the built server. `cargo xtask bench` builds what it needs and runs it; see
//! `docs/benchmarks.md`.

mod engine;
mod fill;
mod floor;
mod http;
mod load;
mod machine;
mod measure;
mod process;
mod quality;
mod reading;
mod report;
mod server;
mod store;
mod stub;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use measure::{Bench, Effort};

const QUICK: Effort = Effort {
    runs: 1,
    time: Duration::from_secs(1),
    starts: 3,
};
const FULL: Effort = Effort {
    runs: 3,
    time: Duration::from_secs(5),
    starts: 10,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One thread, so that the load leaves the other processors to the server.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match words.as_slice() {
        ["floor", bytes] => floor::serve(bytes.parse()?),
        ["stub"] => runtime.block_on(stub::serve()),
        ["site", pages] => runtime.block_on(reading::site::serve(pages.parse()?)),
        ["folder", folder] => runtime.block_on(quality::site::serve(folder.into())),
        ["eval", page, data] => runtime.block_on(eval(page.into(), data.into())),
        ["read", page] => runtime.block_on(read(page.into(), reading::SITE)),
        ["read", page, "--quick"] => runtime.block_on(read(page.into(), 200)),
        ["run", page] => runtime.block_on(run(page.into(), FULL)),
        ["run", page, "--quick"] => runtime.block_on(run(page.into(), QUICK)),
        _ => bail!(
            "usage: botwright-bench run|read PAGE [--quick], with BENCH_SERVER and BENCH_DATABASE_URL set; \
             botwright-bench eval PAGE DATA, with BENCH_SERVER set and what retrieval finds on standard input"
        ),
    }
}

async fn run(page: PathBuf, effort: Effort) -> Result<()> {
    let cluster = setting("BENCH_DATABASE_URL")?;
    let postgres = engine::postgres::version(&cluster).await?;
    let machine = machine::describe(&postgres, engine::sqlite::version());
    let bench = Bench {
        program: setting("BENCH_SERVER")?.into(),
        cluster,
        effort,
    };
    // What was started and written is cleaned up by dropping it, also after Ctrl-C.
    let figures = tokio::select! {
        figures = bench.run() => figures?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    let missed = report::write(&page, &figures, &machine)?;
    eprintln!("bench: wrote {}", page.display());
    for miss in missed {
        eprintln!("bench: missed: {miss}");
    }
    Ok(())
}

async fn read(page: PathBuf, pages: usize) -> Result<()> {
    let program = PathBuf::from(setting("BENCH_SERVER")?);
    let cluster = setting("BENCH_DATABASE_URL")?;
    let figures = tokio::select! {
        figures = reading::run(&program, &cluster, pages) => figures?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    report::write_reading(&page, &figures, pages)?;
    eprintln!("bench: wrote {}", page.display());
    Ok(())
}

async fn eval(page: PathBuf, data: PathBuf) -> Result<()> {
    let program = PathBuf::from(setting("BENCH_SERVER")?);
    let retrieval = std::io::read_to_string(std::io::stdin())?;
    let answers = tokio::select! {
        table = quality::run(&program, &data) => table?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    };
    report::write_quality(&page, &answers, &retrieval)?;
    eprintln!("eval: wrote {}", page.display());
    Ok(())
}

fn setting(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}
