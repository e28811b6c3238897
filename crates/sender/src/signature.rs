//! The symmetric signature of the Standard Webhooks.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::webhooks::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over id, time and body, for each key, with spaces
/// between them. While keys are rotated there are two, and whoever knows one of them can check it.
pub fn sign(id: &str, timestamp: i64, body: &str, keys: &[SigningKey]) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    let signatures = keys.iter().filter_map(|key| {
        // HMAC takes a key of any length: this is never an error.
        let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).ok()?;
        mac.update(content.as_bytes());
        let digest = mac.finalize().into_bytes();
        Some(format!("v1,{}", BASE64_STANDARD.encode(digest)))
    });
    signatures.collect::<Vec<_>>().join(" ")
}
