//! What went wrong with a request, and whether it helps to try again.

use std::time::Duration;

use domain::answers::ProviderError;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A failed attempt.
#[derive(Debug)]
pub struct Failure {
    /// What to tell if it was the last.
    pub error: ProviderError,
    /// Whether another attempt may do better.
    pub passing: bool,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
}

impl From<ProviderError> for Failure {
    /// Trying again does not help.
    fn from(error: ProviderError) -> Self {
        Self {
            error,
            passing: false,
            retry_after: None,
        }
    }
}

impl Failure {
    /// Another attempt may do better.
    pub fn passing(error: ProviderError) -> Self {
        Self {
            passing: true,
            ..error.into()
        }
    }

    /// What an error status means; `body` is what came with it.
    pub fn of_status(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let code = error_code(body);
        let named = match &code {
            Some(code) => format!("{} {code}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        let retry_after = retry_after(headers);
        match status.as_u16() {
            // OpenAI's word for an account without money: waiting does not fill it.
            429 if code.as_deref() == Some("insufficient_quota") => {
                ProviderError::Refused(named).into()
            }
            429 => Self {
                retry_after,
                ..Self::passing(ProviderError::RateLimited { retry_after })
            },
            408 | 500..=599 => Self {
                retry_after,
                ..Self::passing(ProviderError::Unavailable(named))
            },
            _ => ProviderError::Refused(named).into(),
        }
    }

    /// What an error inside a stream or a body with a good status means.
    pub fn of_body(error: &Value) -> Self {
        let code = code_in(error);
        let named = code.as_deref().unwrap_or("error").to_owned();
        match named.as_str() {
            "rate_limit_error" | "rate_limit_exceeded" => {
                Self::passing(ProviderError::RateLimited { retry_after: None })
            }
            "invalid_request_error"
            | "authentication_error"
            | "permission_error"
            | "not_found_error"
            | "insufficient_quota" => ProviderError::Refused(named).into(),
            _ => Self::passing(ProviderError::Unavailable(named)),
        }
    }

    /// What an error of the connection means. `reqwest`'s own words hold the address, and are left out.
    pub fn of_transport(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            let what = match error.is_timeout() {
                true => "no connection in time",
                false => "no connection",
            };
            Self::passing(ProviderError::Unavailable(what.into()))
        } else if error.is_timeout() {
            ProviderError::TimedOut.into()
        } else {
            Self::passing(ProviderError::Unavailable("connection lost".into()))
        }
    }
}

fn error_code(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    code_in(&body["error"])
}

/// The short code of an error. Whatever does not look like one (which a key or a sentence does not) is left out.
fn code_in(error: &Value) -> Option<String> {
    [&error["code"], &error["type"]]
        .into_iter()
        .filter_map(Value::as_str)
        .find(|code| {
            (1..=40).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
        .map(str::to_owned)
}

/// The wait that the provider asks for (RFC 9110, 10.2.3): seconds, or a date, which is read against the
/// answer's own `Date`, so that neither clock has to be right.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !asked.is_empty() && asked.bytes().all(|b| b.is_ascii_digit()) {
        // Too many digits for a number are too long a wait as well.
        let seconds = asked.parse().map_or(LONGEST_WAIT, Duration::from_secs);
        return Some(seconds.min(LONGEST_WAIT));
    }
    let then = OffsetDateTime::parse(asked, &Rfc2822).ok()?;
    let now = OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()?;
    let wait = Duration::try_from(then - now).unwrap_or_default();
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(after: &str, date: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, after.parse().unwrap());
        headers.insert(DATE, date.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn waits_are_read_in_both_forms() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (after, expected) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:49:42 GMT", Some(5)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 2094 08:49:37 GMT", Some(3600)),
            ("-3", None),
            ("soon", None),
        ] {
            assert_eq!(
                wait(after, now),
                expected.map(Duration::from_secs),
                "{after}"
            );
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:42 GMT", "today"), None);
    }

    #[test]
    fn only_codes_are_told() {
        let code = |error: &str| error_code(&format!("{{\"error\": {error}}}"));
        assert_eq!(
            code(r#"{"code": "model_not_found"}"#).as_deref(),
            Some("model_not_found")
        );
        assert_eq!(
            code(r#"{"code": null, "type": "not_found_error"}"#).as_deref(),
            Some("not_found_error")
        );
        assert_eq!(code(r#"{"code": "sk-abc123"}"#), None);
        assert_eq!(code(r#"{"code": "The key is wrong"}"#), None);
        assert_eq!(code(r#""text""#), None);
        assert_eq!(error_code("<html>"), None);
    }

    #[test]
    fn statuses_are_told_apart() {
        let of = |code, body: &str| {
            let status = StatusCode::from_u16(code).unwrap();
            Failure::of_status(status, &HeaderMap::new(), body)
        };
        for code in [408, 429, 500, 502, 503, 504, 529] {
            assert!(of(code, "").passing, "{code}");
        }
        for code in [302, 400, 401, 403, 404, 413, 422] {
            let failure = of(code, "");
            assert!(!failure.passing, "{code}");
            assert_eq!(failure.error, ProviderError::Refused(code.to_string()));
        }
        let no_money = of(429, r#"{"error": {"code": "insufficient_quota"}}"#);
        assert!(!no_money.passing);
    }
}
