//! What the vault promises.
#![allow(clippy::unwrap_used, reason = "tests")]

use domain::TenantId;
use domain::secrets::{SecretBox, SecretContext};
use uuid::Uuid;
use vault::{KeyError, Keys, Vault};

const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn vault(keys: &str) -> Vault {
    Vault::new(Keys::parse(keys).unwrap())
}

fn place(tenant: u128, row: u128, purpose: &'static str) -> SecretContext {
    SecretContext {
        tenant_id: TenantId(Uuid::from_u128(tenant)),
        row: Uuid::from_u128(row),
        purpose,
    }
}

#[test]
fn a_secret_is_opened_where_it_was_sealed_and_nowhere_else() {
    let vault = vault(OLD);
    let here = place(1, 2, "key");
    let sealed = vault.seal(&here, b"sk-secret").unwrap();
    assert!(!sealed.windows(9).any(|part| part == b"sk-secret"));
    assert_eq!(vault.open(&here, &sealed).unwrap(), b"sk-secret");
    for elsewhere in [place(2, 2, "key"), place(1, 3, "key"), place(1, 2, "other")] {
        assert!(vault.open(&elsewhere, &sealed).is_err());
    }
    assert_ne!(sealed, vault.seal(&here, b"sk-secret").unwrap());
}

#[test]
fn what_is_damaged_is_told_and_does_not_open() {
    let vault = vault(OLD);
    let here = place(1, 2, "key");
    let sealed = vault.seal(&here, b"secret").unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(vault.open(&here, &damaged).is_err(), "{at}");
        assert!(vault.open(&here, &sealed[..at]).is_err(), "{at}");
    }
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let here = place(1, 2, "key");
    let before = vault(OLD).seal(&here, b"secret").unwrap();
    let rotated = vault(&format!("{NEW}, {OLD}"));
    assert_eq!(rotated.open(&here, &before).unwrap(), b"secret");
    let after = rotated.seal(&here, b"secret").unwrap();
    assert!(vault(OLD).open(&here, &after).is_err());
    assert_eq!(vault(NEW).open(&here, &after).unwrap(), b"secret");
    assert!(vault(NEW).open(&here, &before).is_err(), "its key is gone");
}

#[test]
fn a_file_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let made: Vec<_> = std::thread::scope(|scope| {
        let at_once: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Keys::of_file(&path).unwrap()))
            .collect();
        at_once
            .into_iter()
            .map(|made| made.join().unwrap())
            .collect()
    });
    assert!(made.iter().all(|keys| *keys == made[0]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_is_no_key_is_refused_by_its_place() {
    assert!(matches!(Keys::parse(" ,\n"), Err(KeyError::None)));
    for wrong in ["short", "AAAA", &format!("{OLD}AAAA")] {
        assert!(
            matches!(Keys::parse(wrong), Err(KeyError::NoKey(1))),
            "{wrong}"
        );
        let second = format!("{OLD},{wrong}");
        assert!(matches!(Keys::parse(&second), Err(KeyError::NoKey(2))));
    }
    assert!(!format!("{:?}", Keys::parse(OLD)).contains("AAAA"));
}
