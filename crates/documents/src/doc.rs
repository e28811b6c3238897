//! Word's format up to 2003.

use domain::documents::ReadError;

/// The words of a file of this kind.
///
/// # Errors
/// [`ReadError::Unreadable`].
pub(crate) fn read(_bytes: &[u8]) -> Result<String, ReadError> {
    Err(ReadError::Unreadable(
        "This kind of file can't be read yet.".into(),
    ))
}
