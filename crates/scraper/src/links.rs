//! Addresses as the crawl compares them.

use url::Url;

/// Query parameters that say who a visitor is or came from, and never what is shown.
const TRACKING: [&str; 22] = [
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "igshid",
    "jsessionid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "phpsessid",
    "rdt_cid",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
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

/// Whether the address looks like that of a page.
pub(crate) fn is_page(url: &Url) -> bool {
    let ending = url
        .path()
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .unwrap_or_default();
    url.as_str().len() as u64 <= domain::text::URL_MAX && !NO_PAGES.contains(&ending.as_str())
}

#[cfg(test)]
mod tests {
    use super::{clean, is_page};
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
    fn pictures_programs_and_endless_addresses_are_no_pages() {
        let is_page = |url: &str| is_page(&Url::parse(url).unwrap());
        assert!(is_page("https://a.example/x/y.html"));
        assert!(is_page("https://a.example/v1.2/"));
        assert!(!is_page("https://a.example/logo.PNG"));
        assert!(!is_page(&format!("https://a.example/{}", "x".repeat(2048))));
    }
}
