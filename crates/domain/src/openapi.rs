//! Operations of an OpenAPI document (3.0 and 3.1) as tools.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::agent_loops::TOOLS_MAX;
use crate::schemas::{Budget, followed, plain};
use crate::text::preview;
use crate::tools::{HttpMethod, HttpTool, TOOL_DESCRIPTION_MAX, TOOL_NAME_MAX};
use crate::{Error, Result};

/// The most parameters of an operation.
const PARAMETERS_MAX: usize = 100;

/// What is wanted of a document.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The operations, by `operationId`; `None`: all.
    pub operations: Option<Vec<String>>,
    /// The address that paths stand under; `None`: the document's first server.
    pub server: Option<String>,
}

/// The operations of a document, in its order. `at` names the document in errors.
///
/// # Errors
/// [`Error::Invalid`]: it is no such document, or an operation can't be called as a tool.
pub fn operations(document: &Value, wanted: &Wanted, at: &str) -> Result<Vec<HttpTool>> {
    let wrong =
        |problem: String| Error::invalid(at.to_owned(), format!("The '{at}' field {problem}."));
    let version = document["openapi"].as_str().unwrap_or_default();
    let Some(paths) = document["paths"]
        .as_object()
        .filter(|_| version.starts_with("3."))
    else {
        return Err(wrong(
            "must be an OpenAPI 3 document, as a JSON object".into(),
        ));
    };
    let server = wanted
        .server
        .as_deref()
        .or(document["servers"][0]["url"].as_str());
    let server = server.ok_or_else(|| wrong("names no server; give 'server_url'".into()))?;
    let too_many = || {
        wrong(format!(
            "has more than {TOOLS_MAX} operations; name those that you want"
        ))
    };
    if wanted
        .operations
        .as_ref()
        .is_some_and(|names| names.len() > TOOLS_MAX)
    {
        return Err(too_many());
    }
    let mut tools = Vec::new();
    for (path, item) in paths {
        let item = followed(document, item);
        for method in HttpMethod::ALL {
            let operation = &item[method.as_str().to_ascii_lowercase()];
            let id = operation["operationId"].as_str();
            let is_wanted = match (&wanted.operations, id) {
                (None, _) => operation.is_object(),
                (Some(names), Some(id)) => names.iter().any(|name| name == id),
                (Some(_), None) => false,
            };
            if is_wanted {
                if tools.len() == TOOLS_MAX {
                    return Err(too_many());
                }
                let read = Operation {
                    document,
                    path,
                    item,
                    operation,
                    method: *method,
                };
                let tool = read.tool(server);
                tools.push(tool.map_err(|problem| {
                    wrong(format!("has an operation, {method} {path}, that {problem}"))
                })?);
            }
        }
    }
    for name in wanted.operations.iter().flatten() {
        let named = |item: &Value| {
            let all = item.as_object().into_iter().flat_map(Map::values);
            all.into_iter()
                .any(|operation| operation["operationId"] == **name)
        };
        if !paths.values().any(|item| named(followed(document, item))) {
            return Err(wrong(format!("has no operation '{name}'")));
        }
    }
    if tools.is_empty() {
        return Err(wrong("has no operations".into()));
    }
    Ok(tools)
}

struct Operation<'a> {
    document: &'a Value,
    path: &'a str,
    item: &'a Value,
    operation: &'a Value,
    method: HttpMethod,
}

impl Operation<'_> {
    fn tool(&self, server: &str) -> Result<HttpTool, String> {
        let mut budget = Budget::default();
        let mut properties = Map::new();
        let (mut required, mut query) = (Vec::new(), Vec::new());
        for parameter in self.parameters()? {
            let name = parameter["name"]
                .as_str()
                .ok_or("has a parameter without a name")?;
            match parameter["in"].as_str() {
                Some("query") => query.push(name.to_owned()),
                Some("path") => {}
                // They would have to be set for all calls: that is what a tool's headers are for.
                _ if parameter["required"] == true => {
                    return Err(format!(
                        "requires '{name}' in a header or cookie; give it in 'headers', and describe it without"
                    ));
                }
                _ => continue,
            }
            if parameter["required"] == true || parameter["in"] == "path" {
                required.push(name.to_owned());
            }
            let mut schema = self.resolved(&parameter["schema"], &mut budget)?;
            if let (Some(fields), Some(words)) =
                (schema.as_object_mut(), parameter["description"].as_str())
            {
                let words = || preview(words, TOOL_DESCRIPTION_MAX).into();
                fields.entry("description").or_insert_with(words);
            }
            properties.insert(name.to_owned(), schema);
        }
        let body = followed(self.document, &self.operation["requestBody"]);
        if body.is_object() {
            let schema =
                self.resolved(&body["content"]["application/json"]["schema"], &mut budget)?;
            let Some(fields) = schema["properties"].as_object() else {
                return Err("takes a body that is no JSON object with properties".into());
            };
            for (name, schema) in fields {
                if properties.insert(name.clone(), schema.clone()).is_some() {
                    return Err(format!("has two parameters named '{name}'"));
                }
            }
            let names = schema["required"].as_array().into_iter().flatten();
            required.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
        }
        let words = ["description", "summary"].map(|field| self.operation[field].as_str());
        let description = words.into_iter().flatten().find(|words| !words.is_empty());
        let description =
            description.map_or_else(|| format!("{} {}", self.method, self.path), str::to_owned);
        Ok(HttpTool {
            name: self.name(),
            description: preview(&description, TOOL_DESCRIPTION_MAX).to_owned(),
            method: self.method,
            url: format!("{}{}", server.trim_end_matches('/'), self.path),
            parameters: json!({ "type": "object", "properties": properties, "required": required }),
            query,
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            acts: true,
        })
    }

    /// The operation's id, or its method and path, in the letters that names have.
    fn name(&self) -> String {
        let id = self.operation["operationId"].as_str().map(str::to_owned);
        let id =
            id.unwrap_or_else(|| format!("{}{}", self.method.as_str().to_lowercase(), self.path));
        let plain = id.chars().map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        });
        plain.take(TOOL_NAME_MAX).collect()
    }

    /// The parameters of the operation, and those of its path that it does not have anew.
    fn parameters(&self) -> Result<Vec<&Value>, String> {
        let mut all: Vec<&Value> = Vec::new();
        for place in [self.operation, self.item] {
            let own = place["parameters"].as_array().into_iter().flatten();
            let before = all.len();
            for parameter in own.map(|parameter| followed(self.document, parameter)) {
                let same = |other: &&Value| {
                    other["name"] == parameter["name"] && other["in"] == parameter["in"]
                };
                if all[..before].iter().any(same) {
                    continue;
                }
                if all.len() == PARAMETERS_MAX {
                    return Err(format!("has more than {PARAMETERS_MAX} parameters"));
                }
                all.push(parameter);
            }
        }
        Ok(all)
    }

    fn resolved(&self, schema: &Value, budget: &mut Budget) -> Result<Value, String> {
        match plain(self.document, schema, budget) {
            Some(Value::Null) => Ok(json!({})),
            Some(schema) => Ok(schema),
            None => Err(
                "has schemas without an end, of more than 32 KB, or with references to elsewhere"
                    .into(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.1.0",
            "servers": [{ "url": "https://shop.example/api/" }],
            "paths": {
                "/orders/{id}": {
                    "parameters": [{ "$ref": "#/components/parameters/Id" }],
                    "get": { "operationId": "getOrder", "summary": "Gets an order" },
                    "patch": {
                        "operationId": "orders.change",
                        "parameters": [{ "name": "notify", "in": "query", "schema": { "type": "boolean" } }],
                        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } },
                    },
                },
            },
            "components": {
                "parameters": { "Id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } },
                "schemas": { "Order": { "type": "object", "properties": { "note": { "type": "string" } }, "required": ["note"] } },
            },
        })
    }

    #[test]
    fn operations_are_taken_out_as_tools() {
        let tools = operations(&document(), &Wanted::default(), "document").unwrap();
        assert_eq!(tools.len(), 2);
        let (get, change) = (&tools[0], &tools[1]);
        assert_eq!((get.name.as_str(), get.acts), ("getOrder", true));
        assert_eq!(get.url, "https://shop.example/api/orders/{id}");
        assert_eq!(get.description, "Gets an order");
        assert_eq!((change.name.as_str(), change.acts), ("orders_change", true));
        assert_eq!(change.query, ["notify"]);
        assert_eq!(change.parameters["required"], json!(["id", "note"]));
        assert_eq!(
            change.parameters["properties"]["note"],
            json!({ "type": "string" })
        );
        assert!(tools.iter().all(|tool| tool.check("t").is_ok()));
    }

    #[test]
    fn those_that_are_wanted_are_taken_alone() {
        let wanted = |name: &str| Wanted {
            operations: Some(vec![name.into()]),
            server: Some("https://other.example".into()),
        };
        let tools = operations(&document(), &wanted("getOrder"), "document").unwrap();
        assert_eq!(tools.len(), 1);
        assert_eq!(tools[0].url, "https://other.example/orders/{id}");
        assert!(operations(&document(), &wanted("other"), "document").is_err());
    }

    #[test]
    fn schemas_without_an_end_are_refused() {
        let mut endless = document();
        endless["components"]["schemas"]["Order"]["properties"]["next"] =
            json!({ "$ref": "#/components/schemas/Order" });
        let mut elsewhere = document();
        elsewhere["components"]["schemas"]["Order"] =
            json!({ "$ref": "https://example.com/order.json" });
        let mut cookie = document();
        cookie["paths"]["/orders/{id}"]["get"]["parameters"] =
            json!([{ "name": "s", "in": "cookie", "required": true }]);
        for wrong in [
            endless,
            elsewhere,
            cookie,
            json!({}),
            json!({ "openapi": "3.0.0", "paths": {} }),
        ] {
            assert!(
                operations(&wrong, &Wanted::default(), "document").is_err(),
                "{wrong}"
            );
        }
    }
}
