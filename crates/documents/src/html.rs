//! Files of HTML: saved pages and exports.

use domain::documents::{FileKind, ReadError};
use markup::Extracted;
use url::Url;

use crate::charset;

/// What links are relative to; nothing is fetched from there.
const NOWHERE: &str = "file:///";

/// The main content of a page, below its title. `promised` is what the file's name says that it is.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(promised: FileKind, bytes: &[u8]) -> Result<String, ReadError> {
    let unreadable = |why: &str| {
        let remedy = "Open it in a browser, save what it shows as a PDF and upload that.";
        ReadError::Unreadable(format!("{why} {remedy}"))
    };
    let nowhere = Url::parse(NOWHERE).map_err(|error| ReadError::Failed(error.to_string()))?;
    let html = markup::decode(bytes, "");
    charset::no_binary(promised, &html)?;
    match markup::file(&html, &nowhere).map_err(unreadable)? {
        Extracted::Refresh(_) => Err(unreadable("The page only leads to another one.")),
        Extracted::Page(page) if !page.is_whole => {
            let why = "The page is too large to be read whole. Divide it into smaller files and upload those.";
            Err(ReadError::Unreadable(why.into()))
        }
        Extracted::Page(page) => {
            let is_titled = page.markdown.lines().any(|line| line.starts_with("# "));
            Ok(match page.title.filter(|_| !is_titled) {
                Some(title) => format!("# {title}\n\n{}", page.markdown),
                None => page.markdown,
            })
        }
    }
}
