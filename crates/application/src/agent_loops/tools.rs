//! Tools as their owner describes them, and their secrets.

use std::collections::BTreeMap;

use domain::openapi::{self, Wanted};
use domain::schemas::{self, Budget};
use domain::secrets::SecretContext;
use domain::tools::{HttpTool, TOOL_HEADER, Tool};
use domain::{AgentLoopId, Error, Result, TenantId};
use serde_json::Value;

use crate::App;

/// The longest secret header, in characters.
const SECRET_MAX: usize = 4_000;

/// A tool to be made.
#[derive(Debug, Clone)]
pub enum NewTool {
    /// A request that was described.
    Http(NewHttp),
    /// The operations of an OpenAPI document.
    OpenApi {
        /// The document.
        document: Value,
        /// What is wanted of it.
        wanted: Wanted,
        /// Headers of all of them, in clear.
        headers: BTreeMap<String, String>,
        /// See [`NewHttp::secrets`].
        secrets: BTreeMap<String, Option<String>>,
    },
    /// See [`Tool::KnowledgeSearch`].
    KnowledgeSearch,
    /// See [`Tool::SendMessage`].
    SendMessage,
}

/// A request over HTTP to be made a tool.
#[derive(Clone)]
pub struct NewHttp {
    /// All but its secret headers.
    pub tool: HttpTool,
    /// Secret headers by name; `None`: as the tool of this name and address has it.
    pub secrets: BTreeMap<String, Option<String>>,
}

impl std::fmt::Debug for NewHttp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NewHttp").field(&self.tool).finish()
    }
}

/// Makes tools, with their secrets sealed; `earlier` are those that they take the place of.
pub(super) fn make(
    app: &App,
    tenant: TenantId,
    id: AgentLoopId,
    new: Vec<NewTool>,
    earlier: &[Tool],
) -> Result<Vec<Tool>> {
    let place = place(tenant, id);
    let mut tools = Vec::new();
    for (number, tool) in new.into_iter().enumerate() {
        let at = format!("tools[{number}]");
        match tool {
            NewTool::KnowledgeSearch => tools.push(Tool::KnowledgeSearch),
            NewTool::SendMessage => tools.push(Tool::SendMessage),
            NewTool::Http(new) => tools.push(http(app, &place, new, earlier, &at)?),
            NewTool::OpenApi {
                document,
                wanted,
                headers,
                secrets,
            } => {
                let at = format!("{at}.document");
                for tool in openapi::operations(&document, &wanted, &at)? {
                    let headers = headers.clone();
                    let new = NewHttp {
                        tool: HttpTool { headers, ..tool },
                        secrets: secrets.clone(),
                    };
                    tools.push(http(app, &place, new, earlier, &at)?);
                }
            }
        }
    }
    Ok(tools)
}

fn http(
    app: &App,
    place: &SecretContext,
    new: NewHttp,
    earlier: &[Tool],
    at: &str,
) -> Result<Tool> {
    let mut tool = new.tool;
    let made = schemas::plain(&tool.parameters, &tool.parameters, &mut Budget::default());
    tool.parameters = made.ok_or_else(|| {
        let field = format!("{at}.parameters");
        let problem = format!(
            "The '{field}' field must be a JSON Schema of 32 KB at most, its references within it followed, without an \
             endless one, one to elsewhere, or 'unevaluatedProperties' and 'unevaluatedItems'."
        );
        Error::invalid(field, problem)
    })?;
    // A secret that was given for one address is not sent to another one.
    let before = earlier.iter().find_map(|earlier| match earlier {
        Tool::Http(earlier) if earlier.name == tool.name && earlier.url == tool.url => {
            Some(&earlier.secret_headers)
        }
        _ => None,
    });
    for (name, secret) in new.secrets {
        let wrong = |problem: &str| {
            let field = format!("{at}.secret_headers");
            let problem = format!("The '{field}' field {problem}.");
            Error::invalid(field, problem)
        };
        let sealed = match secret {
            Some(secret) => {
                let is_good = secret.chars().all(|c| c == ' ' || c.is_ascii_graphic());
                if !(1..=SECRET_MAX).contains(&secret.len()) || !is_good {
                    return Err(wrong(
                        "must have values of 1 to 4000 printable ASCII characters",
                    ));
                }
                app.secrets.seal(place, secret.as_bytes())?
            }
            None => before
                .and_then(|before| before.get(&name))
                .cloned()
                .ok_or_else(|| {
                    wrong("can be null only where a tool of this name and address has that header")
                })?,
        };
        tool.secret_headers.insert(name, sealed);
    }
    tool.check(at)?;
    app.tool_caller.check(&tool, at)?;
    Ok(Tool::Http(tool))
}

/// The secret headers of a tool in clear.
pub(crate) fn secrets(
    app: &App,
    tenant: TenantId,
    id: AgentLoopId,
    tool: &HttpTool,
) -> Result<BTreeMap<String, String>> {
    let place = place(tenant, id);
    let open = |(name, sealed): (&String, &Vec<u8>)| {
        let clear = app.secrets.open(&place, sealed)?;
        Ok((
            name.clone(),
            String::from_utf8(clear).map_err(Error::internal)?,
        ))
    };
    tool.secret_headers.iter().map(open).collect()
}

fn place(tenant: TenantId, id: AgentLoopId) -> SecretContext {
    SecretContext {
        tenant_id: tenant,
        row: id.0,
        purpose: TOOL_HEADER,
    }
}
