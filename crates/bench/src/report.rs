//! The figures as a page: only what stands between the two marks is written anew.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::measure::{Cell, Figures, STORED, Series};
use crate::store::Engine;

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

/// An aim, what was measured, and whether that is good enough.
struct Aim {
    what: String,
    aim: String,
    measured: String,
    hit: bool,
}

/// Puts the figures into the page; answers the aims that were missed.
pub fn write(
    page: &Path,
    figures: &Figures,
    machine: &[(&'static str, String)],
) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(page)
        .with_context(|| format!("{} can't be read", page.display()))?;
    let aims = aims(figures);
    let tables = tables(figures, machine, &aims)?;
    std::fs::write(page, with_figures(&text, &tables)?)?;
    let missed = aims.iter().filter(|aim| !aim.hit);
    Ok(missed
        .map(|aim| format!("{}: {} instead of {}", aim.what, aim.measured, aim.aim))
        .collect())
}

/// The page with these figures in the place of those that it had.
fn with_figures(page: &str, figures: &str) -> Result<String> {
    let (before, rest) = page
        .split_once(BEGIN)
        .context("the page has no first mark")?;
    let (_, after) = rest
        .split_once(END)
        .context("the page has no second mark")?;
    Ok(format!("{before}{BEGIN}\n{figures}\n{END}{after}"))
}

fn tables(
    figures: &Figures,
    machine: &[(&'static str, String)],
    aims: &[Aim],
) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "### The run\n\n| | |\n| --- | --- |")?;
    for (name, value) in machine {
        writeln!(out, "| {name} | {value} |")?;
    }
    writeln!(
        out,
        "| Disk | {:.0} writes a second made durable one after the other |",
        figures.syncs
    )?;
    writeln!(out, "| Load before | {:.2} |", figures.load_before)?;
    let effort = figures.effort;
    writeln!(
        out,
        "| Effort | medians; {} runs of {} s for each line, {} starts |",
        effort.runs,
        effort.time.as_secs(),
        effort.starts
    )?;
    writeln!(out, "\n### Turns\n\n{HEAD}")?;
    for series in &figures.series {
        for cell in &series.cells {
            let name = format!("{}, {}", series.engine.name(), series.provider);
            line(&mut out, &name, cell, Some(limit(figures, series, cell)))?;
        }
    }
    for cell in &figures.floor {
        line(&mut out, "*floor: bare handler*", cell, None)?;
    }
    for ground in &figures.grounds {
        let name = ground.engine.name();
        writeln!(
            out,
            "| *floor: {name} alone* | | {:.0} | | | | |",
            ground.own_rate
        )?;
    }
    writeln!(out, "\n### Memory and start\n")?;
    writeln!(
        out,
        "| | idle MB | loaded MB | healthy after ms | first answer after ms | `TestServer::start()` ms |"
    )?;
    writeln!(out, "| --- | --: | --: | --: | --: | --: |")?;
    for series in &figures.series {
        let (idle, loaded) = series.memory;
        write!(
            out,
            "| {}, {} | {idle:.1} | {loaded:.1} |",
            series.engine.name(),
            series.provider
        )?;
        match figures
            .grounds
            .iter()
            .find(|ground| ground.engine == series.engine)
        {
            Some(ground) if series.provider == "extractive" => {
                let (healthy, answered) = ground.start;
                writeln!(
                    out,
                    " {healthy:.0} | {answered:.0} | {:.0} |",
                    ground.test_server
                )?;
            }
            _ => writeln!(out, " | | |")?,
        }
    }
    writeln!(out, "\n### Growth with history, 16 clients, `extractive`\n")?;
    writeln!(
        out,
        "| | turns/s at {} messages | at {} | ratio | processor ms/turn | at {} |",
        STORED[0], STORED[1], STORED[1]
    )?;
    writeln!(out, "| --- | --: | --: | --: | --: | --: |")?;
    for ground in &figures.grounds {
        if let [small, large] = ground.growth.as_slice() {
            writeln!(
                out,
                "| {} | {:.0} | {:.0} | {:.2} | {:.3} | {:.3} |",
                ground.engine.name(),
                small.per_second,
                large.per_second,
                large.per_second / small.per_second,
                small.processor,
                large.processor
            )?;
        }
    }
    for series in &figures.series {
        if let Some(group) = series.group {
            writeln!(
                out,
                "\nSQLite, {}: {group:.1} transactions shared a commit at 16 clients.",
                series.provider
            )?;
        }
    }
    writeln!(
        out,
        "\n### Aims\n\n| aim | measured | |\n| --- | --- | --- |"
    )?;
    for aim in aims {
        let verdict = if aim.hit { "hit" } else { "**miss**" };
        writeln!(
            out,
            "| {}: {} | {} | {verdict} |",
            aim.what, aim.aim, aim.measured
        )?;
    }
    Ok(out)
}

const HEAD: &str = "| | clients | turns/s | of the lower floor | p50 ms | p99 ms | processor ms/turn |\n\
| --- | --: | --: | --: | --: | --: | --: |";

fn line(out: &mut String, name: &str, cell: &Cell, limit: Option<f64>) -> std::fmt::Result {
    let share = limit.map(|limit| format!("{:.0}%", 100.0 * cell.per_second / limit));
    writeln!(
        out,
        "| {name} | {} | {:.0} | {} | {:.2} | {:.2} | {:.3} |",
        cell.clients,
        cell.per_second,
        share.unwrap_or_default(),
        cell.p50,
        cell.p99,
        cell.processor
    )
}

/// The lower of the two floors: a turn is at least a request, and what the engine has to write for it.
fn limit(figures: &Figures, series: &Series, cell: &Cell) -> f64 {
    let handler = figures
        .floor
        .iter()
        .find(|floor| floor.clients == cell.clients);
    let engine = figures
        .grounds
        .iter()
        .find(|ground| ground.engine == series.engine);
    let handler = handler.map_or(f64::INFINITY, |floor| floor.per_second);
    handler.min(engine.map_or(f64::INFINITY, |ground| ground.own_rate))
}

fn aims(figures: &Figures) -> Vec<Aim> {
    let mut aims = Vec::new();
    for series in &figures.series {
        let name = format!("{}, {}", series.engine.name(), series.provider);
        for cell in series.cells.iter().filter(|cell| cell.clients == 16) {
            let share = cell.per_second / limit(figures, series, cell);
            let mut add = |what: &str, aim: &str, measured: String, hit| {
                aims.push(Aim {
                    what: format!("{name}, {what}"),
                    aim: aim.to_owned(),
                    measured,
                    hit,
                });
            };
            add(
                "share of the lower floor",
                "50%",
                format!("{:.0}%", share * 100.0),
                share >= 0.5,
            );
            if series.engine == Engine::Sqlite {
                let rate = cell.per_second;
                add(
                    "turns a second",
                    "1,000",
                    format!("{rate:.0}"),
                    rate >= 1000.0,
                );
            }
            let processor = cell.processor;
            add(
                "processor for a turn",
                "under 0.5 ms",
                format!("{processor:.3} ms"),
                processor < 0.5,
            );
            add(
                "p99",
                "under 20 ms",
                format!("{:.1} ms", cell.p99),
                cell.p99 < 20.0,
            );
            let idle = series.memory.0;
            add(
                "idle memory",
                "under 40 MB",
                format!("{idle:.1} MB"),
                idle < 40.0,
            );
        }
    }
    for ground in &figures.grounds {
        let name = ground.engine.name();
        let mut add = |what: &str, aim: &str, measured: String, hit| {
            aims.push(Aim {
                what: format!("{name}, {what}"),
                aim: aim.to_owned(),
                measured,
                hit,
            });
        };
        let start = ground.start.0;
        add(
            "start",
            "under 200 ms",
            format!("{start:.0} ms"),
            start < 200.0,
        );
        let test_server = ground.test_server;
        add(
            "`TestServer::start()`",
            "within 100 ms",
            format!("{test_server:.0} ms"),
            test_server <= 100.0,
        );
        if let [small, large] = ground.growth.as_slice() {
            let growth = large.processor / small.processor - 1.0;
            let slower = 1.0 - large.per_second / small.per_second;
            let measured = format!(
                "{:+.0}% of processor, {:+.0}% of turns a second",
                growth * 100.0,
                -slower * 100.0
            );
            add(
                "growth with history",
                "at most 10%",
                measured,
                growth <= 0.1 && slower <= 0.1,
            );
        }
    }
    aims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_hand_stays() {
        let page = format!("# How\n{BEGIN}\nold\n{END}\n# Causes\n");
        let written = with_figures(&page, "new").unwrap();
        assert_eq!(written, page.replace("old", "new"));
        assert_eq!(with_figures(&written, "new").unwrap(), written);
        assert!(with_figures("# How\n", "new").is_err());
    }
}
