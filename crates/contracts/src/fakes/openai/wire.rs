//! Requests and answers as OpenAI and Anthropic write them.

use std::collections::HashMap;

use serde_json::{Value, json};

/// The visitor's message in a request.
pub(super) fn last_message(body: &Value) -> String {
    let content = &body["messages"]
        .as_array()
        .and_then(|all| all.last())
        .unwrap_or(&Value::Null)["content"];
    content.as_str().unwrap_or_default().to_owned()
}

const DIMENSIONS: usize = 64;

/// Embeddings for a request: each word hashed to a dimension, so that texts that share words are near each other;
/// words that mean the same have the same one.
pub(super) fn embeddings(body: &Value, synonyms: &HashMap<String, String>) -> String {
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let data = texts.iter().enumerate().map(|(index, text)| {
        // What every text has in common, as with real models.
        let mut vector = [0.1; DIMENSIONS];
        let text = text.as_str().unwrap_or_default().to_lowercase();
        for word in text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| w.len() > 3)
        {
            let meant = synonyms.get(word).map_or(word, String::as_str);
            let hash = meant.bytes().fold(7_usize, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(byte.into())
            });
            vector[hash % DIMENSIONS] += 1.0;
        }
        json!({"object": "embedding", "index": index, "embedding": vector.to_vec()})
    });
    // The API promises no order.
    let data: Vec<_> = data.rev().collect();
    json!({"object": "list", "model": "fake", "data": data}).to_string()
}

/// How answers are written.
#[derive(Clone, Copy)]
pub(super) enum Wire {
    OpenAi,
    Anthropic,
}

impl Wire {
    pub fn of(path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let is_deployment = path.starts_with("/openai/deployments/") && !query.is_empty();
        match path {
            "/v1/chat/completions" => Some(Self::OpenAi),
            "/v1/messages" => Some(Self::Anthropic),
            // As Azure has it.
            _ if is_deployment && path.ends_with("/chat/completions") => Some(Self::OpenAi),
            _ => None,
        }
    }

    pub fn error(self, code: &str) -> String {
        json!({"error": {"message": "as the test asked", "type": code, "code": code}}).to_string()
    }

    /// A whole stream: the words one by one, and what ends it.
    pub fn events(self, text: &str) -> Vec<String> {
        let mut events: Vec<_> = text
            .split_inclusive(' ')
            .map(|word| self.open_events(word))
            .collect();
        let words = events.len();
        match self {
            Self::OpenAi => {
                let usage = json!({"prompt_tokens": 11, "completion_tokens": words, "total_tokens": 11 + words});
                events.push(event(
                    None,
                    json!({"object": "chat.completion.chunk", "model": "fake",
                    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
                ));
                events.push(event(
                    None,
                    json!({"object": "chat.completion.chunk", "model": "fake",
                    "choices": [], "usage": usage}),
                ));
                events.push("data: [DONE]\n\n".into());
            }
            Self::Anthropic => {
                events.insert(0, event(Some("message_start"), json!({"type": "message_start", "message":
                    {"role": "assistant", "model": "fake", "content": [], "usage": {"input_tokens": 11, "output_tokens": 1}}})));
                events.push(event(
                    Some("message_delta"),
                    json!({"type": "message_delta",
                    "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": words}}),
                ));
                events.push(event(Some("message_stop"), json!({"type": "message_stop"})));
            }
        }
        events
    }

    /// A piece of a stream that goes on.
    pub fn open_events(self, text: &str) -> String {
        match self {
            Self::OpenAi => event(
                None,
                json!({"object": "chat.completion.chunk", "model": "fake",
                "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}),
            ),
            Self::Anthropic => event(
                Some("content_block_delta"),
                json!({"type": "content_block_delta",
                "index": 0, "delta": {"type": "text_delta", "text": text}}),
            ),
        }
    }

    /// A whole answer.
    pub fn body(self, text: &str) -> String {
        let words = text.split_whitespace().count();
        match self {
            Self::OpenAi => json!({"object": "chat.completion", "model": "fake", "choices": [{"index": 0,
                "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 11, "completion_tokens": words, "total_tokens": 11 + words}}),
            Self::Anthropic => json!({"type": "message", "role": "assistant", "model": "fake",
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 11, "output_tokens": words}}),
        }
        .to_string()
    }
}

fn event(name: Option<&str>, data: Value) -> String {
    let name = name
        .map(|name| format!("event: {name}\n"))
        .unwrap_or_default();
    format!("{name}data: {data}\n\n")
}
