//! Where settings come from: the environment, and the file.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use domain::plans::{Plan, PlanOverride};
use serde::Deserialize;

use super::SettingsError;

/// Every name there is, as in the file.
const NAMES: [&str; 33] = [
    "bind",
    "data_dir",
    "database_url",
    "llm_provider",
    "llm_base_url",
    "llm_api_key",
    "llm_model",
    "llm_fallback",
    "embeddings_provider",
    "embeddings_base_url",
    "embeddings_api_key",
    "embeddings_model",
    "embeddings_previous_provider",
    "embeddings_previous_base_url",
    "embeddings_previous_api_key",
    "embeddings_previous_model",
    "openai_api_key",
    "anthropic_api_key",
    "egress_allow",
    "webhook_retries",
    "abandon_after",
    "retrieval_cache_mb",
    "metrics_token",
    "trusted_proxies",
    "public_url",
    "telegram_url",
    "graph_url",
    "slack_url",
    "secret_keys",
    "log",
    "log_format",
    "otel_exporter_otlp_endpoint",
    "config",
];
/// Names that the environment writes without the prefix.
const PLAIN: [&str; 4] = [
    "database_url",
    "openai_api_key",
    "anthropic_api_key",
    "otel_exporter_otlp_endpoint",
];
const FILE: &str = "botwright.toml";

/// Where values come from.
pub(super) struct Source {
    environment: HashMap<String, String>,
    values: HashMap<String, String>,
}

impl Source {
    /// The environment and the file that it names, all names checked; and the file's changes to plans.
    pub(super) fn read(
        environment: HashMap<String, String>,
    ) -> Result<(Self, Vec<(Plan, PlanOverride)>), SettingsError> {
        let file = match environment.get("BOTWRIGHT_CONFIG") {
            Some(path) => read_file(Path::new(path))?,
            None if Path::new(FILE).exists() => read_file(Path::new(FILE))?,
            None => File::default(),
        };
        let source = Self {
            environment,
            values: file.values,
        };
        source.check_names()?;
        Ok((source, file.plans))
    }

    /// A value that is not blank: an empty variable is an unset one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self
            .environment
            .get(&variable(name))
            .or_else(|| self.values.get(name))?;
        (!value.trim().is_empty()).then(|| value.trim().to_owned())
    }

    /// A value of a type; `wanted` says what it should be.
    pub(super) fn parse<T: FromStr>(
        &self,
        name: &str,
        wanted: &str,
    ) -> Result<Option<T>, SettingsError> {
        let parse = |text: String| {
            text.parse().map_err(|_| {
                SettingsError::new(variable(name), format!("'{text}' is not {wanted}"))
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// One of some words.
    pub(super) fn choice(
        &self,
        name: &str,
        choices: &[&str],
    ) -> Result<Option<String>, SettingsError> {
        match self.text(name) {
            Some(text) if !choices.contains(&text.as_str()) => Err(SettingsError::new(
                variable(name),
                format!("'{text}' is not one of: {}", choices.join(", ")),
            )),
            text => Ok(text),
        }
    }

    /// A name that is not known is a mistake, and would otherwise be one that nobody notices.
    fn check_names(&self) -> Result<(), SettingsError> {
        let known = |name: &str| NAMES.contains(&name);
        let unknown_variables = self
            .environment
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(variable, _)| variable)
            .filter(|variable| {
                let name = variable.strip_prefix("BOTWRIGHT_");
                name.is_some_and(|name| !known(&name.to_ascii_lowercase()))
            })
            .cloned();
        let unknown_names = self.values.keys().filter(|name| !known(name));
        let first = unknown_variables
            .chain(unknown_names.map(|name| format!("{FILE}, '{name}'")))
            .min();
        first.map_or(Ok(()), |name| {
            Err(SettingsError::new(
                name,
                "there is no such setting in this version",
            ))
        })
    }
}

/// The variable of a setting.
pub(super) fn variable(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if PLAIN.contains(&name) {
        upper
    } else {
        format!("BOTWRIGHT_{upper}")
    }
}

#[derive(Default)]
struct File {
    values: HashMap<String, String>,
    plans: Vec<(Plan, PlanOverride)>,
}

fn read_file(path: &Path) -> Result<File, SettingsError> {
    let wrong = |problem: &dyn fmt::Display| {
        SettingsError::new(
            path.display().to_string(),
            problem.to_string().replace('\n', " "),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| wrong(&error.message()))?;
    let mut file = File::default();
    for (name, value) in table {
        match value {
            toml::Value::Table(plans) if name == "plans" => {
                for (plan, change) in plans {
                    let known = Plan::parse(&plan)
                        .ok_or_else(|| wrong(&format!("there is no plan '{plan}'")))?;
                    let change = PlanOverride::deserialize(change)
                        .map_err(|error| wrong(&format!("plan '{plan}': {}", error.message())))?;
                    file.plans.push((known, change));
                }
            }
            toml::Value::String(text) => {
                file.values.insert(name, text);
            }
            toml::Value::Integer(_) | toml::Value::Boolean(_) => {
                file.values.insert(name, value.to_string());
            }
            toml::Value::Array(list) if list.iter().all(toml::Value::is_str) => {
                let words: Vec<_> = list.iter().filter_map(toml::Value::as_str).collect();
                file.values.insert(name, words.join(","));
            }
            _ => {
                return Err(wrong(&format!(
                    "'{name}' is not a word, a number, a truth value or a list of words"
                )));
            }
        }
    }
    Ok(file)
}
