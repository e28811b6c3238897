//! The keys, and where they come from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// A key of 256 bits. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells keys apart, and nothing about them.
    pub(crate) fn id(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update("botwright key id")
            .chain_update(self.0)
            .finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

/// Keys in the order in which they are used: the first seals, all open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    newest: Key,
    older: Vec<Key>,
}

/// Why there are no keys: a sentence for the operator, without a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A word that is no key.
    #[error("key {0} is not the base64 of 32 bytes; `openssl rand -base64 32` makes one")]
    NoKey(usize),
    /// None at all.
    #[error("there is no key")]
    None,
    /// The file can't be read or made.
    #[error("{} can't be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Keys {
    /// Reads keys in base64, the newest first, with commas or lines between them.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], [`KeyError::None`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        let words = words.filter(|word| !word.is_empty());
        let read = |(place, word): (usize, &str)| {
            let bytes = BASE64_STANDARD.decode(word).ok();
            let key = bytes.and_then(|bytes| bytes.try_into().ok());
            key.map(Key).ok_or(KeyError::NoKey(place))
        };
        let mut keys = (1..).zip(words).map(read);
        Ok(Self {
            newest: keys.next().ok_or(KeyError::None)??,
            older: keys.collect::<Result<_, _>>()?,
        })
    }

    /// Reads the keys of a file, which is made with a new one if there is none, for its owner alone to read.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of_file(path: &Path) -> Result<Self, KeyError> {
        let wrong = |reason: String| KeyError::File {
            path: path.to_owned(),
            reason,
        };
        match std::fs::read_to_string(path) {
            Ok(text) => return Self::parse(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
        let mut random = [0; 40];
        getrandom::fill(&mut random).map_err(|error| wrong(error.to_string()))?;
        let (key, draft) = random.split_at(32);
        // Whole or not at all: what was sealed with a key that was half written could never be opened.
        let name: String = draft.iter().map(|byte| format!("{byte:02x}")).collect();
        let draft = path.with_extension(name);
        let made = write(&draft, &BASE64_STANDARD.encode(key))
            .and_then(|()| std::fs::hard_link(&draft, path));
        let _ = std::fs::remove_file(&draft);
        match made {
            Ok(()) => {}
            // Another process was faster; its key is as good.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.exists() => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text)
    }

    pub(crate) const fn newest(&self) -> &Key {
        &self.newest
    }

    pub(crate) fn find(&self, id: [u8; 4]) -> Option<&Key> {
        let mut all = std::iter::once(&self.newest).chain(&self.older);
        all.find(|key| key.id() == id)
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}
