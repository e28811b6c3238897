//! HTML to its main content as Markdown: what pages of websites and uploaded files of HTML have in common.
//! It knows nothing of bots, networks or files.

mod charset;
mod chrome;
mod extract;
mod html;
mod markdown;

pub use charset::decode;
pub use extract::{Content, Extracted, file, html, plain};
