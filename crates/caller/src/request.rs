//! Where arguments go: into the address, the query and the body.

use domain::tools::{HttpMethod, HttpTool};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use url::{Position, Url};

/// What stands in an address as it is (RFC 3986, 2.3); all else is encoded, so that no argument leaves its place.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address of a tool with something in its places, to be checked before there are arguments.
///
/// # Errors
/// What it must be.
pub fn address(tool: &HttpTool) -> Result<Url, String> {
    let with = |word: &str| {
        let url = tool
            .placeholders()
            .iter()
            .fold(tool.url.clone(), |url, name| {
                url.replace(&format!("{{{name}}}"), word)
            });
        Url::parse(&url).map_err(|_| {
            "must be a whole address, such as https://example.com/orders/{id}".to_owned()
        })
    };
    let (one, other) = (with("a")?, with("b")?);
    if one[..Position::BeforePath] != other[..Position::BeforePath] {
        return Err("must have its {placeholders} in the path or the query".into());
    }
    if one.fragment().is_some() {
        return Err("must have no fragment".into());
    }
    Ok(one)
}

/// The address and the body of a request with these arguments.
///
/// # Errors
/// A sentence for the model.
pub fn prepare(tool: &HttpTool, arguments: &Value) -> Result<(Url, Option<Value>), String> {
    let mut left: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
    let mut url = tool.url.clone();
    let path_ends = url.find('?').unwrap_or(url.len());
    for name in tool.placeholders() {
        let place = format!("{{{name}}}");
        let Some(value) = left.remove(name) else {
            // It stands there twice, and is filled in.
            continue;
        };
        let words = plain(&value);
        let in_path = tool.url.find(&place).is_some_and(|at| at < path_ends);
        // They would change which address it is.
        if in_path && matches!(words.as_str(), "" | "." | "..") {
            return Err(format!("The argument '{name}' can't be '{words}'."));
        }
        let encoded = utf8_percent_encode(&words, ENCODED).to_string();
        url = url.replace(&place, &encoded);
    }
    let mut url = Url::parse(&url).map_err(|_| "The arguments make no address.".to_owned())?;
    let has_body = matches!(
        tool.method,
        HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch
    );
    let (query, body): (Map<_, _>, Map<_, _>) = left
        .into_iter()
        .partition(|(name, _)| !has_body || tool.query.contains(name));
    if !query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in &query {
            match value {
                Value::Null => {}
                Value::Array(items) => {
                    for item in items {
                        pairs.append_pair(name, &plain(item));
                    }
                }
                value => {
                    pairs.append_pair(name, &plain(value));
                }
            }
        }
    }
    Ok((url, has_body.then_some(Value::Object(body))))
}

/// A value in an address: words as they are.
fn plain(value: &Value) -> String {
    match value {
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn tool(method: HttpMethod, url: &str) -> HttpTool {
        HttpTool {
            name: "tool".into(),
            description: "A tool.".into(),
            method,
            url: url.into(),
            parameters: json!({ "type": "object" }),
            query: vec!["page".into()],
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            acts: true,
        }
    }

    #[test]
    fn arguments_go_where_they_belong() {
        let arguments = json!({ "id": "a/b?c#d", "page": 2, "tags": ["x", "y z"], "none": null });
        let get = tool(HttpMethod::Get, "https://shop.example/{id}/lines?sort={id}");
        let (url, body) = prepare(&get, &arguments).unwrap();
        assert_eq!(
            url.as_str(),
            "https://shop.example/a%2Fb%3Fc%23d/lines?sort=a%2Fb%3Fc%23d&page=2&tags=x&tags=y+z"
        );
        assert_eq!(body, None);
        let post = tool(HttpMethod::Post, "https://shop.example/{id}");
        let (url, body) = prepare(&post, &arguments).unwrap();
        assert_eq!(url.as_str(), "https://shop.example/a%2Fb%3Fc%23d?page=2");
        assert_eq!(body, Some(json!({ "tags": ["x", "y z"], "none": null })));
    }

    #[test]
    fn no_argument_leaves_its_place() {
        let get = tool(HttpMethod::Get, "https://shop.example/orders/{id}/lines");
        for id in ["..", ".", ""] {
            assert!(prepare(&get, &json!({ "id": id })).is_err(), "{id}");
        }
        for id in [
            "../../admin",
            "@evil.example",
            "//evil.example",
            "%2e%2e",
            "\\..\\",
            "a\nb",
        ] {
            let (url, _) = prepare(&get, &json!({ "id": id })).unwrap();
            assert_eq!(url.host_str(), Some("shop.example"), "{id}");
            let path = url.path();
            assert!(
                path.starts_with("/orders/") && path.ends_with("/lines"),
                "{id}: {url}"
            );
            assert_eq!(path.matches('/').count(), 3, "{id}: {url}");
        }
    }

    #[test]
    fn arguments_choose_no_server() {
        for url in [
            "https://{host}/",
            "https://shop.{tld}/",
            "{scheme}://shop.example/",
            "https://x:{p}@shop.example/",
            "shop/{id}",
            "https://shop.example:{port}/",
            "https://shop.example/#{id}",
        ] {
            assert!(address(&tool(HttpMethod::Get, url)).is_err(), "{url}");
        }
        assert!(address(&tool(HttpMethod::Get, "https://shop.example/{a}?b={c}")).is_ok());
    }
}
