//! A model of the smallest size: it means nothing, and is read and run like any other.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::bert::BertModel;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The model's `config.json`.
pub fn config() -> Value {
    json!({
        "model_type": "bert", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "max_position_embeddings": 64, "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    })
}

/// A folder with such a model; each has other weights.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = config();
    write(folder.path(), "config.json", &config);
    write(folder.path(), "tokenizer.json", &tokenizer());
    let weights = VarMap::new();
    let builder = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
    // Asking for weights makes them.
    BertModel::load(builder, &serde_json::from_value(config).unwrap()).unwrap();
    weights
        .save(folder.path().join("model.safetensors"))
        .unwrap();
    folder
}

/// Writes a file of a folder.
pub fn write(folder: &Path, name: &str, content: &Value) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content.to_string()).unwrap();
}

/// A tokenizer that knows letters and digits.
fn tokenizer() -> Value {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
    let mut vocabulary: BTreeMap<String, usize> = BTreeMap::new();
    let letters: Vec<String> = ('a'..='z').chain('0'..='9').map(String::from).collect();
    let inner = letters.iter().map(|letter| format!("##{letter}"));
    let all = special.map(str::to_owned).into_iter();
    for word in all.chain(letters.iter().cloned()).chain(inner) {
        vocabulary.insert(word, vocabulary.len());
    }
    let added: Vec<_> = (0..)
        .zip(special)
        .map(|(id, content): (usize, _)| {
            json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true })
        })
        .collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                        "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary },
    })
}
