//! What `/openapi.json` tells of the operations.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::routes::{Route, routes};
use crate::support::{Denied, Told, text};

/// The description of every API.
pub struct Description(pub Value);

/// An operation as it is described.
pub struct Operation<'a> {
    pub method: Method,
    pub path: &'a str,
    pub told: &'a Value,
}

impl Description {
    pub async fn of(url: &str) -> Self {
        let client = Client::without_key(url);
        let request = client.request_outside(Method::GET, "/openapi.json");
        Self(client.answer(request).await.unwrap().body)
    }

    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut all = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, told) in item.as_object().unwrap() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                all.push(Operation { method, path, told });
            }
        }
        all
    }

    pub fn with(&self, status: &str) -> BTreeSet<String> {
        let all = self.operations().into_iter();
        let with = all.filter(|operation| operation.answers(status));
        with.map(|operation| operation.name()).collect()
    }

    /// Where an answer's JSON is not as it is described.
    pub fn contradictions(&self, operation: &Operation<'_>, answer: &Answer) -> Vec<String> {
        let told = &operation.told["responses"][answer.status.to_string()];
        if !told.is_object() {
            return vec!["such a status is not described".to_owned()];
        }
        let schema = &told["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Vec::new();
        }
        let schema = json!({ "allOf": [schema], "components": self.0["components"] });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors = validator.iter_errors(&answer.body);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    pub fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(&reference[1..]).unwrap(),
            None => schema,
        }
    }

    /// The types that a schema takes; none: anything.
    pub fn types<'a>(&'a self, schema: &'a Value) -> BTreeSet<&'a str> {
        let schema = self.resolved(schema);
        let own = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
            _ => Vec::new(),
        };
        let choices = ["oneOf", "anyOf", "allOf"].into_iter();
        let choices = choices.flat_map(|choice| schema[choice].as_array().into_iter().flatten());
        own.into_iter()
            .chain(choices.flat_map(|choice| self.types(choice)))
            .collect()
    }
}

impl<'a> Operation<'a> {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn answers(&self, status: &str) -> bool {
        self.told["responses"][status].is_object()
    }

    pub fn is_agents(&self) -> bool {
        self.path.starts_with("/v1/")
    }

    /// The status of fields and parameters that can't be taken.
    pub fn unfit(&self) -> u16 {
        let dialect = self.told["tags"][0].as_str().unwrap();
        if dialect.starts_with("Platform API") {
            422
        } else {
            400
        }
    }

    pub fn body(&self) -> &'a Value {
        &self.told["requestBody"]["content"]["application/json"]["schema"]
    }

    pub fn parameters(&self, place: &str) -> Vec<&'a Value> {
        let all = self.told["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place).collect()
    }

    /// Its path with this for each id.
    pub fn path_of(&self, id: &str) -> String {
        let segments = self.path.split('/');
        let segments = segments.map(|segment| {
            if segment.starts_with('{') {
                id
            } else {
                segment
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// How it is called.
    pub fn route(&self) -> Route {
        let is_it = |route: &Route| {
            route.method == self.method && format!("{}{}", route.prefix, route.path) == self.path
        };
        let found = routes().into_iter().find(is_it);
        found.unwrap_or_else(|| panic!("{} is in no table", self.name()))
    }
}

/// The phrase of an error, in either dialect.
#[track_caller]
pub fn phrase<'a>(operation: &Operation, answer: &'a Answer, status: u16) -> &'a str {
    let called = operation.name();
    assert_eq!(answer.status, status, "{called}: {}", answer.text);
    assert!(operation.answers(&status.to_string()), "{called}: {status}");
    if operation.is_agents() {
        text(answer.denies(status), "message")
    } else {
        let phrase = text(&answer.body, "error");
        answer.refuses(status, phrase);
        phrase
    }
}
