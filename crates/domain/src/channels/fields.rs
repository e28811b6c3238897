//! Reads the fields of a JSON object one by one, and refuses those that nobody asked for.

use serde_json::{Map, Value};

use super::Secret;
use crate::{Error, Result};

/// The longest value, in characters.
const VALUE_MAX: usize = 500;
/// The longest secret, in characters: platforms' tokens have a few hundred.
const SECRET_MAX: usize = 2_000;

/// The fields of an object that are not read yet.
pub(super) struct Fields<'a> {
    /// The object's own name: errors say `settings.from`.
    object: &'static str,
    left: Map<String, Value>,
    known: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// An object's; null and absent (as `Value::Null`) have none.
    pub fn of(object: &'static str, value: &Value) -> Result<Self> {
        let left = match value {
            Value::Null => Map::new(),
            Value::Object(fields) => fields.clone(),
            _ => {
                let problem = format!("The '{object}' field must be an object.");
                return Err(Error::invalid(object, problem));
            }
        };
        Ok(Self {
            object,
            left,
            known: Vec::new(),
        })
    }

    /// A text that may be absent, null or blank. Blank ends, as copying leaves them, are cut off.
    pub fn optional(&mut self, name: &'a str) -> Result<Option<String>> {
        self.text(name, VALUE_MAX)
    }

    /// A text that must be there.
    pub fn required(&mut self, name: &'a str) -> Result<String> {
        let text = self.optional(name)?;
        text.ok_or_else(|| Error::missing(self.path(name)))
    }

    /// A text that must be there and be of a form, which `form` says in words: "must be ...".
    pub fn formed(&mut self, name: &'a str, form: &str, is: fn(&str) -> bool) -> Result<String> {
        let text = self.required(name)?;
        match is(&text) {
            true => Ok(text),
            false => Err(self.invalid(name, form)),
        }
    }

    /// A secret that may be absent.
    pub fn optional_secret(&mut self, name: &'a str) -> Result<Option<Secret>> {
        let secret = self.text(name, SECRET_MAX)?;
        // It goes into headers, whose values these are (RFC 9110, 5.5).
        if secret
            .as_deref()
            .is_some_and(|s| !s.bytes().all(|b| (0x20..0x7f).contains(&b)))
        {
            return Err(self.invalid(name, "must hold printable ASCII characters only"));
        }
        Ok(secret.map(Secret::new))
    }

    /// A secret that must be there.
    pub fn secret(&mut self, name: &'a str) -> Result<Secret> {
        let secret = self.optional_secret(name)?;
        secret.ok_or_else(|| Error::missing(self.path(name)))
    }

    /// A port that may be absent.
    pub fn port(&mut self, name: &'a str) -> Result<Option<u16>> {
        self.known.push(name);
        match self.left.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
                let port = port.filter(|port| *port > 0);
                let error = || self.invalid(name, "must be a number from 1 to 65535");
                port.map(Some).ok_or_else(error)
            }
        }
    }

    /// To be called when all are read.
    pub fn end(self) -> Result<()> {
        let Some(name) = self.left.keys().next() else {
            return Ok(());
        };
        let accepted = match self.known.is_empty() {
            true => "there are none here".to_owned(),
            false => format!("accepted are: {}", self.known.join(", ")),
        };
        // The client's own name is not repeated as a path: it may be of any length.
        let name: String = name.chars().take(64).collect();
        Err(Error::invalid(
            self.object,
            format!(
                "The '{}' object has no field '{name}'; {accepted}.",
                self.object
            ),
        ))
    }

    /// A value of the wrong form; `form` goes on after the field's name.
    pub fn invalid(&self, name: &str, form: &str) -> Error {
        let path = self.path(name);
        let problem = format!("The '{path}' field {form}.");
        Error::invalid(path, problem)
    }

    fn text(&mut self, name: &'a str, max: usize) -> Result<Option<String>> {
        self.known.push(name);
        let text = match self.left.remove(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(_) => return Err(self.invalid(name, "must be text")),
        };
        let text = text.trim();
        if text.chars().count() > max {
            let form = format!("must be at most {max} characters long");
            return Err(self.invalid(name, &form));
        }
        // A line's end in a mail's header, or NUL in a store, is somebody's trick.
        if text.chars().any(char::is_control) {
            return Err(self.invalid(name, "must not contain control characters"));
        }
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.object)
    }
}
