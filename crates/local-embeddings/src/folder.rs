//! A model's folder, as it lies on disk.

use std::path::{Path, PathBuf};

use candle_transformers::models::bert::Config;
use domain::embeddings::MODEL_MAX;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

/// The longest part of a folder's name in the model's.
const NAME_MAX: usize = MODEL_MAX / 2;
/// What a model's position embeddings may need before a text's first token.
const SHORTEST: usize = 8;

/// Why a folder can't be used: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file can't be read.
    #[error("{} can't be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file does not hold what it should.
    #[error("{} can't be used: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A kind of model that is not known here.
    #[error("the model is of type '{0}'; only 'bert' is known")]
    UnknownType(String),
    /// The system has no thread for it.
    #[error("no thread can be started: {0}")]
    Thread(String),
}

/// How a text's vector is made of those of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Their mean.
    Mean,
    /// The first one.
    First,
}

/// What a folder holds.
pub(crate) struct Folder {
    /// Its name, and the beginning of a hash over all that decides on its vectors: with another tokenizer it is another
    /// model.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) config: Config,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) weights: Vec<u8>,
    pub(crate) pooling: Pooling,
    /// The most tokens of a text.
    pub(crate) tokens: usize,
}

/// `sentence_bert_config.json`, as far as it matters.
#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

/// An entry of `modules.json`, as far as it matters.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

/// `1_Pooling/config.json`, as far as it matters.
#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

impl Folder {
    pub(crate) fn read(path: &Path) -> Result<Self, OpenError> {
        // A folder that is named `.` has a name too, which says whether texts want a prefix.
        let path = &path
            .canonicalize()
            .map_err(|error| unreadable(path, &error))?;
        let mut digest = Sha256::new();
        let mut hashed = |bytes: Vec<u8>| {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(&bytes);
            bytes
        };
        let file = path.join("config.json");
        let config: Value = parse(&file, &hashed(bytes(&file)?))?;
        let kind = config["model_type"].as_str().unwrap_or_default();
        if kind != "bert" {
            return Err(OpenError::UnknownType(kind.to_owned()));
        }
        let config: Config =
            serde_json::from_value(config).map_err(|error| broken(&file, error))?;
        let heads = config.num_attention_heads;
        if heads == 0 || config.hidden_size == 0 || !config.hidden_size.is_multiple_of(heads) {
            return Err(broken(
                &file,
                "its hidden_size can't be shared out to its heads",
            ));
        }
        let sentence: Option<SentenceConfig> = optional(&path.join("sentence_bert_config.json"))?;
        check_modules(&path.join("modules.json"))?;
        let pooling = pooling(&path.join("1_Pooling").join("config.json"))?;
        let tokens = sentence
            .and_then(|sentence| sentence.max_seq_length)
            .unwrap_or(usize::MAX)
            .min(config.max_position_embeddings)
            .max(SHORTEST);
        let file = path.join("tokenizer.json");
        let mut tokenizer =
            Tokenizer::from_bytes(hashed(bytes(&file)?)).map_err(|error| broken(&file, error))?;
        // Padded by us, batch by batch.
        tokenizer.with_padding(None);
        let truncation = tokenizers::TruncationParams {
            max_length: tokens,
            ..tokenizers::TruncationParams::default()
        };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(|error| broken(&file, error))?;
        if tokenizer.get_vocab_size(true) > config.vocab_size {
            return Err(broken(&file, "it has more words than the model"));
        }
        let weights = hashed(bytes(&path.join("model.safetensors"))?);
        digest.update([u8::from(pooling == Pooling::First)]);
        digest.update((tokens as u64).to_le_bytes());
        Ok(Self {
            name: name(path, &digest.finalize()),
            path: path.to_owned(),
            config,
            tokenizer,
            weights,
            pooling,
            tokens,
        })
    }
}

/// Refuses a folder whose vectors go through more than the model, its pooling and their length.
fn check_modules(file: &Path) -> Result<(), OpenError> {
    let modules: Option<Vec<Module>> = optional(file)?;
    let kinds = modules.iter().flatten().map(|module| module.kind.as_str());
    let known = ["Transformer", "Pooling", "Normalize"];
    for kind in kinds {
        let name = kind.rsplit('.').next().unwrap_or(kind);
        if !known.contains(&name) {
            return Err(broken(file, format!("the module '{name}' is not known")));
        }
    }
    Ok(())
}

fn name(path: &Path, digest: &[u8]) -> String {
    let folder = path.file_name().unwrap_or(path.as_os_str());
    let folder = folder.to_string_lossy();
    let mut end = folder.len().min(NAME_MAX);
    while !folder.is_char_boundary(end) {
        end -= 1;
    }
    let hash: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
    format!("{}@{hash}", &folder[..end])
}

fn pooling(file: &Path) -> Result<Pooling, OpenError> {
    match optional::<PoolingConfig>(file)? {
        None => Ok(Pooling::Mean),
        Some(PoolingConfig {
            pooling_mode_mean_tokens: true,
            pooling_mode_cls_token: false,
        }) => Ok(Pooling::Mean),
        Some(PoolingConfig {
            pooling_mode_mean_tokens: false,
            pooling_mode_cls_token: true,
        }) => Ok(Pooling::First),
        Some(_) => Err(broken(file, "only the mean and the first token are known")),
    }
}

fn optional<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, OpenError> {
    if !file.exists() {
        return Ok(None);
    }
    parse(file, &bytes(file)?).map(Some)
}

fn bytes(file: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn parse<T: DeserializeOwned>(file: &Path, bytes: &[u8]) -> Result<T, OpenError> {
    serde_json::from_slice(bytes).map_err(|error| broken(file, error))
}

pub(crate) fn broken(file: &Path, reason: impl ToString) -> OpenError {
    // Some libraries add a trace of their own calls.
    let reason = reason.to_string();
    OpenError::Broken {
        path: file.to_owned(),
        reason: reason.lines().next().unwrap_or_default().to_owned(),
    }
}
