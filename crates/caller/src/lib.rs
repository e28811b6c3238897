//! Requests that models have made: the port [`domain::tools::ToolCaller`]. Arguments are checked against the tool's
//! schema, and every request goes through the egress guard.

mod request;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::tools::{HttpCall, HttpTool, RESULT_MAX, ToolCaller, clipped};
use domain::{Error, Result};
use egress::{Egress, EgressError, Response};
use jsonschema::{PatternOptions, Validator};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;

use request::{address, prepare};

const AGENT: &str = concat!("Botwright-Tools/", env!("CARGO_PKG_VERSION"));
/// For a call as a whole: a server that hangs holds up its own execution, and not for long.
const TIME: Duration = Duration::from_secs(60);
/// What is wrong with arguments is told up to this many characters, since it quotes them.
const PROBLEM: usize = 500;

/// Calls tools by HTTP.
pub struct HttpCaller {
    egress: Arc<Egress>,
}

impl HttpCaller {
    /// A caller that reaches what the guard lets it.
    pub fn new(egress: Arc<Egress>) -> Self {
        Self { egress }
    }
}

#[async_trait]
impl ToolCaller for HttpCaller {
    fn check(&self, tool: &HttpTool, at: &str) -> Result<()> {
        let wrong = |field: &str, problem: String| {
            let field = format!("{at}.{field}");
            let problem = format!("The '{field}' field {problem}.");
            Error::invalid(field, problem)
        };
        let url = address(tool).map_err(|problem| wrong("url", problem))?;
        self.egress.check(&url).map_err(|error| match error {
            EgressError::Closed => wrong(
                "url",
                "must lead to the public Internet; the operator can open other networks".into(),
            ),
            other => wrong("url", format!("can't be used: {other}")),
        })?;
        validator(&tool.parameters).map_err(|problem| wrong("parameters", problem))?;
        let values = tool
            .headers
            .iter()
            .map(|(name, value)| (name, value.as_str()));
        let sealed = tool.secret_headers.keys().map(|name| (name, ""));
        for (name, value) in values.chain(sealed) {
            let good = HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok();
            if !good {
                return Err(wrong(
                    "headers",
                    "has a name or value that no header can have".into(),
                ));
            }
        }
        Ok(())
    }

    async fn call(&self, call: HttpCall<'_>) -> Result<String, String> {
        let schema = validator(&call.tool.parameters)?;
        if let Some(problem) = schema.iter_errors(call.arguments).next() {
            let told: String = problem.to_string().chars().take(PROBLEM).collect();
            return Err(format!(
                "The arguments don't fit the schema of the tool: {told}"
            ));
        }
        let (url, body) = prepare(call.tool, call.arguments)?;
        let tell = |error: EgressError| match error {
            EgressError::Closed => "The address of this tool is not allowed.".to_owned(),
            other => other.to_string(),
        };
        let mut request = self
            .egress
            .request(
                call.tool
                    .method
                    .as_str()
                    .parse()
                    .map_err(|_| "No method.")?,
                &url,
            )
            .map_err(tell)?
            .header("user-agent", AGENT)
            .header("accept", "application/json, text/*;q=0.9, */*;q=0.1");
        for (name, value) in call.tool.headers.iter().chain(call.secrets) {
            request = request.header(name, value);
        }
        request = request.header("idempotency-key", call.step.to_string());
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        // One more than is kept, so that what is cut off is seen.
        let (time, body) = (call.within.min(TIME), RESULT_MAX + 1);
        let answer = self.egress.send(&url, request, time, body);
        answer.await.map(|answer| told(&answer)).map_err(tell)
    }
}

/// The schema, compiled. Patterns are matched in linear time, whoever wrote them, and nothing is fetched.
fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|_| "is no JSON Schema that can be used".to_owned())
}

/// An answer as a model is told it.
fn told(answer: &Response) -> String {
    let kind = answer.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = match std::str::from_utf8(&answer.body) {
        Ok(text) => text.to_owned(),
        // Cut in the middle of a character, or in another encoding.
        Err(_) if kind.starts_with("text/") || kind.contains("json") => {
            String::from_utf8_lossy(&answer.body).into_owned()
        }
        Err(_) => format!("[{kind}, which is no text]"),
    };
    clipped(&format!("HTTP {}\n{body}", answer.status))
}
