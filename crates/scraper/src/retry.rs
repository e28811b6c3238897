//! `Retry-After` (RFC 9110, 10.2.3): a server that has too much to do says when it has time.

use std::time::Duration;

use egress::Response;

/// Who wants a longer pause is not asked again.
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before the page is asked for once more; `None`: it should not be.
pub(crate) fn pause(response: &Response) -> Option<Duration> {
    let pause = response.retry_after()?;
    (pause <= LONGEST).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, pause};
    use egress::Response;
    use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
    use std::time::Duration;
    use url::Url;

    #[test]
    fn a_pause_is_told_in_seconds_or_by_a_date() {
        for (status, after, expected) in [
            (429, "3", Some(Duration::from_secs(3))),
            (503, "0", Some(Duration::ZERO)),
            (
                503,
                "Fri, 02 Jan 2026 00:00:09 GMT",
                Some(Duration::from_secs(4)),
            ),
            (503, "Thu, 01 Jan 2026 00:00:00 GMT", Some(Duration::ZERO)),
            (429, "30", Some(LONGEST)),
            (429, "31", None),
            (429, "soon", None),
            (429, "-1", None),
            (500, "3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            headers.insert(DATE, "Fri, 02 Jan 2026 00:00:05 GMT".parse().unwrap());
            let response = Response {
                url: Url::parse("http://a.example/").unwrap(),
                status,
                headers,
                body: Vec::new(),
            };
            assert_eq!(pause(&response), expected, "{status} {after}");
        }
    }
}
