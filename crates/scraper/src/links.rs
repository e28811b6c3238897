//! Addresses as the crawl compares them.

use url::{Origin, Url};

/// Query parameters that say where a visitor came from, and never what is shown.
const TRACKING: [&str; 14] = [
    "_ga", "_gl", "dclid", "fbclid", "gbraid", "gclid", "igshid", "mc_cid", "mc_eid", "msclkid",
    "srsltid", "ttclid", "wbraid", "yclid",
];

/// Endings of what is certainly no page; asking for them would waste the site's time and the crawl's.
const NO_PAGES: [&str; 33] = [
    "7z", "apk", "avi", "bmp", "bz2", "css", "dmg", "eot", "exe", "gif", "gz", "ico", "iso",
    "jpeg", "jpg", "js", "m4a", "mov", "mp3", "mp4", "ogg", "png", "rar", "svg", "tar", "tgz",
    "ttf", "wav", "webm", "webp", "woff", "woff2", "zip",
];

/// The address without what makes no difference to the page: fragment and tracking parameters.
pub(crate) fn clean(mut url: Url) -> Url {
    url.set_fragment(None);
    let Some(query) = url.query() else { return url };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair
                .split('=')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            !pair.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&name.as_str())
        })
        .collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(&kept));
    url
}

/// Whether a link may lead to a page of this site.
pub(crate) fn belongs(url: &Url, origin: &Origin) -> bool {
    let ending = url
        .path()
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .unwrap_or_default();
    url.origin() == *origin
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() as u64 <= domain::text::URL_MAX
        && !NO_PAGES.contains(&ending.as_str())
}

#[cfg(test)]
mod tests {
    use super::{belongs, clean};
    use url::Url;

    #[test]
    fn fragments_and_tracking_go_and_the_rest_stays_as_written() {
        let cases = [
            ("https://a.example/p#top", "https://a.example/p"),
            (
                "https://a.example/p?utm_source=x&UTM_medium=y",
                "https://a.example/p",
            ),
            (
                "https://a.example/p?b=2&gclid=1&a=%20x&fbclid=2",
                "https://a.example/p?b=2&a=%20x",
            ),
            ("https://a.example/p?", "https://a.example/p"),
            ("https://a.example/p?q", "https://a.example/p?q"),
        ];
        for (from, to) in cases {
            assert_eq!(clean(Url::parse(from).unwrap()).as_str(), to);
        }
    }

    #[test]
    fn pages_of_the_same_origin_belong() {
        let origin = Url::parse("https://a.example/").unwrap().origin();
        let belongs = |url: &str| belongs(&Url::parse(url).unwrap(), &origin);
        assert!(belongs("https://a.example/x/y.html"));
        assert!(belongs("https://a.example:443/v1.2/"));
        for url in [
            "http://a.example/",
            "https://b.a.example/",
            "https://a.example:8443/",
            "https://me@a.example/",
            "https://a.example/logo.PNG",
        ] {
            assert!(!belongs(url), "{url}");
        }
    }
}
