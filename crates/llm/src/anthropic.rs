//! The provider `anthropic`: Anthropic's Messages API.

use std::time::Duration;

use async_trait::async_trait;
use domain::answers::{Answer, AnswerModel, AnswerSink, ProviderError, Question};
use domain::messages::Author;
use domain::tool_models::{ToolChat, ToolModel, ToolTurn};
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::prompt::Prompt;
use crate::remote::settings::{ApiKey, Limits, SettingsError, check, endpoint};
use crate::remote::{Dialect, Draft, Failure, Remote, bad};
use crate::tool_calls::anthropic as tool_calls;

/// Anthropic's own address, as it is read back from a parsed URL.
const BASE_URL: &str = "https://api.anthropic.com/";

/// Settings of [`Anthropic`].
#[derive(Debug, Clone)]
pub struct AnthropicSettings {
    /// The address before `/v1/messages`.
    pub base_url: String,
    /// The key. Only Anthropic itself can't do without.
    pub api_key: Option<ApiKey>,
    /// The model.
    pub model: String,
    /// The longest answer, in tokens, which this API wants to be told.
    pub answer_tokens: u32,
    /// Time-outs, retries and sizes.
    pub limits: Limits,
    /// The client to reach it by; `None`: one that reaches whatever an operator set.
    pub client: Option<Client>,
}

impl Default for AnthropicSettings {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.into(),
            api_key: None,
            model: "claude-3-5-haiku-latest".into(),
            answer_tokens: 1024,
            limits: Limits::default(),
            client: None,
        }
    }
}

/// A turn with tools is given so many tokens at least: arguments that are cut off can't be read.
const TURN_TOKENS: u32 = 4096;

/// A model behind Anthropic's API.
pub struct Anthropic {
    remote: Remote<Messages>,
    turn_tokens: u32,
}

impl Anthropic {
    /// A provider with these settings. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`], naming the setting that is wrong.
    pub fn new(settings: AnthropicSettings) -> Result<Self, SettingsError> {
        let base = check(&settings.base_url, &settings.model, &settings.limits)?;
        if settings.answer_tokens == 0 {
            return Err(SettingsError::Limit("answer_tokens"));
        }
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        match settings
            .api_key
            .map(|key| key.header(""))
            .transpose()?
            .flatten()
        {
            Some(key) => {
                headers.insert("x-api-key", key);
            }
            None if base.as_str() == BASE_URL => {
                return Err(SettingsError::ApiKey(
                    "api.anthropic.com takes no request without one",
                ));
            }
            None => {}
        }
        let dialect = Messages {
            answer_tokens: settings.answer_tokens,
        };
        let url = endpoint(base, "/v1/messages");
        let (model, limits) = (settings.model, settings.limits);
        let remote = Remote::new(dialect, url, headers, model, limits, settings.client)?;
        Ok(Self {
            remote,
            turn_tokens: settings.answer_tokens.max(TURN_TOKENS),
        })
    }
}

#[async_trait]
impl AnswerModel for Anthropic {
    fn provider(&self) -> &'static str {
        Messages::PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.remote.model())
    }

    async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        self.remote.answer(question, sink).await
    }
}

#[async_trait]
impl ToolModel for Anthropic {
    fn provider(&self) -> &'static str {
        Messages::PROVIDER
    }

    async fn next(&self, chat: &ToolChat, within: Duration) -> Result<ToolTurn, ProviderError> {
        let body = tool_calls::request(self.remote.model(), self.turn_tokens, chat);
        self.remote.whole(&body, within, tool_calls::read).await
    }
}

/// <https://docs.anthropic.com/en/api/messages>
#[derive(Debug)]
struct Messages {
    answer_tokens: u32,
}

impl Dialect for Messages {
    const PROVIDER: &'static str = "anthropic";

    fn request(&self, model: &str, prompt: &Prompt<'_>) -> Value {
        json!({
            "model": model,
            "max_tokens": self.answer_tokens,
            "system": prompt.system,
            "messages": alternating(&prompt.turns),
            "stream": true,
        })
    }

    fn event(&self, data: &str, draft: &mut Draft) -> Result<(), Failure> {
        let event = crate::remote::json(data.as_bytes())?;
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => meta(&event["message"], draft),
            "content_block_delta" => {
                // Other deltas are thinking and tools, which are not for the visitor.
                if let Some(text) = event["delta"]["text"].as_str() {
                    draft.text.push_str(text);
                }
            }
            "message_delta" => {
                draft.finished |= event["delta"]["stop_reason"].is_string();
                meta(&event, draft);
            }
            "message_stop" => draft.closed = true,
            "error" => return Err(Failure::of_body(&event["error"])),
            // "New event types may be added": pings and what is to come.
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, body: &Value, draft: &mut Draft) -> Result<(), Failure> {
        if body["type"] == "error" {
            return Err(Failure::of_body(&body["error"]));
        }
        let blocks = body["content"]
            .as_array()
            .ok_or_else(|| bad("no content"))?;
        for text in blocks.iter().filter_map(|block| block["text"].as_str()) {
            draft.text.push_str(text);
        }
        meta(body, draft);
        Ok(())
    }
}

/// What is told beside the words.
fn meta(message: &Value, draft: &mut Draft) {
    if let Some(model) = message["model"].as_str() {
        draft.model = Some(model.to_owned());
    }
    let usage = &message["usage"];
    draft.input = usage["input_tokens"].as_u64().or(draft.input);
    draft.output = usage["output_tokens"].as_u64().or(draft.output);
}

/// The turns as this API takes them: the visitor first, and then by turns. A welcome message, which nobody
/// asked for, is left out.
fn alternating(turns: &[(Author, &str)]) -> Vec<Value> {
    turns
        .iter()
        .skip_while(|(author, _)| *author == Author::Bot)
        .collect::<Vec<_>>()
        .chunk_by(|a, b| a.0 == b.0)
        .map(|said| {
            let role = match said[0].0 {
                Author::User => "user",
                Author::Bot => "assistant",
            };
            let texts: Vec<_> = said.iter().map(|(_, text)| *text).collect();
            json!({"role": role, "content": texts.join("\n\n")})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_begin_with_the_visitor_and_alternate() {
        use Author::{Bot, User};
        let turns = [
            (Bot, "Welcome"),
            (User, "a"),
            (User, "b"),
            (Bot, "c"),
            (User, "d"),
        ];
        let expected = json!([
            {"role": "user", "content": "a\n\nb"},
            {"role": "assistant", "content": "c"},
            {"role": "user", "content": "d"},
        ]);
        assert_eq!(Value::from(alternating(&turns)), expected);
    }
}
