//! The reader against its port's promises.

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
