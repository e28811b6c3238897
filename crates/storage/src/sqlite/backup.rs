//! A copy of the whole store in one file.

use std::path::Path;

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use super::worker;
use crate::OpenError;

/// Copies the store at `path` into the new file `to`: one state of it, also while a server writes to it.
///
/// # Errors
/// [`OpenError::Sqlite`].
pub fn backup(path: &Path, to: &Path) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Sqlite {
        path: to.to_owned(),
        reason,
    };
    let name = to
        .to_str()
        .ok_or_else(|| failed("the path is not valid Unicode".into()))?;
    let mut conn = worker::connect(path, worker::Use::Writing)?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(name)
        .execute(&mut conn)
        .map_err(|error| failed(error.to_string()))?;
    Ok(())
}
