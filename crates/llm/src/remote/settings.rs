//! What can be set about a provider that is reached over HTTP.

use std::time::Duration;

use reqwest::header::HeaderValue;
use url::Url;

/// A provider's key. It shows itself to nobody.
#[derive(Clone)]
pub struct ApiKey(String);

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

impl<T: Into<String>> From<T> for ApiKey {
    fn from(key: T) -> Self {
        Self(key.into())
    }
}

impl ApiKey {
    /// The key as a header's value with `scheme` before it, hidden from logs of headers. Blank ends, as files
    /// and shells leave them, are cut off; an empty key is `None`.
    pub(crate) fn header(&self, scheme: &str) -> Result<Option<HeaderValue>, SettingsError> {
        let key = self.0.trim();
        if key.is_empty() {
            return Ok(None);
        }
        let mut value = HeaderValue::from_str(&format!("{scheme}{key}"))
            .map_err(|_| SettingsError::ApiKey("it holds a character that a header can't carry"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// How long and how much to wait for, take and send.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From sending a request to the head of its answer. A local server may have to load its model first.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For the whole turn, with retries.
    pub total: Duration,
    /// How often a request is tried again.
    pub retries: usize,
    /// The pause before the first retry; it doubles with each, and is shaken.
    pub first_pause: Duration,
    /// The time in which retries may begin.
    pub retry_within: Duration,
    /// The longest text of an answer, in bytes.
    pub answer_bytes: usize,
    /// The longest body of an answer, with all that surrounds the text, in bytes.
    pub body_bytes: usize,
    /// The most that is sent with a question: instructions, passages and history, in bytes of UTF-8.
    pub context_bytes: usize,
    /// Failures in a row after which the provider is left alone.
    pub failures: u32,
    /// How long it is left alone.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(20),
            total: Duration::from_secs(120),
            retries: 3,
            first_pause: Duration::from_millis(200),
            retry_within: Duration::from_secs(10),
            answer_bytes: 1024 * 1024,
            body_bytes: 16 * 1024 * 1024,
            context_bytes: 32 * 1024,
            failures: 5,
            rest: Duration::from_secs(10),
        }
    }
}

impl Limits {
    fn check(&self) -> Result<(), SettingsError> {
        let times = [
            ("connect", self.connect),
            ("first_byte", self.first_byte),
            ("idle", self.idle),
            ("total", self.total),
        ];
        let sizes = [
            ("answer_bytes", self.answer_bytes),
            ("body_bytes", self.body_bytes),
            ("context_bytes", self.context_bytes),
            ("failures", self.failures as usize),
        ];
        let times = times.iter().map(|(name, time)| (*name, time.is_zero()));
        let sizes = sizes.iter().map(|(name, size)| (*name, *size == 0));
        match times.chain(sizes).find(|(_, zero)| *zero) {
            Some((name, _)) => Err(SettingsError::Limit(name)),
            None => Ok(()),
        }
    }
}

/// Which setting is wrong, and how. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The base URL.
    #[error("the base URL can't be used: {0}")]
    BaseUrl(&'static str),
    /// The key.
    #[error("the API key can't be used: {0}")]
    ApiKey(&'static str),
    /// The model's name.
    #[error("the model needs a name")]
    Model,
    /// A limit that may not be zero.
    #[error("the limit '{0}' must be more than zero")]
    Limit(&'static str),
    /// The system's certificates or its name resolution can't be used.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

/// The part of the settings that all such providers have, once checked.
pub(crate) fn check(base_url: &str, model: &str, limits: &Limits) -> Result<Url, SettingsError> {
    let base = base_url.trim().trim_end_matches('/');
    let url = Url::parse(base)
        .map_err(|_| SettingsError::BaseUrl("it is no absolute URL, such as https://host/v1"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(SettingsError::BaseUrl(
            "it must begin with http:// or https://",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SettingsError::BaseUrl(
            "a name or password in it would end in logs; use the API key",
        ));
    }
    let mut query = url.query_pairs();
    if url.fragment().is_some() || query.any(|(name, _)| name != API_VERSION) {
        return Err(SettingsError::BaseUrl(
            "it can have no fragment, and no query but Azure's api-version",
        ));
    }
    if model.trim().is_empty() {
        return Err(SettingsError::Model);
    }
    limits.check()?;
    Ok(url)
}

/// Names the version of Azure OpenAI's interface, in the query of every request.
const API_VERSION: &str = "api-version";

/// Whether an address is one of Azure OpenAI, which takes its key in a header of its own (Microsoft's reference of the
/// Azure OpenAI REST API, "Authentication").
pub(crate) fn is_azure(base: &Url) -> bool {
    let is_microsofts = |host: &str| {
        [
            ".openai.azure.com",
            ".services.ai.azure.com",
            ".cognitiveservices.azure.com",
        ]
        .iter()
        .any(|domain| host.ends_with(domain))
    };
    base.host_str().is_some_and(is_microsofts)
        || base.query_pairs().any(|(name, _)| name == API_VERSION)
}

/// The address of an endpoint under the base URL.
pub(crate) fn endpoint(mut base: Url, path: &str) -> Url {
    base.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    base
}
