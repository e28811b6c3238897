//! Tools, as clients describe and see them.

use std::collections::BTreeMap;

use application::agent_loops::{NewHttp, NewTool};
use domain::openapi::Wanted;
use domain::tools::{HttpMethod, HttpTool, Tool};
use domain::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A tool. Secret headers are known by their names alone.
#[derive(Serialize, ToSchema)]
pub struct ToolView {
    /// `http`, `knowledge_search` or `send_message`.
    #[serde(rename = "type")]
    #[schema(example = "http")]
    kind: &'static str,
    #[schema(example = "get_order")]
    name: String,
    description: String,
    /// A JSON Schema of the arguments.
    #[schema(value_type = Object)]
    parameters: Value,
    /// Whether it tells or changes something elsewhere, so that a call may wait for approval.
    acts: bool,
    /// Of `http`: how and where it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<HttpView>,
}

/// How and where a tool is asked.
#[derive(Serialize, ToSchema)]
pub struct HttpView {
    #[schema(example = "GET")]
    method: &'static str,
    #[schema(example = "https://shop.example/orders/{id}")]
    url: String,
    /// Arguments that go into the query, whatever the method.
    query: Vec<String>,
    headers: BTreeMap<String, String>,
    /// The names of the secret headers.
    secret_headers: Vec<String>,
}

impl From<Tool> for ToolView {
    fn from(tool: Tool) -> Self {
        let described = tool.description();
        Self {
            name: described.name,
            description: described.description,
            parameters: described.parameters,
            acts: tool.acts(),
            kind: match &tool {
                Tool::Http(_) => "http",
                Tool::KnowledgeSearch => "knowledge_search",
                Tool::SendMessage => "send_message",
            },
            http: match tool {
                Tool::Http(http) => Some(HttpView {
                    method: http.method.as_str(),
                    url: http.url,
                    query: http.query,
                    headers: http.headers,
                    secret_headers: http.secret_headers.into_keys().collect(),
                }),
                Tool::KnowledgeSearch | Tool::SendMessage => None,
            },
        }
    }
}

/// A tool to be made.
#[derive(Deserialize, ToSchema)]
pub struct ToolBody {
    /// `http`, `openapi`, `knowledge_search` (of the bot's knowledge) or `send_message` (of the bot, in one of its
    /// conversations)
    #[serde(rename = "type")]
    #[schema(required, nullable = false)]
    kind: Option<String>,
    /// Of `http`: what the model calls it (letters, digits, `_` and `-`)
    name: Option<String>,
    /// Of `http`: what it does, by which the model chooses
    description: Option<String>,
    /// Of `http`: `GET`, `POST`, `PUT`, `PATCH` or `DELETE` (default: GET)
    method: Option<String>,
    /// Of `http`: the address on the public Internet; `{name}` in its path or query stands for a required argument
    url: Option<String>,
    /// Of `http`: a JSON Schema of the arguments, an object (default: none). Those that are not in the address go into
    /// the query of a GET or DELETE, and else into a JSON body
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// Of `http`: arguments that go into the query, whatever the method
    query: Option<Vec<String>>,
    /// Of `http` and `openapi`: headers of every call
    headers: Option<BTreeMap<String, String>>,
    /// Of `http` and `openapi`: headers that are stored encrypted and never shown
    #[schema(value_type = Option<Object>)]
    secret_headers: Option<BTreeMap<String, Option<String>>>,
    /// Of `http`: whether it tells or changes something elsewhere, so that a call may wait for approval (default: true)
    acts: Option<bool>,
    /// Of `openapi`: an OpenAPI 3 document, as a JSON object; each operation is a tool
    #[schema(value_type = Option<Object>)]
    document: Option<Value>,
    /// Of `openapi`: the operations to take, by `operationId` (default: all)
    operations: Option<Vec<String>>,
    /// Of `openapi`: where the paths stand (default: the document's first server)
    server_url: Option<String>,
}

/// Reads the tools of a loop.
///
/// # Errors
/// [`Error::Missing`], [`Error::Invalid`], naming the tool.
pub fn read(tools: Vec<ToolBody>) -> Result<Vec<NewTool>> {
    let numbered = tools.into_iter().enumerate();
    let read = |(number, tool): (usize, ToolBody)| tool.read(&format!("tools[{number}]"));
    numbered.map(read).collect()
}

impl ToolBody {
    fn read(self, at: &str) -> Result<NewTool> {
        let missing = |field: &str| Error::missing(format!("{at}.{field}"));
        let secrets = self.secret_headers.unwrap_or_default();
        let headers = self.headers.unwrap_or_default();
        match self.kind.as_deref() {
            Some("knowledge_search") => Ok(NewTool::KnowledgeSearch),
            Some("send_message") => Ok(NewTool::SendMessage),
            Some("openapi") => Ok(NewTool::OpenApi {
                document: self.document.ok_or_else(|| missing("document"))?,
                wanted: Wanted {
                    operations: self.operations,
                    server: self.server_url,
                },
                headers,
                secrets,
            }),
            Some("http") => {
                let method = match self.method.as_deref() {
                    None => HttpMethod::Get,
                    Some(word) => HttpMethod::parse(word).ok_or_else(|| {
                        let field = format!("{at}.method");
                        let problem =
                            format!("The '{field}' field must be GET, POST, PUT, PATCH or DELETE.");
                        Error::invalid(field, problem)
                    })?,
                };
                let none = || json!({ "type": "object", "properties": {} });
                let tool = HttpTool {
                    name: self.name.ok_or_else(|| missing("name"))?,
                    description: self.description.ok_or_else(|| missing("description"))?,
                    method,
                    url: self.url.ok_or_else(|| missing("url"))?,
                    parameters: self.parameters.unwrap_or_else(none),
                    query: self.query.unwrap_or_default(),
                    headers,
                    secret_headers: BTreeMap::new(),
                    acts: self.acts.unwrap_or(true),
                };
                Ok(NewTool::Http(NewHttp { tool, secrets }))
            }
            Some(_) => {
                let field = format!("{at}.type");
                let problem = format!(
                    "The '{field}' field must be http, openapi, knowledge_search or send_message."
                );
                Err(Error::invalid(field, problem))
            }
            None => Err(missing("type")),
        }
    }
}
