//! The embedded engine, on a file as in production.

use contracts::store::Ports;
use tempfile::TempDir;

async fn open() -> (Ports, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let stores = storage::open_sqlite(&folder.path().join("botwright.db")).unwrap();
    stores.migrate().await.unwrap();
    (crate::ports(&stores), folder)
}

contracts::store_contract!(crate::sqlite::open);
