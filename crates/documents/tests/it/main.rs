//! The reader against its port's promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where what it needs is not there"
)]

mod doc;
mod docx;
mod html;
mod isolated;
mod mutations;
mod pdf;

use documents::Reader;

async fn open() -> (Reader, ()) {
    (Reader::new(), ())
}

contracts::document_reader_contract!(open);
