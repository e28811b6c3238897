//! The figures as a page: only what stands between the two marks is written anew.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::measure::{Cell, Figures, STORED, Series};
use crate::reading;
use crate::store::Engine;

/// The parts of the page that are written anew, each between two marks.
const FIGURES: &str = "figures";
const READING: &str = "reading";
const ANSWERS: &str = "answers";
const RETRIEVAL: &str = "retrieval";

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
    std::fs::write(page, with_part(&text, FIGURES, &tables)?)?;
    let missed = aims.iter().filter(|aim| !aim.hit);
    Ok(missed
        .map(|aim| format!("{}: {} instead of {}", aim.what, aim.measured, aim.aim))
        .collect())
}

/// Puts what reading costs into the page.
pub fn write_reading(page: &Path, figures: &reading::Figures, pages: usize) -> Result<()> {
    let text = std::fs::read_to_string(page)
        .with_context(|| format!("{} can't be read", page.display()))?;
    let table = reading_table(figures, pages)?;
    std::fs::write(page, with_part(&text, READING, &table)?)?;
    Ok(())
}

/// Puts what evaluations of the server came to into the page, and what retrieval finds by itself.
pub fn write_quality(page: &Path, answers: &str, retrieval: &str) -> Result<()> {
    let text = std::fs::read_to_string(page)
        .with_context(|| format!("{} can't be read", page.display()))?;
    let text = with_part(&text, ANSWERS, answers.trim_end())?;
    let retrieval = format!("```\n{}\n```", retrieval.trim_end());
    std::fs::write(page, with_part(&text, RETRIEVAL, &retrieval)?)?;
    Ok(())
}

fn reading_table(figures: &reading::Figures, pages: usize) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let quiet = figures.quiet.p99;
    let megabytes = figures.book_bytes as f64 / 1e6;
    let book = reading::BOOK.min(pages);
    writeln!(
        out,
        "| | s | pages/s | MB/s | chunks | most memory MB | chats p50 ms | p99 ms | against quiet |\n\
         | --- | --: | --: | --: | --: | --: | --: | --: | --: |"
    )?;
    writeln!(
        out,
        "| *{} turns/s, nothing read* | | | | | | {:.1} | {quiet:.1} | |",
        reading::CHATS,
        figures.quiet.p50
    )?;
    for (name, reading, count, size) in [
        (format!("site of {pages} pages"), &figures.site, pages, None),
        (
            "the same, unchanged".to_owned(),
            &figures.again,
            pages,
            None,
        ),
        (
            format!("{} PDFs of {book} pages", reading::BOOKS),
            &figures.books,
            book * reading::BOOKS,
            Some(megabytes * reading::BOOKS as f64),
        ),
    ] {
        writeln!(
            out,
            "| {name} | {:.1} | {:.0} | {} | {} | {:.0} | {:.1} | {:.1} | {:+.0}% |",
            reading.seconds,
            count as f64 / reading.seconds,
            size.map(|size| format!("{:.1}", size / reading.seconds))
                .unwrap_or_default(),
            reading.chunks,
            reading.memory,
            reading.chats.p50,
            reading.chats.p99,
            100.0 * (reading.chats.p99 / quiet - 1.0),
        )?;
    }
    match figures.pdftotext {
        Some((seconds, memory)) => writeln!(
            out,
            "| *`pdftotext`, one such PDF* | {seconds:.1} | {:.0} | {:.1} | | {memory:.0} | | | |",
            book as f64 / seconds,
            megabytes / seconds
        )?,
        None => writeln!(out, "\n`pdftotext` was not installed.")?,
    }
    Ok(out)
}

/// The page with a new text in the place of a part.
fn with_part(page: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = page
        .split_once(&begin)
        .with_context(|| format!("the page has no mark {begin}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("the page has no mark {end}"))?;
    Ok(format!("{before}{begin}\n{text}\n{end}{after}"))
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
        let page = "# How\n<!-- a: begin -->\nold\n<!-- a: end -->\n# Causes\n";
        let written = with_part(page, "a", "new").unwrap();
        assert_eq!(written, page.replace("old", "new"));
        assert_eq!(with_part(&written, "a", "new").unwrap(), written);
        assert!(with_part(page, "b", "new").is_err());
    }
}
