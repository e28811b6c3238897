//! The symmetric signature of the Standard Webhooks (<https://www.standardwebhooks.com>), by which who is called knows
//! that it is us.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over id, time and body, for each key, with spaces
/// between them. While keys are rotated there are two, and whoever knows one of them can check it.
pub fn sign(id: &str, timestamp: i64, body: &str, keys: &[&[u8]]) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    let signatures = keys.iter().filter_map(|key| {
        // HMAC takes a key of any length: this is never an error.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(content.as_bytes());
        let digest = mac.finalize().into_bytes();
        Some(format!("v1,{}", BASE64_STANDARD.encode(digest)))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the specification's reference libraries.
        let key = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let signed = sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
            &[&key],
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
