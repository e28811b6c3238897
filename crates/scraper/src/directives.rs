//! What a page says to robots: `<meta name=robots>` and `X-Robots-Tag`.

use reqwest::header::HeaderMap;

/// Whether a page may be kept, and its links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directives {
    pub(crate) index: bool,
    pub(crate) follow: bool,
}

impl Directives {
    /// Of an answer's headers and what its page says, for a robot of this name.
    pub(crate) fn of(headers: &HeaderMap, meta: &str, name: &str) -> Self {
        let tags = headers.get_all("x-robots-tag");
        let tags = tags.iter().filter_map(|value| value.to_str().ok());
        let mut found = Self {
            index: true,
            follow: true,
        };
        for text in tags.chain([meta]) {
            found.read(text, name);
        }
        found
    }

    /// Reads `noindex, nofollow` and the like. `robot: noindex` is for the robot named, up to the next name.
    fn read(&mut self, text: &str, name: &str) {
        let mut is_meant = true;
        for word in text.split(',') {
            let mut word = word.trim();
            if let Some((before, after)) = word.split_once(':') {
                let robot = before.trim();
                // Rules with values look the same: `max-snippet: 20`.
                let is_rule =
                    robot.contains('-') || robot.eq_ignore_ascii_case("unavailable_after");
                if is_rule {
                    continue;
                }
                is_meant = robot.eq_ignore_ascii_case(name) || robot == "*";
                word = after.trim();
            }
            if is_meant {
                let none = word.eq_ignore_ascii_case("none");
                self.index &= !none && !word.eq_ignore_ascii_case("noindex");
                self.follow &= !none && !word.eq_ignore_ascii_case("nofollow");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Directives;
    use reqwest::header::HeaderMap;

    #[test]
    fn directives_are_read_from_header_and_page() {
        for (header, meta, index, follow) in [
            ("", "", true, true),
            ("", "index, follow", true, true),
            ("", "NoIndex", false, true),
            ("nofollow", "noindex", false, false),
            ("none", "", false, false),
            ("max-snippet: 20, noindex", "", false, true),
            ("otherbot: noindex, nofollow", "", true, true),
            ("TestBot: noindex", "", false, true),
            ("otherbot: noindex, testbot: nofollow", "", true, false),
            (
                "unavailable_after: Mon, 01 Jan 2029 00:00:00 GMT",
                "",
                true,
                true,
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-robots-tag", header.parse().unwrap());
            let expected = Directives { index, follow };
            assert_eq!(
                Directives::of(&headers, meta, "testbot"),
                expected,
                "{header} {meta}"
            );
        }
    }
}
