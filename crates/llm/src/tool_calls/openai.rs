//! <https://platform.openai.com/docs/guides/function-calling>, in chat completions.

use domain::tool_models::{Said, ToolCall, ToolChat, ToolTurn};
use serde_json::{Value, json};

use super::{arguments, checked, model, tokens};
use crate::remote::{Failure, bad};

/// The body of a request.
pub(crate) fn request(model: &str, chat: &ToolChat) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": chat.instructions })];
    messages.extend(chat.said.iter().map(message));
    let tools: Vec<_> = chat
        .tools
        .iter()
        .map(|tool| {
            json!({
                "type": "function",
                "function": { "name": tool.name, "description": tool.description, "parameters": tool.parameters },
            })
        })
        .collect();
    let mut body = json!({ "model": model, "messages": messages, "stream": false });
    // Some servers refuse an empty list.
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

fn message(said: &Said) -> Value {
    match said {
        Said::User(text) => json!({ "role": "user", "content": text }),
        Said::Model { text, calls } if calls.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        Said::Model { text, calls } => {
            let calls: Vec<_> = calls.iter().map(call).collect();
            let content = Some(text).filter(|text| !text.is_empty());
            json!({ "role": "assistant", "content": content, "tool_calls": calls })
        }
        // This API has no other mark for what went wrong.
        Said::Tool {
            call_id,
            result,
            failed,
        } => {
            let mark = if *failed { "Error: " } else { "" };
            json!({ "role": "tool", "tool_call_id": call_id, "content": format!("{mark}{result}") })
        }
    }
}

fn call(call: &ToolCall) -> Value {
    let arguments = match &call.arguments {
        // Told back as it was said.
        Value::String(words) => words.clone(),
        object => object.to_string(),
    };
    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
}

/// The turn in an answer.
pub(crate) fn read(body: &Value) -> Result<ToolTurn, Failure> {
    if !body["error"].is_null() {
        return Err(Failure::of_body(&body["error"]));
    }
    let message = &body["choices"][0]["message"];
    if !message.is_object() {
        return Err(bad("no choices"));
    }
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls = calls.enumerate().map(|(number, call)| {
        let function = &call["function"];
        let id = call["id"].as_str().filter(|id| !id.is_empty());
        ToolCall {
            // Some servers leave it out.
            id: id.map_or_else(|| format!("call_{number}"), str::to_owned),
            name: function["name"].as_str().unwrap_or_default().to_owned(),
            arguments: arguments(&function["arguments"]),
        }
    });
    checked(ToolTurn {
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        calls: calls.collect(),
        model: model(body),
        tokens: tokens(&body["usage"], ["prompt_tokens", "completion_tokens"]),
    })
}
