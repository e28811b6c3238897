//! Reading in a process of its own: the port's promises once more, and what a file that gets hold of its reader
//! can do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use documents::isolated::{Isolated, Limits};
use domain::documents::{Document, DocumentReader, FileKind, ReadError};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The example beside this test's own program.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap().parent().unwrap();
    folder.join("examples").join("extract")
}

fn reader(task: &[&str], limits: Limits) -> Isolated {
    let arguments = task.iter().map(Into::into).collect();
    Isolated::new(program(), arguments, limits)
}

async fn open() -> (Isolated, ()) {
    (reader(&["extract"], Limits::default()), ())
}

contracts::document_reader_contract!(open);

async fn read(task: &str, limits: Limits) -> Result<Document, ReadError> {
    // Larger than what a pipe holds.
    let bytes = vec![b'x'; 1 << 20];
    reader(&[task], limits).read(FileKind::Txt, bytes).await
}

async fn refused(task: &str, limits: Limits) -> String {
    match read(task, limits).await {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("{task}: {other:?}"),
    }
}

async fn said(task: &str) -> String {
    read(task, Limits::default()).await.unwrap().text
}

#[tokio::test]
async fn what_takes_too_long_is_ended() {
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let began = Instant::now();
    assert!(refused("sleep", limits).await.contains("too long"));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_computes_too_long_is_ended() {
    let why = refused("compute", Limits::default()).await;
    assert!(why.contains("too long"), "{why}");
}

#[tokio::test]
async fn what_needs_too_much_memory_is_ended() {
    for task in ["allocate", "allocate at once"] {
        let why = refused(task, Limits::default()).await;
        assert!(why.contains("more memory"), "{task}: {why}");
    }
}

#[tokio::test]
async fn what_answers_without_an_end_is_ended() {
    let limits = Limits {
        output: 1_000_000,
        ..Limits::default()
    };
    assert!(refused("flood", limits).await.contains("more text"));
}

#[tokio::test]
async fn what_ends_its_reader_is_the_files_fault() {
    for (task, word) in [
        ("abort", "more memory"),
        ("be killed", "more memory"),
        ("panic", "damaged"),
        ("fault", "damaged"),
    ] {
        let why = refused(task, Limits::default()).await;
        assert!(why.contains(word), "{task}: {why}");
    }
}

#[tokio::test]
async fn a_reader_that_others_end_is_no_fault_of_the_file() {
    for task in ["be ended", "exit"] {
        let read = read(task, Limits::default()).await;
        assert!(
            matches!(read, Err(ReadError::Failed(_))),
            "{task}: {read:?}"
        );
    }
    let missing = Isolated::new("/nowhere".into(), Vec::new(), Limits::default());
    let read = missing.read(FileKind::Txt, b"a file".to_vec()).await;
    assert!(matches!(read, Err(ReadError::Failed(_))), "{read:?}");
}

#[tokio::test]
async fn a_reader_knows_no_setting_and_reaches_nothing() {
    assert_eq!(said("look around").await, " in /");
    assert_eq!(said("break out").await, "");
}

/// Where the kernel can refuse what needs no open file.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_changes_no_folder() {
    use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
    let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if strict.handle_access(AccessFs::MakeDir).is_ok() {
        assert_eq!(said("make a folder").await, "refused");
    }
}

/// Processes whose command holds this word.
#[cfg(target_os = "linux")]
fn running(word: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands =
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    commands
        .filter(|command| {
            command
                .split(|byte| *byte == 0)
                .any(|part| part == word.as_bytes())
        })
        .count()
}

#[cfg(target_os = "linux")]
async fn none_is_left(word: &str) {
    let began = Instant::now();
    while running(word) > 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "{word}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn few_run_at_once_and_none_is_left_behind() {
    const WORD: &str = "botwright-few-at-once";
    let limits = Limits {
        time: Duration::from_millis(400),
        at_once: 2,
        ..Limits::default()
    };
    let reader = Arc::new(reader(&["sleep", WORD], limits));
    let mut reading = JoinSet::new();
    for _ in 0..6 {
        let reader = Arc::clone(&reader);
        reading.spawn(async move { reader.read(FileKind::Txt, b"a file".to_vec()).await });
    }
    let began = Instant::now();
    let mut most = 0;
    while !reading.is_empty() {
        while reading.try_join_next().is_some() {}
        most = most.max(running(WORD));
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(most, 2);
    // Three rounds of two.
    assert!(began.elapsed() >= Duration::from_millis(1_150));
    none_is_left(WORD).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_nobody_waits_for_is_ended() {
    const WORD: &str = "botwright-nobody-waits";
    let reader = reader(&["sleep", WORD], Limits::default());
    let reading = tokio::spawn(async move { reader.read(FileKind::Txt, Vec::new()).await });
    let began = Instant::now();
    while running(WORD) == 0 {
        assert!(began.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(10)).await;
    }
    reading.abort();
    none_is_left(WORD).await;
}
