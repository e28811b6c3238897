//! Secrets that must be read again, encrypted with XChaCha20-Poly1305 where they are kept.
//!
//! A sealed secret is a version (1), the id of its key (4 bytes), a nonce (24) and the ciphertext with its tag. Tenant,
//! row and purpose are authenticated with it: a secret that is moved to another row, or to another tenant's, can't be
//! opened there. Keys are rotated by putting a new one before the old: it seals from then on, and all open.

mod keys;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::secrets::{SecretBox, SecretContext};
use domain::{Error, Result};

pub use keys::{Key, KeyError, Keys};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;

/// Seals and opens secrets.
pub struct Vault(Keys);

impl Vault {
    /// A vault with these keys.
    pub const fn new(keys: Keys) -> Self {
        Self(keys)
    }
}

/// What is authenticated beside the secret.
fn place(context: &SecretContext) -> Vec<u8> {
    let mut place = Vec::with_capacity(32 + context.purpose.len());
    place.extend(context.tenant_id.0.as_bytes());
    place.extend(context.row.as_bytes());
    place.extend(context.purpose.as_bytes());
    place
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

impl SecretBox for Vault {
    fn seal(&self, context: &SecretContext, plain: &[u8]) -> Result<Vec<u8>> {
        let key = self.0.newest();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| Error::internal(error.to_string()))?;
        let payload = Payload {
            msg: plain,
            aad: &place(context),
        };
        let sealed = cipher(key)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        Ok([&[VERSION][..], &key.id(), &nonce, &sealed].concat())
    }

    fn open(&self, context: &SecretContext, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal("a sealed secret is damaged");
        let rest = sealed.strip_prefix(&[VERSION]).ok_or_else(broken)?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID>().ok_or_else(broken)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or_else(broken)?;
        let gone = || Error::internal("the key of a sealed secret is not among the keys");
        let key = self.0.find(*id).ok_or_else(gone)?;
        let payload = Payload {
            msg: rest,
            aad: &place(context),
        };
        let moved =
            |_| Error::internal("a sealed secret is damaged, or was sealed for another place");
        cipher(key)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(moved)
    }
}
