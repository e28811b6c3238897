//! <https://docs.anthropic.com/en/docs/agents-and-tools/tool-use>

use domain::tool_models::{Said, ToolCall, ToolChat, ToolTurn};
use serde_json::{Value, json};

use super::{arguments, checked, model, tokens};
use crate::remote::{Failure, bad};

/// The body of a request for a turn of so many tokens at most.
pub(crate) fn request(model: &str, max_tokens: u32, chat: &ToolChat) -> Value {
    let tools: Vec<_> = chat
        .tools
        .iter()
        .map(|tool| {
            json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters })
        })
        .collect();
    let mut body = json!({
        "model": model,
        "max_tokens": max_tokens,
        "system": chat.instructions,
        "messages": messages(&chat.said),
        "stream": false,
    });
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

/// The results of a turn's calls are one message of the user.
fn messages(said: &[Said]) -> Vec<Value> {
    let are_results = |said: &Said| matches!(said, Said::Tool { .. });
    said.chunk_by(|one, next| are_results(one) && are_results(next))
        .map(|said| {
            let role = match said {
                [Said::Model { .. }, ..] => "assistant",
                _ => "user",
            };
            let blocks: Vec<_> = said.iter().flat_map(blocks).collect();
            json!({ "role": role, "content": blocks })
        })
        .collect()
}

fn blocks(said: &Said) -> Vec<Value> {
    let words = |text: &str| json!({ "type": "text", "text": text });
    match said {
        Said::User(text) => vec![words(text)],
        Said::Model { text, calls } => {
            let text = Some(text).filter(|text| !text.trim().is_empty());
            let calls = calls.iter().map(|call| {
                // It takes nothing but objects, also where it said something else.
                let input = Some(&call.arguments).filter(|arguments| arguments.is_object());
                let input = input.cloned().unwrap_or_else(|| json!({}));
                json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input })
            });
            text.map(|text| words(text))
                .into_iter()
                .chain(calls)
                .collect()
        }
        Said::Tool {
            call_id,
            result,
            failed,
        } => vec![json!({
            "type": "tool_result", "tool_use_id": call_id, "content": result, "is_error": failed,
        })],
    }
}

/// The turn in an answer.
pub(crate) fn read(body: &Value) -> Result<ToolTurn, Failure> {
    if body["type"] == "error" {
        return Err(Failure::of_body(&body["error"]));
    }
    let blocks = body["content"]
        .as_array()
        .ok_or_else(|| bad("no content"))?;
    let texts = blocks.iter().filter(|block| block["type"] == "text");
    let texts: Vec<_> = texts.filter_map(|block| block["text"].as_str()).collect();
    let calls = blocks.iter().filter(|block| block["type"] == "tool_use");
    let calls = calls.enumerate().map(|(number, block)| ToolCall {
        id: block["id"]
            .as_str()
            .map_or_else(|| format!("toolu_{number}"), str::to_owned),
        name: block["name"].as_str().unwrap_or_default().to_owned(),
        arguments: arguments(&block["input"]),
    });
    checked(ToolTurn {
        text: texts.join("\n\n"),
        calls: calls.collect(),
        model: model(body),
        tokens: tokens(&body["usage"], ["input_tokens", "output_tokens"]),
    })
}
