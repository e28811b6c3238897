//! The provider `webhook`: the owner's own endpoint, which answers itself.
//!
//! It gets `{"type": "answer.requested", "system", "messages": [{"role", "content"}], "stream": true}`, signed by the
//! Standard Webhooks scheme, and answers with `{"text": "..."}`, or with server-sent events:
//! `{"text": "a piece"}` for each piece, and `[DONE]` at the end.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::answers::{Answer, AnswerModel, AnswerSink, ProviderError, Question};
use domain::clock::Clock;
use domain::messages::Author;
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::prompt::Prompt;
use crate::remote::settings::{Limits, SettingsError};
use crate::remote::{Dialect, Draft, Failure, Remote, bad, json as read};

/// An owner's endpoint.
pub(crate) struct Webhook(Remote<Endpoint>);

impl Webhook {
    /// An endpoint at this address, signed for with the secret, as `whsec_` and base64, or else as it is.
    pub(crate) fn new(
        url: Url,
        secret: &str,
        model: Option<String>,
        clock: Arc<dyn Clock>,
        client: Client,
    ) -> Result<Self, SettingsError> {
        let decoded = secret.strip_prefix("whsec_");
        let decoded = decoded.and_then(|word| BASE64_STANDARD.decode(word).ok());
        let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
        let endpoint = Endpoint { key, clock };
        let (headers, limits) = (HeaderMap::new(), Limits::default());
        let model = model.unwrap_or_default();
        Remote::new(endpoint, url, headers, model, limits, Some(client)).map(Self)
    }
}

#[async_trait]
impl AnswerModel for Webhook {
    fn provider(&self) -> &'static str {
        Endpoint::PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.0.model()).filter(|model| !model.is_empty())
    }

    async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        self.0.answer(question, sink).await
    }
}

struct Endpoint {
    key: Vec<u8>,
    clock: Arc<dyn Clock>,
}

impl Dialect for Endpoint {
    const PROVIDER: &'static str = "webhook";

    fn request(&self, model: &str, prompt: &Prompt<'_>) -> Value {
        let role = |author| match author {
            Author::User => "user",
            Author::Bot => "assistant",
        };
        let said = prompt.turns.iter();
        let said = said.map(|(author, text)| json!({ "role": role(*author), "content": text }));
        let mut body = json!({
            "type": "answer.requested", "system": prompt.system, "messages": said.collect::<Vec<_>>(), "stream": true,
        });
        if !model.is_empty() {
            body["model"] = model.into();
        }
        body
    }

    fn headers(&self, body: &str) -> Result<HeaderMap, Failure> {
        let digest = Sha256::digest(body.as_bytes());
        // The same question, tried again, is the same to who answers it.
        let id: String = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let id = format!("msg_{id}");
        let timestamp = self.clock.now().unix_timestamp();
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: String| -> Result<(), Failure> {
            let value = HeaderValue::try_from(value).map_err(|_| bad("no header"))?;
            headers.insert(HeaderName::from_static(name), value);
            Ok(())
        };
        set(
            "webhook-signature",
            egress::sign(&id, timestamp, body, &[&self.key]),
        )?;
        set("webhook-id", id)?;
        set("webhook-timestamp", timestamp.to_string())?;
        Ok(headers)
    }

    fn event(&self, data: &str, draft: &mut Draft) -> Result<(), Failure> {
        if data.trim() == "[DONE]" {
            draft.finished = true;
            draft.closed = true;
            return Ok(());
        }
        self.whole(&read(data.as_bytes())?, draft)
    }

    fn whole(&self, body: &Value, draft: &mut Draft) -> Result<(), Failure> {
        if !body["error"].is_null() {
            return Err(bad("an error instead of an answer"));
        }
        if let Some(text) = body["text"].as_str() {
            draft.text.push_str(text);
        }
        if let Some(model) = body["model"].as_str() {
            draft.model = Some(model.to_owned());
        }
        Ok(())
    }
}
