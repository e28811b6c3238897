//! The addresses that a sitemap lists (sitemaps.org, protocol 0.9).

use std::io::Read;

use flate2::read::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

/// The most pages that one sitemap lists (sitemaps.org).
pub(crate) const MAX_PAGES: usize = 50_000;

/// What a sitemap holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sitemap {
    /// Pages.
    pub(crate) pages: Vec<Url>,
    /// Further sitemaps, where it is an index.
    pub(crate) sitemaps: Vec<Url>,
}

/// The text of a sitemap's body, which is gzip as often as not (`sitemap.xml.gz`); `most` bytes of it.
pub(crate) fn unpack(body: &[u8], most: usize) -> String {
    let mut text = Vec::new();
    if body.starts_with(&[0x1f, 0x8b]) {
        // What came before the fault is worth having.
        let _ = MultiGzDecoder::new(body)
            .take(most as u64)
            .read_to_end(&mut text);
    } else {
        text.extend_from_slice(body.get(..most).unwrap_or(body));
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads a sitemap up to its first fault; `most` addresses at most.
pub(crate) fn read(xml: &str, most: usize) -> Sitemap {
    let mut found = Sitemap::default();
    let mut reader = Reader::from_str(xml);
    let (mut index, mut location) = (false, None::<String>);
    while found.pages.len() + found.sitemaps.len() < most {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "sitemapindex" => index = true,
                "loc" => location = Some(String::new()),
                _ => {}
            },
            Ok(Event::Text(text)) => {
                if let Some(location) = &mut location {
                    location.push_str(&text);
                }
            }
            Ok(Event::CData(text)) => {
                if let Some(location) = &mut location {
                    location.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(entity)) => {
                if let (Some(location), "amp") = (&mut location, entity.as_ref()) {
                    location.push('&');
                }
            }
            Ok(Event::End(tag)) if tag.local_name().as_ref() == "loc" => {
                let url = location
                    .take()
                    .and_then(|text| Url::parse(text.trim()).ok());
                if index {
                    found.sitemaps.extend(url);
                } else {
                    found.pages.extend(url);
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{read, unpack};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn packed_and_plain_text_is_unpacked_up_to_the_limit() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer
            .write_all("<urlset>".repeat(1000).as_bytes())
            .unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpack(&packed, 10_000).len(), 8_000);
        assert_eq!(unpack(&packed, 100).len(), 100);
        assert_eq!(unpack(&packed[..30], 10_000), "");
        assert_eq!(unpack(b"<urlset>", 10_000), "<urlset>");
        assert_eq!(unpack(b"<urlset>", 4), "<url");
    }

    #[test]
    fn locations_are_read_up_to_the_first_fault() {
        let xml = "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
            <url><loc> https://a.example/?x=1&amp;y=2 </loc><lastmod>2026</lastmod></url>\
            <url><loc><![CDATA[https://a.example/b]]></loc></url><url><loc>nonsense</loc></url></urlst>";
        let found = read(xml, 10);
        let pages: Vec<&str> = found.pages.iter().map(url::Url::as_str).collect();
        assert_eq!(pages, ["https://a.example/?x=1&y=2", "https://a.example/b"]);
        assert_eq!(read(xml, 1).pages.len(), 1);
        assert_eq!(read("<<<", 10), super::Sitemap::default());
    }

    #[test]
    fn an_index_names_further_sitemaps() {
        let xml =
            "<sitemapindex><sitemap><loc>https://a.example/s.xml</loc></sitemap></sitemapindex>";
        assert_eq!(read(xml, 10).sitemaps.len(), 1);
        assert!(read(xml, 10).pages.is_empty());
    }
}
