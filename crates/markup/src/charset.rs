//! Bytes to text, in the order that the HTML standard gives: byte order mark, header, `<meta>`, detection.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// How far into a page its `<meta charset>` is looked for, in bytes (HTML standard, 4.2.5.4).
const META_WITHIN: usize = 1024;

/// The text of a body. `content_type` is the header's value, whole.
pub fn decode(body: &[u8], content_type: &str) -> String {
    let encoding = named(content_type.as_bytes())
        .or_else(|| named(body.get(..META_WITHIN).unwrap_or(body)).map(meta))
        .unwrap_or_else(|| detect(body));
    // `decode` lets a byte order mark win over all of these.
    let (text, _, _) = encoding.decode(body);
    // Stores can't keep NUL.
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text.into_owned()
    }
}

/// The encoding after the first `charset=` that names one.
fn named(bytes: &[u8]) -> Option<&'static Encoding> {
    let lower = bytes.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&lower);
    text.split("charset").skip(1).find_map(|rest| {
        let value = rest
            .trim_start()
            .strip_prefix('=')?
            .trim_start_matches([' ', '"', '\'']);
        let end = value
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | ':' | '.'))
            .unwrap_or(value.len());
        Encoding::for_label(value.get(..end)?.as_bytes())
    })
}

/// A page whose `<meta>` could be read as ASCII is not in UTF-16, whatever it says.
fn meta(said: &'static Encoding) -> &'static Encoding {
    said.output_encoding()
}

fn detect(body: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(body, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn text_is_read_by_what_says_its_encoding_first() {
        let latin = b"<meta charset=\"windows-1252\"><p>Caf\xe9</p>";
        let polish = "Zażółć gęślą jaźń, proszę bardzo, dziękuję, żółw";
        let (windows_1250, _, _) = encoding_rs::WINDOWS_1250.encode(polish);
        let cases: [(&[u8], &str, &str); 8] = [
            (b"Caf\xe9", "text/html; charset=ISO-8859-1", "Café"),
            (latin, "text/html", "Café"),
            ("Café".as_bytes(), "text/html", "Café"),
            (
                b"\xef\xbb\xbfCaf\xc3\xa9",
                "text/html; charset=latin1",
                "Café",
            ),
            (b"\xff\xfeC\0a\0f\0\xe9\0", "text/html", "Café"),
            (
                b"<meta http-equiv=x content='text/html; charset=utf-8'>Caf\xc3\xa9",
                "",
                "Café",
            ),
            (&windows_1250, "text/html", polish),
            (b"a\0b", "text/plain; charset=utf-8", "ab"),
        ];
        for (bytes, header, expected) in cases {
            let text = decode(bytes, header);
            assert!(
                text.ends_with(expected) || text.contains(expected),
                "{header}: {text}"
            );
        }
    }
}
