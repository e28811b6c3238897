//! Secrets that must be read again (signing keys, credentials), encrypted where they are kept.

use crate::{Result, TenantId};

/// Where a secret belongs. What was sealed for one place can't be opened at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretContext {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The row that it is kept in.
    pub row: uuid::Uuid,
    /// What it is for: one row may have several.
    pub purpose: &'static str,
}

/// Encrypts and decrypts secrets.
pub trait SecretBox: Send + Sync {
    /// Encrypts a secret for its place.
    ///
    /// # Errors
    /// [`crate::Error::Internal`].
    fn seal(&self, context: &SecretContext, plain: &[u8]) -> Result<Vec<u8>>;

    /// Decrypts what was sealed for this place.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] where it was sealed for another place, with a key that is gone, or is damaged.
    fn open(&self, context: &SecretContext, sealed: &[u8]) -> Result<Vec<u8>>;
}
