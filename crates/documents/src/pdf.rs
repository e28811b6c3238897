//! PDF.

use domain::documents::ReadError;

use crate::text::Text;

/// The words of a file of this kind.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(_bytes: &[u8]) -> Result<Text, ReadError> {
    Err(ReadError::Unreadable(
        "This kind of file can't be read yet.".into(),
    ))
}
