//! Models of bots' owners: every request goes through the egress guard.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::answers::AnswerModel;
use domain::clock::Clock;
use domain::connections::{ConnectedModel, Connection, ConnectionKind, Credential, ModelFactory};
use domain::tool_models::ToolModel;
use domain::{ConnectionId, Error, Result, Timestamp};
use egress::{Egress, EgressError};
use url::Url;

use crate::remote::settings::{ApiKey, SettingsError};
use crate::webhook::Webhook;
use crate::{Anthropic, AnthropicSettings, OpenAi, OpenAiSettings};

/// Models remembered at most; past it, all are made anew.
const REMEMBERED: usize = 1_000;

/// A model, and since when its connection has been as it was made.
type Made = (Timestamp, ConnectedModel);

/// Makes models of connections, and remembers them, so that what one learnt about its provider (that it is down, what
/// it does not take) holds from one question to the next.
pub struct ConnectedModels {
    egress: Arc<Egress>,
    clock: Arc<dyn Clock>,
    made: Mutex<HashMap<ConnectionId, Made>>,
}

impl ConnectedModels {
    /// A factory whose models reach what the guard lets them.
    pub fn new(egress: Arc<Egress>, clock: Arc<dyn Clock>) -> Self {
        Self {
            egress,
            clock,
            made: Mutex::default(),
        }
    }

    fn make(
        &self,
        connection: &Connection,
        credential: Option<&Credential>,
    ) -> Result<ConnectedModel> {
        let api_key = credential.map(|credential| ApiKey::from(credential.reveal()));
        let missing = |field: &'static str| Error::missing(field);
        let base_url = connection.base_url.clone();
        match connection.kind {
            ConnectionKind::OpenAi | ConnectionKind::Ollama => {
                let defaults = OpenAiSettings::default();
                let (base_url, model) = if connection.kind == ConnectionKind::Ollama {
                    let base_url = base_url.ok_or_else(|| missing("base_url"))?;
                    let model = connection.model.clone();
                    (
                        compatible_side(&base_url),
                        model.ok_or_else(|| missing("model"))?,
                    )
                } else {
                    let model = connection.model.clone();
                    (
                        base_url.unwrap_or(defaults.base_url),
                        model.unwrap_or(defaults.model),
                    )
                };
                let settings = OpenAiSettings {
                    client: Some(self.client(&base_url)?),
                    base_url,
                    api_key,
                    model,
                    limits: defaults.limits,
                };
                Ok(with_tools(OpenAi::new(settings).map_err(wrong)?))
            }
            ConnectionKind::Anthropic => {
                let defaults = AnthropicSettings::default();
                let base_url = base_url.unwrap_or_else(|| defaults.base_url.clone());
                let settings = AnthropicSettings {
                    client: Some(self.client(&base_url)?),
                    base_url,
                    api_key,
                    model: connection
                        .model
                        .clone()
                        .unwrap_or_else(|| defaults.model.clone()),
                    ..defaults
                };
                Ok(with_tools(Anthropic::new(settings).map_err(wrong)?))
            }
            ConnectionKind::Webhook => {
                let address = base_url.ok_or_else(|| missing("base_url"))?;
                let client = self.client(&address)?;
                // What is not signed, an endpoint can't tell from anybody's.
                let secret = credential.ok_or_else(|| missing("api_key"))?.reveal();
                let model = connection.model.clone();
                let clock = Arc::clone(&self.clock);
                let made = Webhook::new(parse(&address)?, secret, model, clock, client);
                Ok(ConnectedModel {
                    answers: Arc::new(made.map_err(wrong)?),
                    tools: None,
                })
            }
        }
    }

    fn client(&self, address: &str) -> Result<reqwest::Client> {
        let guarded = self.egress.client(&parse(address)?);
        guarded.map_err(|error| match error {
            EgressError::Closed => Error::invalid(
                "base_url",
                "The 'base_url' field must lead to the public Internet; the operator can open other networks.",
            ),
            other => Error::invalid("base_url", other.to_string()),
        })
    }
}

/// A model that answers and calls tools alike: what it learnt about its provider holds for both.
fn with_tools(model: impl AnswerModel + ToolModel + 'static) -> ConnectedModel {
    let model = Arc::new(model);
    ConnectedModel {
        answers: model.clone(),
        tools: Some(model),
    }
}

fn parse(address: &str) -> Result<Url> {
    Url::parse(address.trim()).map_err(|_| {
        Error::invalid(
            "base_url",
            "The 'base_url' field must be an absolute URL, such as https://host/v1.",
        )
    })
}

/// Ollama speaks OpenAI's dialect under `/v1`; its owners know its address without that.
fn compatible_side(address: &str) -> String {
    let address = address.trim().trim_end_matches('/');
    match address.ends_with("/v1") {
        true => address.to_owned(),
        false => format!("{address}/v1"),
    }
}

fn wrong(error: SettingsError) -> Error {
    let field = match &error {
        SettingsError::BaseUrl(_) => "base_url",
        SettingsError::ApiKey(_) => "api_key",
        SettingsError::Model => "model",
        SettingsError::Limit(_) | SettingsError::Client(_) => return Error::internal(error),
    };
    Error::invalid(
        field,
        format!("The '{field}' field can't be used: {error}."),
    )
}

impl ModelFactory for ConnectedModels {
    fn model(
        &self,
        connection: &Connection,
        credential: Option<&Credential>,
    ) -> Result<ConnectedModel> {
        let since = connection.updated_at;
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, model)) = made().get(&connection.id)
            && *at == since
        {
            return Ok(model.clone());
        }
        let model = self.make(connection, credential)?;
        let mut made = made();
        if made.len() >= REMEMBERED {
            made.clear();
        }
        made.insert(connection.id, (since, model.clone()));
        Ok(model)
    }
}
