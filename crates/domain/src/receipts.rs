//! Receipts: what is kept about how an answer came to be. A receipt is the metadata of the bot's message.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::answers::{Question, Tokens};
use crate::messages::Author;
use crate::retrieval::Hit;
use crate::{ChunkId, SourceId};

/// How an answer came to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// The provider that answered, as in the settings.
    pub provider: String,
    /// Its model, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether another provider had been asked before it.
    pub fallback: bool,
    /// The providers that failed before it, in the order in which they were asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_providers: Vec<String>,
    /// Whether the knowledge has the answer.
    pub grounded: bool,
    /// How sure retrieval was, 0 to 1, that what it found answers the question.
    pub answerable: f32,
    /// The chunks that it was made from, best first.
    pub citations: Vec<Citation>,
    /// See [`prompt_hash`].
    pub prompt_hash: String,
    /// The version of the bot's knowledge.
    pub knowledge_version: i64,
    /// The model that the question was embedded by; `None`: it was looked for by its words alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Tokens of the question and of the answer, where the provider counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// Milliseconds from the visitor's message to the whole answer.
    pub took_ms: u64,
}

/// A chunk that an answer was made from, as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Its source.
    pub source_id: SourceId,
    /// The name of that source.
    pub source_name: String,
    /// The chunk.
    pub chunk_id: ChunkId,
    /// Its place in the source.
    pub chunk_index: u32,
    /// The headings above it.
    pub heading: Option<String>,
    /// The page it stands on.
    pub page: Option<u32>,
    /// The web page that it comes from.
    pub url: Option<String>,
    /// How well it fitted; comparable within one answer only.
    pub score: f32,
}

impl Citation {
    /// Those of a bot's message, by its metadata; none of one that has no receipt.
    pub fn of(metadata: &Value) -> Vec<Self> {
        let cited = metadata.get("citations");
        cited
            .and_then(|cited| Vec::deserialize(cited).ok())
            .unwrap_or_default()
    }
}

impl From<&Hit> for Citation {
    fn from(hit: &Hit) -> Self {
        let draft = &hit.chunk.draft;
        Self {
            source_id: hit.chunk.source_id,
            source_name: hit.source_name.clone(),
            chunk_id: hit.chunk.id,
            chunk_index: hit.chunk.index,
            heading: draft.heading.clone(),
            page: draft.page,
            url: draft.url.clone(),
            score: hit.score,
        }
    }
}

/// The SHA-256, in hexadecimal, of all that a provider is asked with: the bot's prompt and language, the passages, what
/// was said before, and the question. Two answers with the same hash had the same to go by.
pub fn prompt_hash(question: &Question) -> String {
    let mut hash = Sha256::new();
    // Each part after its length: no two sequences of parts look the same.
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    };
    add(&question.system_prompt);
    add(question.language.as_str());
    add(question.welcome_message.as_deref().unwrap_or_default());
    for hit in &question.findings.hits {
        add(&hit.source_name);
        add(hit.chunk.draft.heading.as_deref().unwrap_or_default());
        add(&hit.chunk.draft.content);
    }
    for said in &question.history {
        add(match said.author {
            Author::User => "user",
            Author::Bot => "bot",
        });
        add(&said.text);
    }
    add(&question.text);
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::messages::Utterance;
    use crate::retrieval::Findings;

    fn question() -> Question {
        Question {
            system_prompt: "Be kind.".into(),
            language: Language::En,
            welcome_message: None,
            history: Vec::new(),
            text: "Are you open?".into(),
            findings: Findings::default(),
        }
    }

    #[test]
    fn what_was_asked_with_has_a_hash_of_its_own() {
        let same = prompt_hash(&question());
        assert_eq!(same, prompt_hash(&question()));
        assert_eq!(same.len(), 64);
        let mut others = vec![same];
        for change in [
            |q: &mut Question| q.text = "Are you closed?".into(),
            |q: &mut Question| q.system_prompt = "Be brief.".into(),
            |q: &mut Question| q.language = Language::De,
            |q: &mut Question| {
                q.history.push(Utterance {
                    author: Author::User,
                    text: "Hi".into(),
                });
            },
        ] {
            let mut changed = question();
            change(&mut changed);
            others.push(prompt_hash(&changed));
        }
        others.sort();
        others.dedup();
        assert_eq!(others.len(), 5);
    }

    #[test]
    fn a_receipt_of_an_earlier_version_can_be_read() {
        let early = serde_json::json!({ "provider": "openai", "fallback": false, "grounded": true, "citations": [] });
        let read: Receipt = serde_json::from_value(early).unwrap();
        assert_eq!((read.provider.as_str(), read.grounded), ("openai", true));
    }
}
