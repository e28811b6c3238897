//! Tools: what a model may call.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::named::named;
use crate::text::{self, no_nul};
use crate::tool_models::ToolDescription;
use crate::{Error, Result, StepId};

/// The longest name of a tool: what providers take.
pub const TOOL_NAME_MAX: usize = 64;
/// The longest description of a tool, in characters.
pub const TOOL_DESCRIPTION_MAX: usize = 2_000;
/// The largest schema of a tool's arguments, in bytes of JSON.
pub const SCHEMA_MAX: usize = 32 * 1024;
/// The most headers of a tool.
pub const HEADERS_MAX: usize = 20;
/// The most of a result that is kept and told to the model, in bytes.
pub const RESULT_MAX: usize = 16 * 1024;
/// What secret headers are sealed for: [`crate::secrets::SecretContext::purpose`].
pub const TOOL_HEADER: &str = "tool header";

named! {
    /// How a tool is asked over HTTP.
    HttpMethod {
        /// GET: it reads.
        Get = "GET",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
    }
}

/// What a model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tool {
    /// A request over HTTP.
    Http(HttpTool),
    /// A search of the bot's knowledge.
    KnowledgeSearch,
    /// A message of the bot into one of its conversations.
    SendMessage,
}

/// A request over HTTP that a model may have made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpTool {
    /// Its name, unique in its loop.
    pub name: String,
    /// What it does: the model chooses by that.
    pub description: String,
    /// The method.
    pub method: HttpMethod,
    /// The address; `{name}` in its path or query stands for an argument.
    pub url: String,
    /// The arguments: a JSON Schema of an object.
    pub parameters: Value,
    /// Arguments that go into the query, whatever the method. Those of a GET or DELETE all do; others are the body's.
    pub query: Vec<String>,
    /// Headers in clear.
    pub headers: BTreeMap<String, String>,
    /// Headers that are sealed, by name.
    pub secret_headers: BTreeMap<String, Vec<u8>>,
    /// Whether it tells or changes something elsewhere, so that a call may need approval.
    pub acts: bool,
}

/// The name of [`Tool::KnowledgeSearch`].
pub const KNOWLEDGE_SEARCH: &str = "knowledge_search";
/// The name of [`Tool::SendMessage`].
pub const SEND_MESSAGE: &str = "send_message";

impl Tool {
    /// The name that a model calls it by.
    pub fn name(&self) -> &str {
        match self {
            Self::Http(http) => &http.name,
            Self::KnowledgeSearch => KNOWLEDGE_SEARCH,
            Self::SendMessage => SEND_MESSAGE,
        }
    }

    /// Whether it tells or changes something elsewhere.
    pub const fn acts(&self) -> bool {
        match self {
            Self::Http(http) => http.acts,
            Self::KnowledgeSearch => false,
            Self::SendMessage => true,
        }
    }

    /// Whether its results are words of others, which may try to lead the model.
    pub const fn brings_words(&self) -> bool {
        matches!(self, Self::Http(_) | Self::KnowledgeSearch)
    }

    /// What a model is told of it.
    pub fn description(&self) -> ToolDescription {
        let text = |description: &str| json!({ "type": "string", "description": description });
        let (description, parameters) = match self {
            Self::Http(http) => (http.description.as_str(), http.parameters.clone()),
            Self::KnowledgeSearch => (
                "Searches the knowledge of the bot. Answers the passages that fit best.",
                json!({
                    "type": "object",
                    "properties": { "query": text("What to look for, as a question or in words") },
                    "required": ["query"],
                }),
            ),
            Self::SendMessage => (
                "Sends a message to the visitor in a conversation of the bot.",
                json!({
                    "type": "object",
                    "properties": {
                        "conversation_id": text("The id of the conversation"),
                        "text": text("The message"),
                    },
                    "required": ["conversation_id", "text"],
                }),
            ),
        };
        ToolDescription {
            name: self.name().to_owned(),
            description: description.to_owned(),
            parameters,
        }
    }
}

impl HttpTool {
    /// Checks what can be checked without making a request; `at` names the tool in errors.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self, at: &str) -> Result<()> {
        let wrong = |field: &str, problem: &str| {
            let field = format!("{at}.{field}");
            let problem = format!("The '{field}' field {problem}.");
            Err(Error::invalid(field, problem))
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !(1..=TOOL_NAME_MAX).contains(&self.name.len()) || !self.name.chars().all(is_name) {
            return wrong("name", "must be 1 to 64 letters, digits, '_' or '-'");
        }
        if matches!(self.name.as_str(), KNOWLEDGE_SEARCH | SEND_MESSAGE) {
            return wrong("name", "is the name of a tool that is built in");
        }
        let length = self.description.chars().count();
        if !(1..=TOOL_DESCRIPTION_MAX).contains(&length) || no_nul(&self.description).is_err() {
            return wrong(
                "description",
                "must be 1 to 2000 characters long, without NUL",
            );
        }
        if self.url.len() as u64 > text::URL_MAX || no_nul(&self.url).is_err() {
            return wrong("url", "must be at most 2048 characters long, without NUL");
        }
        let schema = self.parameters.to_string();
        if self.parameters["type"] != "object"
            || schema.len() > SCHEMA_MAX
            || schema.contains("\\u0000")
        {
            return wrong(
                "parameters",
                "must be a JSON Schema with \"type\": \"object\", of 32 KB at most",
            );
        }
        let unknown = |name: &&String| self.parameters["properties"].get(name.as_str()).is_none();
        if self.query.iter().any(|name| unknown(&name)) {
            return wrong("query", "must name properties of the parameters");
        }
        let missing = self.placeholders().into_iter().find(|name| {
            let required = self.parameters["required"].as_array();
            !required.is_some_and(|all| all.iter().any(|one| one == name))
        });
        if missing.is_some() {
            return wrong(
                "url",
                "has a {placeholder} that is no required property of the parameters",
            );
        }
        let names = self.headers.keys().chain(self.secret_headers.keys());
        if names.clone().count() > HEADERS_MAX {
            return wrong("headers", "must be at most 20, the secret ones included");
        }
        for name in names {
            // What the connection or the promise to repeat safely rests on is not the tool's to set.
            let reserved = [
                "host",
                "content-length",
                "transfer-encoding",
                "connection",
                "idempotency-key",
            ];
            if reserved.contains(&name.to_ascii_lowercase().as_str()) {
                return wrong(
                    "headers",
                    "must not have Host, Content-Length, Transfer-Encoding, Connection or Idempotency-Key",
                );
            }
        }
        Ok(())
    }

    /// The names between braces in the address.
    pub fn placeholders(&self) -> Vec<&str> {
        let parts = self.url.split('{').skip(1);
        parts
            .filter_map(|part| part.split_once('}').map(|(name, _)| name))
            .collect()
    }
}

/// A request to be made for a model.
#[derive(Debug, Clone)]
pub struct HttpCall<'a> {
    /// The tool.
    pub tool: &'a HttpTool,
    /// The secret headers in clear.
    pub secrets: &'a BTreeMap<String, String>,
    /// The arguments.
    pub arguments: &'a Value,
    /// The step, by which who is asked twice knows it: sent as `Idempotency-Key`.
    pub step: StepId,
    /// For everything.
    pub within: Duration,
}

/// Makes requests for models.
#[async_trait]
pub trait ToolCaller: Send + Sync {
    /// Whether a tool can be called at all: its address may be reached, its schema is one, its headers can be sent.
    ///
    /// # Errors
    /// [`Error::Invalid`], `at` naming the tool.
    fn check(&self, tool: &HttpTool, at: &str) -> Result<()>;

    /// Makes the request, once. Answers status and body as the model is told them, [`RESULT_MAX`] bytes at most; a
    /// status of failure is an answer like any other.
    ///
    /// # Errors
    /// A sentence for the model and the loop's owner: arguments that don't fit the schema, an address that is closed,
    /// a server that does not answer.
    async fn call(&self, call: HttpCall<'_>) -> Result<String, String>;
}

/// The beginning of a result, as much as is kept, without NUL, which stores can't keep.
pub fn clipped(result: &str) -> String {
    let end = result.floor_char_boundary(RESULT_MAX);
    let kept = result[..end].replace('\0', "\u{fffd}");
    match end < result.len() {
        true => format!("{kept}\n[cut off]"),
        false => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool() -> HttpTool {
        HttpTool {
            name: "get_order".into(),
            description: "Gets an order.".into(),
            method: HttpMethod::Get,
            url: "https://shop.example/orders/{id}".into(),
            parameters: json!({ "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] }),
            query: Vec::new(),
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            acts: false,
        }
    }

    #[test]
    fn a_tool_that_cannot_be_called_is_refused() {
        assert!(tool().check("tools[0]").is_ok());
        let header = |name: &str| BTreeMap::from([(name.to_owned(), "x".to_owned())]);
        let wrong = [
            (
                "name",
                HttpTool {
                    name: "get order".into(),
                    ..tool()
                },
            ),
            (
                "name",
                HttpTool {
                    name: SEND_MESSAGE.into(),
                    ..tool()
                },
            ),
            (
                "description",
                HttpTool {
                    description: String::new(),
                    ..tool()
                },
            ),
            (
                "parameters",
                HttpTool {
                    parameters: json!({ "type": "array" }),
                    ..tool()
                },
            ),
            (
                "url",
                HttpTool {
                    url: "https://shop.example/{other}".into(),
                    ..tool()
                },
            ),
            (
                "query",
                HttpTool {
                    query: vec!["other".into()],
                    ..tool()
                },
            ),
            (
                "headers",
                HttpTool {
                    headers: header("Idempotency-Key"),
                    ..tool()
                },
            ),
        ];
        for (field, tool) in wrong {
            let expected = format!("tools[0].{field}");
            match tool.check("tools[0]") {
                Err(Error::Invalid { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn results_are_cut_between_characters() {
        assert_eq!(clipped("a\0b"), "a\u{fffd}b");
        let long = clipped(&"é".repeat(RESULT_MAX));
        assert!(long.len() < RESULT_MAX + 20 && long.ends_with("[cut off]"));
    }
}
