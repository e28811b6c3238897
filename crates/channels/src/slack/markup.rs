//! Slack's marks in texts (<https://docs.slack.dev/messaging/formatting-message-text>).

/// Words as they are, for Slack: three characters are special.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Slack's text as its reader sees it, without mentions of the bot itself (`own`).
pub(super) fn plain(text: &str, own: Option<&str>) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let Some((mark, left)) = after.split_once('>') else {
            rest = after;
            break;
        };
        plain.push_str(&shown(mark, own));
        rest = left;
    }
    plain.push_str(rest);
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    plain.trim().to_owned()
}

/// What a mark between `<` and `>` looks like: a person, a channel, a group, or a link.
fn shown(mark: &str, own: Option<&str>) -> String {
    let (target, label) = match mark.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
        None => (mark, None),
    };
    match target.chars().next() {
        Some('@') if own == target.get(1..) => String::new(),
        Some(sign @ ('@' | '#')) => {
            format!("{sign}{}", label.or(target.get(1..)).unwrap_or_default())
        }
        Some('!') => label.map_or_else(|| target.replacen('!', "@", 1), str::to_owned),
        _ => label.unwrap_or(target).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_as_they_are_shown() {
        for (marked, expected) in [
            ("<@U1> when do you open?", "when do you open?"),
            ("hey <@U1>, and <@U2|ben>?", "hey , and @ben?"),
            ("ask <@U2> in <#C3|help> <!here>", "ask @U2 in #help @here"),
            (
                "<https://a.example/x|our page> <https://b.example>",
                "our page https://b.example",
            ),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
            ("&amp;lt;", "&lt;"),
            ("<", ""),
            ("<é>", "é"),
        ] {
            assert_eq!(plain(marked, Some("U1")), expected, "{marked}");
        }
        for text in ["a < b && c > d", "&lt;", "<@U1>", "<!channel>"] {
            assert_eq!(plain(&escape(text), None), text);
        }
    }
}
