//! How far a crawl goes: which addresses belong to what is to be read.

use domain::websites::CrawlScope;
use url::{Host, Origin, Url};

/// What is to be read, as seen from the start page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Origin(Origin),
    /// The registrable domain; the host itself where there is none (an IP address, `localhost`).
    Domain(String),
    /// The start page's folder, with the slash that ends it.
    Path(Origin, String),
}

impl Scope {
    pub(crate) fn new(scope: CrawlScope, start: &Url) -> Self {
        match scope {
            CrawlScope::Origin => Self::Origin(start.origin()),
            CrawlScope::Domain => Self::Domain(registrable(start)),
            CrawlScope::Path => {
                let end = start.path().rfind('/').map_or(0, |slash| slash + 1);
                let folder = start.path().get(..end).unwrap_or("/");
                Self::Path(start.origin(), folder.to_owned())
            }
        }
    }

    /// Whether the address belongs to what is to be read.
    pub(crate) fn includes(&self, url: &Url) -> bool {
        match self {
            Self::Path(_, folder) => self.includes_site(url) && url.path().starts_with(folder),
            _ => self.includes_site(url),
        }
    }

    /// Whether the address is of the same site, whatever its path: sitemaps lie above the pages that they list.
    pub(crate) fn includes_site(&self, url: &Url) -> bool {
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none();
        is_plain
            && match self {
                Self::Origin(origin) | Self::Path(origin, _) => url.origin() == *origin,
                Self::Domain(domain) => registrable(url) == *domain,
            }
    }
}

/// By the public suffix list, its private part included: the customers of a host of websites are strangers.
fn registrable(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match url.host() {
        Some(Host::Domain(_)) => psl::domain_str(host).unwrap_or(host),
        _ => host,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use domain::websites::CrawlScope;
    use url::Url;

    fn check(scope: CrawlScope, start: &str, inside: &[&str], outside: &[&str]) {
        let scope = Scope::new(scope, &Url::parse(start).unwrap());
        for (urls, expected) in [(inside, true), (outside, false)] {
            for url in urls {
                let included = scope.includes(&Url::parse(url).unwrap());
                assert_eq!(included, expected, "{url} in {scope:?}");
            }
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        check(
            CrawlScope::Origin,
            "https://a.example/x",
            &["https://a.example/", "https://a.example:443/v1.2/"],
            &[
                "http://a.example/",
                "https://b.a.example/",
                "https://a.example:8443/",
                "https://me@a.example/",
                "ftp://a.example/",
            ],
        );
    }

    #[test]
    fn a_domain_is_what_somebody_registered() {
        check(
            CrawlScope::Domain,
            "https://www.shop.co.uk/",
            &[
                "https://shop.co.uk/",
                "http://docs.shop.co.uk:8080/x",
                "https://shop.co.uk./",
            ],
            &[
                "https://other.co.uk/",
                "https://shop.uk/",
                "https://notshop.co.uk/",
                "https://shop.co.uk.evil.example/",
            ],
        );
        check(
            CrawlScope::Domain,
            "https://me.github.io/",
            &["https://me.github.io/x"],
            &["https://you.github.io/", "https://github.io/"],
        );
        check(
            CrawlScope::Domain,
            "http://127.0.0.1/",
            &["http://127.0.0.1:99/"],
            &["http://127.0.0.2/", "http://0.1/"],
        );
    }

    #[test]
    fn a_path_is_the_folder_of_the_start_page() {
        for start in [
            "https://a.example/docs/intro.html",
            "https://a.example/docs/",
        ] {
            check(
                CrawlScope::Path,
                start,
                &["https://a.example/docs/", "https://a.example/docs/x/y?z"],
                &[
                    "https://a.example/docs",
                    "https://a.example/",
                    "https://a.example/documents/",
                    "https://b.example/docs/",
                ],
            );
        }
        check(
            CrawlScope::Path,
            "https://a.example",
            &["https://a.example/x"],
            &[],
        );
    }
}
