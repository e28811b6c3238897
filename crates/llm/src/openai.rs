//! The provider `openai`: any endpoint that speaks OpenAI's chat completions (OpenAI, Azure, Ollama, vLLM,
//! llama.cpp).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::answers::{Answer, AnswerModel, AnswerSink, ProviderError, Question};
use domain::messages::Author;
use domain::tool_models::{ToolChat, ToolModel, ToolTurn};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use serde_json::{Value, json};
use url::Url;

use crate::prompt::Prompt;
use crate::remote::settings::{ApiKey, Limits, SettingsError, check, endpoint, is_azure};
use crate::remote::{Dialect, Draft, Failure, Remote, bad};
use crate::tool_calls::openai as tool_calls;

/// OpenAI's own address.
pub(crate) const BASE_URL: &str = "https://api.openai.com/v1";

/// Settings of [`OpenAi`].
#[derive(Debug, Clone)]
pub struct OpenAiSettings {
    /// The address before `/chat/completions`.
    pub base_url: String,
    /// The key. Only OpenAI itself can't do without.
    pub api_key: Option<ApiKey>,
    /// The model.
    pub model: String,
    /// Time-outs, retries and sizes.
    pub limits: Limits,
    /// The client to reach it by; `None`: one that reaches whatever an operator set.
    pub client: Option<Client>,
}

impl Default for OpenAiSettings {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.into(),
            api_key: None,
            model: "gpt-4o-mini".into(),
            limits: Limits::default(),
            client: None,
        }
    }
}

/// A model behind an OpenAI-compatible endpoint.
pub struct OpenAi(Remote<ChatCompletions>);

impl OpenAi {
    /// A provider with these settings. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`], naming the setting that is wrong.
    pub fn new(settings: OpenAiSettings) -> Result<Self, SettingsError> {
        let base = check(&settings.base_url, &settings.model, &settings.limits)?;
        let headers = authorization(&base, settings.api_key)?;
        let url = endpoint(base, "/chat/completions");
        Remote::new(
            ChatCompletions::default(),
            url,
            headers,
            settings.model,
            settings.limits,
            settings.client,
        )
        .map(Self)
    }
}

/// The header that a key is sent in.
pub(crate) fn authorization(
    base: &Url,
    api_key: Option<ApiKey>,
) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    let (name, scheme) = match is_azure(base) {
        true => (HeaderName::from_static("api-key"), ""),
        false => (AUTHORIZATION, "Bearer "),
    };
    let key = api_key.map(|key| key.header(scheme)).transpose()?;
    match key.flatten() {
        Some(key) => {
            headers.insert(name, key);
        }
        None if base.as_str() == BASE_URL => {
            return Err(SettingsError::ApiKey(
                "api.openai.com takes no request without one",
            ));
        }
        None => {}
    }
    Ok(headers)
}

#[async_trait]
impl AnswerModel for OpenAi {
    fn provider(&self) -> &'static str {
        ChatCompletions::PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.0.model())
    }

    async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        self.0.answer(question, sink).await
    }
}

#[async_trait]
impl ToolModel for OpenAi {
    fn provider(&self) -> &'static str {
        ChatCompletions::PROVIDER
    }

    async fn next(&self, chat: &ToolChat, within: Duration) -> Result<ToolTurn, ProviderError> {
        let body = tool_calls::request(self.0.model(), chat);
        self.0.whole(&body, within, tool_calls::read).await
    }
}

/// <https://platform.openai.com/docs/api-reference/chat>
#[derive(Debug, Default)]
struct ChatCompletions {
    /// The server refuses `stream_options`, which not all know.
    without_usage: AtomicBool,
}

impl Dialect for ChatCompletions {
    const PROVIDER: &'static str = "openai";

    fn request(&self, model: &str, prompt: &Prompt<'_>) -> Value {
        let mut messages = vec![json!({"role": "system", "content": prompt.system})];
        messages.extend(prompt.turns.iter().map(|(author, text)| {
            let role = match author {
                Author::User => "user",
                Author::Bot => "assistant",
            };
            json!({"role": role, "content": text})
        }));
        let mut body = json!({"model": model, "messages": messages, "stream": true});
        if !self.without_usage.load(Ordering::Relaxed) {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    fn event(&self, data: &str, draft: &mut Draft) -> Result<(), Failure> {
        if data.trim() == "[DONE]" {
            draft.closed = true;
            return Ok(());
        }
        let chunk = crate::remote::json(data.as_bytes())?;
        self.add(&chunk, "delta", draft)
    }

    fn whole(&self, body: &Value, draft: &mut Draft) -> Result<(), Failure> {
        if body["choices"].get(0).is_none() && body["error"].is_null() {
            return Err(bad("no choices"));
        }
        self.add(body, "message", draft)
    }

    fn give_way(&self, refusal: &str) -> bool {
        refusal.contains("stream_options") && !self.without_usage.swap(true, Ordering::Relaxed)
    }
}

impl ChatCompletions {
    /// Adds a chunk of a stream or a whole completion. Reasoning, which some models send beside the content,
    /// is not for the visitor.
    fn add(&self, completion: &Value, part: &str, draft: &mut Draft) -> Result<(), Failure> {
        if !completion["error"].is_null() {
            return Err(Failure::of_body(&completion["error"]));
        }
        if draft.model.is_none() {
            let model = completion["model"]
                .as_str()
                .filter(|model| !model.is_empty());
            draft.model = model.map(str::to_owned);
        }
        // The chunk that counts the tokens has no choice.
        let choice = &completion["choices"][0];
        if let Some(text) = choice[part]["content"].as_str() {
            draft.text.push_str(text);
        }
        draft.finished |= choice["finish_reason"].is_string();
        let usage = &completion["usage"];
        draft.input = usage["prompt_tokens"].as_u64().or(draft.input);
        draft.output = usage["completion_tokens"].as_u64().or(draft.output);
        Ok(())
    }
}
