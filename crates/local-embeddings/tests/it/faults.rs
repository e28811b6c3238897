//! Folders that can't be used: each is refused with a sentence that names the file.

use std::path::Path;

use domain::embeddings::{Embedder, Purpose};
use local_embeddings::{LocalEmbedder, OpenError};
use serde_json::json;

use crate::tiny;

fn refused(folder: &Path) -> String {
    match LocalEmbedder::open(folder) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = tiny::folder();
        std::fs::remove_file(folder.path().join(name)).unwrap();
        let told = refused(folder.path());
        assert!(
            told.contains(name) && told.contains("can't be read"),
            "{told}"
        );
    }
    assert!(refused(Path::new("/nowhere")).contains("/nowhere"));
}

#[test]
fn a_file_that_is_broken_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = tiny::folder();
        let path = folder.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).unwrap();
        let told = refused(folder.path());
        assert!(
            told.contains(name) && told.contains("can't be used"),
            "{told}"
        );
        assert!(!told.contains('\n'), "{told}");
    }
}

#[test]
fn what_does_not_fit_together_is_told() {
    for (field, value, file) in [
        ("hidden_size", json!(64), "model.safetensors"),
        ("num_attention_heads", json!(5), "config.json"),
        ("num_attention_heads", json!(0), "config.json"),
        ("vocab_size", json!(10), "tokenizer.json"),
        ("hidden_act", json!("swish"), "config.json"),
        ("pad_token_id", json!(5_000), "model.safetensors"),
    ] {
        let folder = tiny::folder();
        let mut config = tiny::config();
        config[field] = value;
        tiny::write(folder.path(), "config.json", &config);
        let told = refused(folder.path());
        assert!(told.contains(file), "{field}: {told}");
    }
    let folder = tiny::folder();
    for pooling in [
        json!({ "pooling_mode_max_tokens": true }),
        json!({ "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true }),
    ] {
        tiny::write(folder.path(), "1_Pooling/config.json", &pooling);
        assert!(refused(folder.path()).contains("only the mean"));
    }
    let folder = tiny::folder();
    let dense = json!([{ "idx": 2, "type": "sentence_transformers.models.Dense" }]);
    tiny::write(folder.path(), "modules.json", &dense);
    assert!(refused(folder.path()).contains("'Dense'"));
}

#[test]
fn other_kinds_of_models_are_refused_by_name() {
    let folder = tiny::folder();
    let mut config = tiny::config();
    config["model_type"] = json!("gpt2");
    tiny::write(folder.path(), "config.json", &config);
    assert!(matches!(
        LocalEmbedder::open(folder.path()),
        Err(OpenError::UnknownType(kind)) if kind == "gpt2"
    ));
}

#[tokio::test]
async fn the_folder_says_how_it_is_used() {
    let folder = tiny::folder();
    let mean = LocalEmbedder::open(folder.path()).unwrap();
    let pooling = json!({ "pooling_mode_cls_token": true });
    tiny::write(folder.path(), "1_Pooling/config.json", &pooling);
    let first = LocalEmbedder::open(folder.path()).unwrap();
    let short = json!({ "max_seq_length": 8, "do_lower_case": false });
    tiny::write(folder.path(), "sentence_bert_config.json", &short);
    let short = LocalEmbedder::open(folder.path()).unwrap();
    let texts = ["one two three four", "one two three five"].map(str::to_owned);
    let mut made = Vec::new();
    for embedder in [&mean, &first, &short] {
        made.push(embedder.embed(Purpose::Passage, &texts).await.unwrap());
    }
    assert_ne!(made[0], made[1], "the mean is not the first");
    assert_ne!(made[1][0], made[1][1]);
    assert_eq!(
        made[2][0], made[2][1],
        "they differ beyond the eighth token"
    );
    assert_ne!(mean.model(), first.model());
    assert_ne!(first.model(), short.model());
}
