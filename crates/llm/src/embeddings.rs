//! The embedder `openai`: any endpoint that speaks OpenAI's embeddings (OpenAI, Ollama, vLLM, llama.cpp).

use std::time::Duration;

use async_trait::async_trait;
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, Purpose, prefix};
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use url::Url;

use crate::openai::{BASE_URL, authorization};
use crate::remote::breaker::Breaker;
use crate::remote::settings::{ApiKey, Limits, SettingsError, check, endpoint};
use crate::remote::stream::Body;
use crate::remote::{Failure, Refusal, bad, client, is_alive, post, retried};

const PROVIDER: &str = "openai";
/// Texts in one request. Local servers take few; the round trip is a small part of the time.
const BATCH: usize = 32;
/// The most of a text that is sent, in bytes: some eight thousand tokens, which no model exceeds by much.
const TEXT_BYTES: usize = 24 * 1024;
/// A text that is refused even when it is this short is not refused for its length.
const SHORT: usize = 256;
/// What stands for a text without words, which some servers refuse.
const BLANK: &str = "-";

/// Settings of [`OpenAiEmbedder`].
#[derive(Debug, Clone)]
pub struct EmbedderSettings {
    /// The address before `/embeddings`.
    pub base_url: String,
    /// The key. Only OpenAI itself can't do without.
    pub api_key: Option<ApiKey>,
    /// The model.
    pub model: String,
    /// Time-outs, retries and sizes.
    pub limits: Limits,
    /// How long a question may take, for which a visitor waits.
    pub query_time: Duration,
}

impl Default for EmbedderSettings {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.into(),
            api_key: None,
            model: "text-embedding-3-small".into(),
            limits: Limits::default(),
            query_time: Duration::from_secs(2),
        }
    }
}

/// A model that embeds, behind an OpenAI-compatible endpoint.
pub struct OpenAiEmbedder {
    /// As the product calls it, and as the provider does.
    model: String,
    own_name: String,
    url: Url,
    headers: HeaderMap,
    // Two of them: a connection is driven by the runtime that made it, and passages are embedded in the background.
    queries: Lane,
    passages: Lane,
    breaker: Breaker,
}

/// How texts for one purpose are sent.
struct Lane {
    client: Client,
    limits: Limits,
}

impl OpenAiEmbedder {
    /// An embedder with these settings. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`], naming the setting that is wrong.
    pub fn new(settings: EmbedderSettings) -> Result<Self, SettingsError> {
        let base = check(&settings.base_url, &settings.model, &settings.limits)?;
        let lane = |limits: Limits| {
            Ok::<_, SettingsError>(Lane {
                client: client(&limits)?,
                limits,
            })
        };
        Ok(Self {
            model: format!("{PROVIDER}:{}", settings.model),
            headers: authorization(&base, settings.api_key)?,
            url: endpoint(base, "/embeddings"),
            breaker: Breaker::new(settings.limits.failures, settings.limits.rest),
            queries: lane(Limits {
                total: settings.query_time,
                retries: 1,
                ..settings.limits.clone()
            })?,
            passages: lane(settings.limits)?,
            own_name: settings.model,
        })
    }

    /// Embeds a few texts, which may be too many or too long for the server.
    async fn batch(&self, lane: &Lane, texts: &[String]) -> Result<Vec<Embedding>, ProviderError> {
        let sent = retried(PROVIDER, &lane.limits, || self.send(lane, texts)).await?;
        let refusal = match sent {
            Ok(embeddings) => return Ok(embeddings),
            Err(refusal) => refusal,
        };
        match texts {
            [text] if text.len() > SHORT => {
                let half = text.floor_char_boundary(text.len() / 2);
                let shorter = [text[..half].to_owned()];
                Box::pin(self.batch(lane, &shorter)).await
            }
            [] | [_] => Err(Failure::from(refusal).error),
            many => {
                let (first, second) = many.split_at(many.len() / 2);
                let mut embeddings = Box::pin(self.batch(lane, first)).await?;
                embeddings.extend(Box::pin(self.batch(lane, second)).await?);
                Ok(embeddings)
            }
        }
    }

    /// Sends a request once. The inner error: less at a time may do.
    async fn send(
        &self,
        lane: &Lane,
        texts: &[String],
    ) -> Result<Result<Vec<Embedding>, Refusal>, Failure> {
        let body = json!({ "model": self.own_name, "input": texts });
        let headers = self.headers.clone();
        let sent = post(
            &lane.client,
            &self.url,
            headers,
            body.to_string(),
            &lane.limits,
        );
        let sent = sent.await?;
        let response = match sent {
            Ok(response) => response,
            Err(refusal)
                if matches!(
                    refusal.status,
                    StatusCode::BAD_REQUEST
                        | StatusCode::PAYLOAD_TOO_LARGE
                        | StatusCode::UNPROCESSABLE_ENTITY
                ) =>
            {
                return Ok(Err(refusal));
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let bytes = Body::new(response, &lane.limits).rest().await?;
        read(&bytes, texts.len()).map(Ok)
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    async fn embed(
        &self,
        purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError> {
        let lane = match purpose {
            Purpose::Query => &self.queries,
            Purpose::Passage => &self.passages,
        };
        let mut embeddings: Vec<Embedding> = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let batch: Vec<_> = batch
                .iter()
                .map(|text| prepared(&self.own_name, purpose, text))
                .collect();
            let Some(permit) = self.breaker.enter() else {
                return Err(ProviderError::Unavailable(
                    "it failed several times in a row".into(),
                ));
            };
            let result = timeout(lane.limits.total, self.batch(lane, &batch))
                .await
                .unwrap_or(Err(ProviderError::TimedOut));
            permit.settle(is_alive(&result));
            embeddings.extend(result?);
        }
        let dimensions = embeddings.first().map_or(0, Embedding::dimensions);
        if embeddings.iter().any(|e| e.dimensions() != dimensions) {
            return Err(bad("dimensions differ").error);
        }
        Ok(embeddings)
    }
}

/// A text as it is sent.
fn prepared(model: &str, purpose: Purpose, text: &str) -> String {
    let text = text.replace('\0', " ");
    let text = text.trim();
    let text = if text.is_empty() { BLANK } else { text };
    let end = text.floor_char_boundary(TEXT_BYTES);
    format!("{}{}", prefix(model, purpose), &text[..end])
}

/// <https://platform.openai.com/docs/api-reference/embeddings>
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Vec<Item>,
    #[serde(default)]
    error: serde_json::Value,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// The embeddings in the order of their texts.
fn read(bytes: &[u8], wanted: usize) -> Result<Vec<Embedding>, Failure> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| bad("broken JSON"))?;
    if !answer.error.is_null() {
        return Err(Failure::of_body(&answer.error));
    }
    if answer.data.len() != wanted {
        return Err(bad("another number of embeddings than of texts"));
    }
    let mut embeddings: Vec<Option<Embedding>> = vec![None; wanted];
    for (place, item) in answer.data.into_iter().enumerate() {
        let slot = embeddings.get_mut(item.index.unwrap_or(place));
        let slot = slot.ok_or_else(|| bad("an embedding of no text"))?;
        *slot = Some(Embedding::of(&item.embedding).ok_or_else(|| bad("no direction"))?);
    }
    let whole: Option<Vec<_>> = embeddings.into_iter().collect();
    whole.ok_or_else(|| bad("a text without an embedding"))
}
