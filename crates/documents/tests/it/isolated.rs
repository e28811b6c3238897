//! Reading in a process of its own: the port's promises once more, and what a file that gets hold of its reader
//! can do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use documents::isolated::{Isolated, Limits};
use domain::documents::{DocumentReader, FileKind, ReadError};

/// The example beside this test's own program.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap().parent().unwrap();
    folder.join("examples").join("extract")
}

fn reader(argument: &str, limits: Limits) -> Isolated {
    Isolated::new(program(), vec![argument.into()], limits)
}

async fn open() -> (Isolated, ()) {
    (reader("extract", Limits::default()), ())
}

contracts::document_reader_contract!(open);

async fn refused(fault: &str, limits: Limits) -> String {
    match reader(fault, limits)
        .read(FileKind::Txt, b"a file".to_vec())
        .await
    {
        Err(ReadError::Unreadable(why)) => why,
        other => panic!("{fault}: {other:?}"),
    }
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
async fn what_needs_too_much_memory_is_ended() {
    assert!(
        refused("allocate", Limits::default())
            .await
            .contains("memory")
    );
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
async fn what_ends_its_reader_is_told() {
    refused("abort", Limits::default()).await;
    assert!(
        refused("panic", Limits::default())
            .await
            .contains("damaged")
    );
}

#[tokio::test]
async fn a_reader_writes_no_file_and_knows_no_setting() {
    refused("write", Limits::default()).await;
    refused("environment", Limits::default()).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_our_fault() {
    let reader = Isolated::new("/nowhere".into(), Vec::new(), Limits::default());
    let read = reader.read(FileKind::Txt, b"a file".to_vec()).await;
    assert!(matches!(read, Err(ReadError::Failed(_))), "{read:?}");
}

#[tokio::test]
async fn few_run_at_once_and_none_is_left_behind() {
    let limits = Limits {
        time: Duration::from_millis(400),
        at_once: 2,
        ..Limits::default()
    };
    let reader = Arc::new(reader("sleep", limits));
    let began = Instant::now();
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let reader = Arc::clone(&reader);
        reading.spawn(async move { reader.read(FileKind::Txt, b"a file".to_vec()).await });
    }
    reading.join_all().await;
    // Three rounds of two.
    assert!(
        began.elapsed() >= Duration::from_millis(1_150),
        "{:?}",
        began.elapsed()
    );
}
