//! JSON Schemas of strangers, made plain: without references, so that checking a value against one takes time by its size.

use serde_json::{Map, Value};

use crate::tools::SCHEMA_MAX;

/// How deep references and values lead at most: a schema that names itself has no end.
const DEPTH: usize = 24;
/// What a reference leads through at most.
const STEPS: usize = 8;
/// Words that have a validator look somewhere else, or again and again.
const REFUSED: [&str; 5] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Where definitions stand that references lead to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// What a reference within the document leads to; anything else as it is.
pub fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..STEPS {
        let target = value["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'));
        match target.and_then(|pointer| document.pointer(pointer)) {
            Some(found) => value = found,
            None => break,
        }
    }
    value
}

/// How much may be made of a document's parts: references can make much of little.
#[derive(Debug)]
pub struct Budget(usize);

impl Default for Budget {
    /// As much as one tool may have ([`SCHEMA_MAX`]).
    fn default() -> Self {
        Self(SCHEMA_MAX)
    }
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

/// A schema of a document with its references followed. `None`: it has no end, is too large, leads elsewhere, or has words
/// that only the evaluation of others gives a meaning.
pub fn plain(document: &Value, schema: &Value, budget: &mut Budget) -> Option<Value> {
    inlined(document, schema, DEPTH, budget)
}

fn inlined(document: &Value, schema: &Value, depth: usize, budget: &mut Budget) -> Option<Value> {
    let deeper = depth.checked_sub(1)?;
    Some(match followed(document, schema) {
        Value::Object(fields) => {
            let mut whole = Map::new();
            for (name, value) in fields {
                if DEFINITIONS.contains(&name.as_str()) {
                    continue;
                }
                if REFUSED.contains(&name.as_str()) {
                    return None;
                }
                budget.take(name.len() + 4)?;
                whole.insert(name.clone(), inlined(document, value, deeper, budget)?);
            }
            Value::Object(whole)
        }
        Value::Array(items) => {
            budget.take(2)?;
            let items = items
                .iter()
                .map(|item| inlined(document, item, deeper, budget));
            Value::Array(items.collect::<Option<_>>()?)
        }
        Value::String(text) => {
            budget.take(text.len() + 3)?;
            Value::String(text.clone())
        }
        other => {
            budget.take(5)?;
            other.clone()
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(schema: &Value) -> Option<Value> {
        plain(schema, schema, &mut Budget::default())
    }

    #[test]
    fn references_are_followed() {
        let schema = json!({ "type": "object", "properties": { "to": { "$ref": "#/$defs/Address" } },
            "$defs": { "Address": { "type": "object", "properties": { "zip": { "$ref": "#/$defs/Zip" } } },
                "Zip": { "type": "string" } } });
        assert_eq!(
            made(&schema),
            Some(
                json!({ "type": "object", "properties": { "to": { "type": "object", "properties":
                { "zip": { "type": "string" } } } } })
            )
        );
    }

    #[test]
    fn what_has_no_end_or_doubles_is_refused() {
        let doubling = |levels: usize| {
            let level = |n: usize| {
                let next = format!("#/$defs/d{}", n + 1);
                json!({ "allOf": [{ "$ref": next }, { "$ref": next }] })
            };
            let mut all: Map<String, Value> =
                (0..levels).map(|n| (format!("d{n}"), level(n))).collect();
            all.insert(format!("d{levels}"), json!({}));
            json!({ "$ref": "#/$defs/d0", "$defs": all })
        };
        assert!(made(&doubling(2)).is_some());
        for wrong in [
            doubling(23),
            json!({ "$defs": { "A": { "items": { "$ref": "#/$defs/A" } } }, "items": { "$ref": "#/$defs/A" } }),
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "$ref": "#" }),
            json!({ "properties": { "a": { "unevaluatedProperties": false } } }),
            json!({ "description": "x".repeat(SCHEMA_MAX) }),
        ] {
            assert_eq!(made(&wrong), None, "{wrong}");
        }
    }
}
