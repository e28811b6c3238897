//! Chats with tools, in each provider's words. They are asked for whole: nobody watches them come.

pub(crate) mod anthropic;
pub(crate) mod openai;

use domain::answers::Tokens;
use domain::tool_models::ToolTurn;
use serde_json::{Value, json};

use crate::remote::{Failure, bad};

/// A turn without words or calls is none.
fn checked(turn: ToolTurn) -> Result<ToolTurn, Failure> {
    match turn.calls.is_empty() && turn.text.trim().is_empty() {
        true => Err(bad("no text and no calls")),
        false => Ok(turn),
    }
}

/// The arguments of a call as they were sent: models write JSON in words, and at times break it. What is no object is
/// kept as words, for who made it to be told.
fn arguments(sent: &Value) -> Value {
    match sent {
        Value::Object(_) => sent.clone(),
        Value::Null => json!({}),
        Value::String(words) if words.trim().is_empty() => json!({}),
        Value::String(words) => match serde_json::from_str(words) {
            Ok(object @ Value::Object(_)) => object,
            _ => sent.clone(),
        },
        other => Value::String(other.to_string()),
    }
}

fn tokens(usage: &Value, names: [&str; 2]) -> Option<Tokens> {
    let [input, output] = names.map(|name| usage[name].as_u64());
    let (input, output) = input.zip(output)?;
    Some(Tokens { input, output })
}

fn model(body: &Value) -> Option<String> {
    let model = body["model"].as_str().filter(|model| !model.is_empty());
    model.map(str::to_owned)
}
