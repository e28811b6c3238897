//! Whether a request comes from whom it says. Nothing here tells by its time how much of a guess was right.

use domain::channels::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Whether `hex` is the HMAC-SHA256 of the parts, one after the other, in hexadecimal digits.
pub(crate) fn is_signed(key: &Secret, parts: &[&[u8]], hex: &str) -> bool {
    let (Some(mac), Some(given)) = (mac(key, parts), bytes(hex)) else {
        return false;
    };
    mac.verify_slice(&given).is_ok()
}

/// A word that only those know who know the key: 64 hexadecimal digits.
pub(crate) fn derived(key: &Secret, purpose: &str) -> String {
    let mac = mac(key, &[purpose.as_bytes()]).map(|mac| mac.finalize().into_bytes());
    let digits = mac.iter().flatten().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// Whether both are the same.
pub(crate) fn is_same(known: &str, given: &str) -> bool {
    known.as_bytes().ct_eq(given.as_bytes()).into()
}

/// `None` never comes: this MAC takes keys of any length.
fn mac(key: &Secret, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_its_key_and_its_words_only() {
        // RFC 4231, test case 2.
        let key = Secret::new("Jefe");
        let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(
            &key,
            &[b"what do ya want ", b"for nothing?"],
            mac
        ));
        assert!(is_signed(
            &key,
            &[b"what do ya want for nothing?"],
            &mac.to_uppercase()
        ));
        assert_eq!(derived(&key, "what do ya want for nothing?"), mac);
        assert!(!is_signed(&key, &[b"what do ya want for nothing!"], mac));
        assert!(!is_signed(
            &Secret::new("jefe"),
            &[b"what do ya want for nothing?"],
            mac
        ));
        for broken in [
            "",
            "5b",
            &mac[1..],
            &mac[2..],
            &format!("{mac}00"),
            "zz",
            "é5bdcc1",
        ] {
            assert!(
                !is_signed(&key, &[b"what do ya want for nothing?"], broken),
                "{broken}"
            );
        }
    }

    #[test]
    fn words_are_the_same_as_a_whole() {
        assert!(is_same("secret", "secret"));
        for other in ["", "secre", "secret1", "Secret"] {
            assert!(!is_same("secret", other), "{other}");
        }
    }
}
