//! Word's format since 2007: Office Open XML (ECMA-376, part 1, chapters 11 and 17), a ZIP archive of XML parts.
//!
//! The parts are read as streams, in the order of the document; nothing of them is kept but the text, the styles
//! and the numbering. Headers and footers are not read: they repeat. Comments and what was deleted while changes
//! were tracked are not the document's words.

mod body;
mod lists;
mod package;
mod styles;

use domain::documents::ReadError;

use body::{Body, Notes};
pub(crate) use package::Package;
use package::damaged;
use styles::Styles;

use crate::numbering::Numbering;

/// The text of the document.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(bytes: &[u8]) -> Result<String, ReadError> {
    let mut package = Package::open(bytes).ok_or_else(damaged)?;
    let document = package.document()?.ok_or_else(damaged)?;
    let parts = package.related(&document)?;
    let part = |kind: &str| {
        parts
            .iter()
            .find(|(is, _)| is == kind)
            .map(|(_, name)| name)
    };

    let mut styles = Styles::default();
    if let Some(mut xml) = package.small_part(part("styles"))? {
        styles = Styles::read(&mut xml)?;
    }
    let mut numbering = Numbering::default();
    if let Some(mut xml) = package.small_part(part("numbering"))? {
        numbering = lists::read(&mut xml)?;
    }
    let mut notes = Notes::default();
    for kind in ["footnotes", "endnotes"] {
        if let Some(mut xml) = package.small_part(part(kind))? {
            notes.read(&mut xml, &styles, &mut numbering)?;
        }
    }
    let mut xml = package.part(&document)?.ok_or_else(damaged)?;
    Body::new(&styles, &mut numbering, &mut notes).read(&mut xml)
}
