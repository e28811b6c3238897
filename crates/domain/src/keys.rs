//! API keys: how they look, how they are checked, where they are kept.
//!
//! A secret is a prefix that says what it opens, 32 random bytes in base62 (43 characters) and a checksum (6 characters), so that
//! a mistyped or invented key is refused without asking the store, and secret scanners can know a real one.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::tenants::Tenant;
use crate::{ApiKeyId, BotId, Result, TenantId, Timestamp};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const BODY_LEN: usize = 43;
/// 62^6 > 2^32.
const CHECKSUM_LEN: usize = 6;
/// How much of a secret, beside its prefix, is kept in clear, so that its owner can tell keys apart.
const VISIBLE_LEN: usize = 8;

/// What a key opens, as its prefix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// All that a tenant has.
    Tenant,
    /// One bot, for the Agent API.
    Bot,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Tenant, Self::Bot];

    /// What a secret of this kind begins with. No prefix begins with another.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Tenant => "tk_",
            Self::Bot => "tb_pk_",
        }
    }
}

/// A credential in clear: made once, shown once, never kept. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiSecret {
    kind: KeyKind,
    text: String,
}

/// What is kept of a secret. 256 bits of randomness need no salt and no slow hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl ApiSecret {
    /// A key from 32 random bytes.
    pub fn new(kind: KeyKind, random: [u8; 32]) -> Self {
        let prefix = kind.prefix();
        let body = base62(&random, BODY_LEN);
        let sum = checksum(prefix, &body);
        Self {
            kind,
            text: format!("{prefix}{body}{sum}"),
        }
    }

    /// Reads what a client sent: `None` for anything that can't be a key.
    pub fn parse(text: &str) -> Option<Self> {
        let of_kind = |kind: KeyKind| Some((kind, text.strip_prefix(kind.prefix())?));
        let (kind, rest) = KeyKind::ALL.into_iter().find_map(of_kind)?;
        if rest.len() != BODY_LEN + CHECKSUM_LEN || !rest.bytes().all(|b| ALPHABET.contains(&b)) {
            return None;
        }
        let (body, sum) = rest.split_at(BODY_LEN);
        (checksum(kind.prefix(), body) == sum).then(|| Self {
            kind,
            text: text.to_owned(),
        })
    }

    /// What the store keeps and finds it by.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The part that may be shown again.
    pub fn visible_prefix(&self) -> &str {
        &self.text[..self.kind.prefix().len() + VISIBLE_LEN]
    }

    /// The secret itself, to be shown to its owner once.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiSecret({}…)", self.visible_prefix())
    }
}

/// `bytes` as one big-endian number, in base 62, padded with zeros to `len` digits.
fn base62(bytes: &[u8], len: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; len];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0u32;
        for byte in &mut number {
            let value = (remainder << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    digits.into_iter().map(char::from).collect()
}

/// The first 32 bits of SHA-256 over prefix and body, in base 62.
fn checksum(prefix: &str, body: &str) -> String {
    let digest = Sha256::new()
        .chain_update(prefix)
        .chain_update(body)
        .finalize();
    base62(&digest[..4], CHECKSUM_LEN)
}

/// A credential as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The one bot that it opens; `None`: it is the tenant's own.
    pub bot_id: Option<BotId>,
    /// What its owner calls it.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// Where credentials are kept.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Keeps a new key under the hash of its secret.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where there is no such tenant or bot.
    async fn create(&self, key: &ApiKey, hash: KeyHash) -> Result<()>;
    /// The key and its tenant for a secret, revoked keys and suspended tenants included.
    async fn find_by_hash(&self, hash: KeyHash) -> Result<Option<(ApiKey, Tenant)>>;
    /// A tenant's keys, those of its bots included, newest first.
    async fn list(&self, tenant: TenantId) -> Result<Vec<ApiKey>>;
    /// Revokes a key; revoking twice keeps the first time. `false`: there is no such key.
    async fn revoke(&self, tenant: TenantId, id: ApiKeyId, at: Timestamp) -> Result<bool>;
    /// Notes that a key was used; an earlier time than the one kept changes nothing.
    async fn touch(&self, tenant: TenantId, id: ApiKeyId, at: Timestamp) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds() -> impl Strategy<Value = KeyKind> {
        proptest::sample::select(&KeyKind::ALL[..])
    }

    proptest! {
        #[test]
        fn a_made_key_is_read_back(kind in kinds(), random in any::<[u8; 32]>()) {
            let secret = ApiSecret::new(kind, random);
            prop_assert_eq!(secret.reveal().len(), kind.prefix().len() + 43 + 6);
            prop_assert_eq!(ApiSecret::parse(secret.reveal()), Some(secret));
        }

        #[test]
        fn one_wrong_character_is_noticed(kind in kinds(), random in any::<[u8; 32]>(), at in 0usize..49, with in 0usize..62) {
            let mut text = ApiSecret::new(kind, random).reveal().to_owned().into_bytes();
            let at = kind.prefix().len() + at;
            prop_assume!(text[at] != ALPHABET[with]);
            text[at] = ALPHABET[with];
            // A 32-bit checksum lets one in four thousand million through; none of proptest's few hundred.
            prop_assert_eq!(ApiSecret::parse(&String::from_utf8(text).unwrap()), None);
        }

        #[test]
        fn one_kind_is_not_taken_for_another(random in any::<[u8; 32]>()) {
            let secret = ApiSecret::new(KeyKind::Tenant, random);
            let forged = secret.reveal().replacen("tk_", "tb_pk_", 1);
            prop_assert_eq!(ApiSecret::parse(&forged), None);
        }

        #[test]
        fn whatever_is_sent_is_read_without_panic(text in ".*") {
            let _ = ApiSecret::parse(&text);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = ApiSecret::new(KeyKind::Bot, [7; 32]);
        assert!(!format!("{secret:?}").contains(&secret.reveal()[14..]));
    }
}
