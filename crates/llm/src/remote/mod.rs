//! What all providers have in common that are reached over HTTP.

pub(crate) mod breaker;
mod failure;
pub mod settings;
pub(crate) mod stream;

use std::sync::Once;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use domain::answers::{Answer, AnswerKind, AnswerSink, ProviderError, Question, Tokens};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::prompt::Prompt;
use breaker::Breaker;
pub(crate) use failure::Failure;
use settings::{Limits, SettingsError};
use stream::{Body, Events, stream_cut, too_large};

/// The most of an error's body that is looked at, in bytes.
const ERROR_BYTES: usize = 16 * 1024;
/// How long the end of a stream is waited for once the model has said that it is done.
const GRACE: Duration = Duration::from_millis(500);
/// How long the end of the body is waited for after the end of the stream.
const LINGER: Duration = Duration::from_millis(20);

/// What one provider writes differently from another.
pub(crate) trait Dialect: Send + Sync {
    /// The provider's name, as in the settings.
    const PROVIDER: &'static str;

    /// The body of the request for an answer, streamed.
    fn request(&self, model: &str, prompt: &Prompt<'_>) -> Value;

    /// Headers that depend on what is sent.
    fn headers(&self, _body: &str) -> Result<HeaderMap, Failure> {
        Ok(HeaderMap::new())
    }

    /// Adds an event's data to the answer.
    fn event(&self, data: &str, draft: &mut Draft) -> Result<(), Failure>;

    /// Adds a whole answer that came although a stream was asked for.
    fn whole(&self, body: &Value, draft: &mut Draft) -> Result<(), Failure>;

    /// Looks at a refusal (400) and changes what the next request says. `false`: there is nothing to change.
    fn give_way(&self, _refusal: &str) -> bool {
        false
    }
}

/// An answer as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// The words so far.
    pub text: String,
    /// The model says that it is done.
    pub finished: bool,
    /// Nothing comes after this.
    pub closed: bool,
    /// The model that answers, as the provider calls it.
    pub model: Option<String>,
    /// Tokens of the question.
    pub input: Option<u64>,
    /// Tokens of the answer.
    pub output: Option<u64>,
}

/// JSON, where it is.
pub(crate) fn json(data: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(data).map_err(|_| bad("broken JSON"))
}

/// An answer that can't be understood.
pub(crate) fn bad(why: &str) -> Failure {
    ProviderError::BadAnswer(why.into()).into()
}

/// Whether what a provider did shows that it is there.
pub(crate) const fn is_alive<T>(result: &Result<T, ProviderError>) -> bool {
    !matches!(
        result,
        Err(ProviderError::Unavailable(_)
            | ProviderError::TimedOut
            | ProviderError::RateLimited { .. })
    )
}

/// A provider that is reached over HTTP.
pub(crate) struct Remote<D> {
    dialect: D,
    client: Client,
    url: Url,
    headers: HeaderMap,
    model: String,
    limits: Limits,
    breaker: Breaker,
}

impl<D: Dialect> Remote<D> {
    /// A provider at this address; `headers` go with every request. `guarded`: the client to reach it by; `None`: one
    /// that reaches whatever an operator set.
    pub fn new(
        dialect: D,
        url: Url,
        headers: HeaderMap,
        model: String,
        limits: Limits,
        guarded: Option<Client>,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            dialect,
            client: guarded.map_or_else(|| client(&limits), Ok)?,
            url,
            headers,
            model,
            breaker: Breaker::new(limits.failures, limits.rest),
            limits,
        })
    }

    /// As [`domain::answers::AnswerModel::answer`].
    pub async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        let Some(permit) = self.breaker.enter() else {
            return Err(ProviderError::Unavailable(
                "it failed several times in a row".into(),
            ));
        };
        let result = timeout(self.limits.total, self.converse(question, sink))
            .await
            .unwrap_or(Err(ProviderError::TimedOut));
        permit.settle(is_alive(&result));
        result
    }

    async fn converse(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        let prompt = Prompt::pack(question, self.limits.context_bytes);
        let mut reply = retried(D::PROVIDER, &self.limits, || self.begin(&prompt)).await?;

        let mut given = 0;
        loop {
            sink.piece(&reply.draft.text[given..]).await;
            given = reply.draft.text.len();
            if !reply
                .advance(&self.dialect)
                .await
                .map_err(|failure| failure.error)?
            {
                break;
            }
        }
        let draft = reply.draft;
        Ok(Answer {
            text: draft.text,
            kind: AnswerKind::Answer,
            provider: D::PROVIDER,
            model: Some(draft.model.unwrap_or_else(|| self.model.clone())),
            tokens: draft
                .input
                .zip(draft.output)
                .map(|(input, output)| Tokens { input, output }),
            used_hits: (0..prompt.hits).collect(),
        })
    }

    /// Asks, and reads up to the first words: until then, a failure can be made good by another attempt.
    async fn begin(&self, prompt: &Prompt<'_>) -> Result<Reply, Failure> {
        let response = self.send(prompt).await?;
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        if kind.starts_with("text/html") {
            return Err(bad("a web page"));
        }
        let streamed = !kind.starts_with("application/json");
        let mut reply = Reply {
            body: Body::new(response, &self.limits),
            events: Events::new(self.limits.answer_bytes.saturating_mul(2)),
            draft: Draft::default(),
            longest: self.limits.answer_bytes,
        };
        if streamed {
            while reply.draft.text.trim().is_empty() {
                if !reply.advance(&self.dialect).await? {
                    return Err(bad("no text"));
                }
            }
        } else {
            let body = json(&reply.body.rest().await?)?;
            self.dialect.whole(&body, &mut reply.draft)?;
            reply.draft.closed = true;
            if reply.draft.text.len() > reply.longest {
                return Err(too_large().into());
            }
            if reply.draft.text.trim().is_empty() {
                return Err(bad("no text"));
            }
        }
        Ok(reply)
    }

    /// The response to a request, once its status is good.
    async fn send(&self, prompt: &Prompt<'_>) -> Result<Response, Failure> {
        loop {
            let body = self.dialect.request(&self.model, prompt).to_string();
            let mut headers = self.headers.clone();
            headers.extend(self.dialect.headers(&body)?);
            let sent = post(&self.client, &self.url, headers, body, &self.limits);
            match sent.await? {
                Ok(response) => return Ok(response),
                // Each change is made once, so this ends.
                Err(refusal)
                    if refusal.status == StatusCode::BAD_REQUEST
                        && self.dialect.give_way(&refusal.body) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
}

/// An answer whose status is an error.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// The beginning of what came with it.
    pub body: String,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::of_status(refusal.status, &refusal.headers, &refusal.body)
    }
}

/// Sends JSON once. The inner result is the provider's own word.
pub(crate) async fn post(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
    body: String,
    limits: &Limits,
) -> Result<Result<Response, Refusal>, Failure> {
    let request = client
        .post(url.clone())
        .headers(headers)
        .header(ACCEPT, "text/event-stream, application/json")
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let response = timeout(limits.first_byte, request.send())
        .await
        .map_err(|_| ProviderError::TimedOut)?
        .map_err(|error| Failure::of_transport(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(Ok(response));
    }
    Ok(Err(Refusal {
        status,
        headers: response.headers().clone(),
        body: error_body(response, limits).await,
    }))
}

/// Tries again what may do better another time, as often and as long as the limits allow.
pub(crate) async fn retried<T, F>(
    provider: &str,
    limits: &Limits,
    attempt: impl FnMut() -> F,
) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let began = Instant::now();
    let pauses = ExponentialBuilder::default()
        .with_min_delay(limits.first_pause)
        .with_max_times(limits.retries)
        .with_jitter();
    attempt
        .retry(pauses)
        .when(|failure: &Failure| failure.passing)
        .adjust(|failure, pause| {
            let pause = pause?.max(failure.retry_after.unwrap_or_default());
            (began.elapsed() + pause <= limits.retry_within).then_some(pause)
        })
        .notify(|failure, pause| {
            tracing::debug!(provider, error = %failure.error, ?pause, "will try again");
        })
        .await
        .map_err(|failure| failure.error)
}

/// The beginning of an error's body, as far as it can be had.
async fn error_body(response: Response, limits: &Limits) -> String {
    let limits = Limits {
        body_bytes: ERROR_BYTES,
        idle: limits.idle.min(Duration::from_secs(2)),
        ..limits.clone()
    };
    let body = Body::new(response, &limits).rest().await;
    String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
}

/// An answer that is being read.
struct Reply {
    body: Body,
    events: Events,
    draft: Draft,
    longest: usize,
}

impl Reply {
    /// Reads until there are more words. `false`: there are no more, and the answer is whole.
    async fn advance(&mut self, dialect: &impl Dialect) -> Result<bool, Failure> {
        let before = self.draft.text.len();
        while !self.draft.closed {
            while let Some(data) = self.events.pop() {
                dialect.event(&data, &mut self.draft)?;
                if self.draft.text.len() > self.longest {
                    return Err(too_large().into());
                }
                if self.draft.closed {
                    break;
                }
            }
            if self.draft.text.len() > before {
                return Ok(true);
            }
            if self.draft.closed || !self.read().await? {
                break;
            }
        }
        // Read to its very end, the connection can be used again.
        let _ = timeout(LINGER, self.body.next()).await;
        Ok(self.draft.text.len() > before)
    }

    /// Takes in further bytes. `false`: the answer is whole without any.
    async fn read(&mut self) -> Result<bool, Failure> {
        let next = if self.draft.finished {
            // What may come is the count of tokens; an answer is not lost for want of it.
            match timeout(GRACE, self.body.next()).await {
                Ok(Ok(next)) => next,
                Ok(Err(_)) | Err(_) => None,
            }
        } else {
            self.body.next().await?
        };
        match next {
            Some(bytes) => self.events.push(&bytes)?,
            None if self.draft.finished => return Ok(false),
            None => return Err(stream_cut().into()),
        }
        Ok(true)
    }
}

pub(crate) fn client(limits: &Limits) -> Result<Client, SettingsError> {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        // An error says that somebody else has chosen one already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut headers = HeaderMap::new();
    headers.insert(
        reqwest::header::USER_AGENT,
        HeaderValue::from_static("botwright"),
    );
    Client::builder()
        .default_headers(headers)
        // A redirect would carry the key and the visitor's words to another host.
        .redirect(Policy::none())
        .connect_timeout(limits.connect)
        .build()
        .map_err(|error| SettingsError::Client(error.to_string()))
}
