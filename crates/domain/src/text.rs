//! What text from outside must keep to. Lengths are in characters (Unicode scalar values), and text is
//! kept word for word: nothing here trims or normalises.

use validator::ValidationError;

use crate::{Error, Result};

/// Bot name, source name, tenant name.
pub const NAME_MAX: u64 = 200;
/// Bot description.
pub const DESCRIPTION_MAX: u64 = 2_000;
/// Bot welcome message.
pub const WELCOME_MAX: u64 = 2_000;
/// Bot system prompt.
pub const SYSTEM_PROMPT_MAX: u64 = 20_000;
/// A visitor's message.
pub const MESSAGE_MAX: u64 = 8_000;
/// Session id.
pub const SESSION_ID_MAX: u64 = 128;
/// Content of a text source.
pub const CONTENT_MAX: u64 = 1_000_000;
/// Identifier, name and e-mail of an end user.
pub const END_USER_FIELD_MAX: u64 = 320;
/// A URL.
pub const URL_MAX: u64 = 2_048;

/// A required field: present and not blank.
///
/// # Errors
/// [`Error::Missing`] for absent, null, empty or only white space.
pub fn required(field: &'static str, value: Option<String>) -> Result<String> {
    value
        .filter(|v| !v.trim().is_empty())
        .ok_or_else(|| Error::missing(field))
}

/// For `#[validate(custom(function = ...))]`: stores can't keep NUL, so it is refused at the door.
///
/// # Errors
/// Where the text holds NUL.
pub fn no_nul(value: &str) -> std::result::Result<(), ValidationError> {
    if value.contains('\0') {
        return Err(
            ValidationError::new("nul").with_message("must not contain the NUL character".into())
        );
    }
    Ok(())
}

/// The first `count` characters.
pub fn preview(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}
