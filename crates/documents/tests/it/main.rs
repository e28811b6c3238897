//! The reader against its port's promises.

use documents::Reader;

async fn open() -> (Reader, ()) {
    (Reader::new(), ())
}

contracts::document_reader_contract!(open);
