//! What WhatsApp and Messenger have in common: Meta's Graph API, its errors, and its hooks.

use domain::channels::{ChannelError, HookError, Inbound, Received, Secret};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{Api, Reply};
use crate::proof;

/// A request with the tenant's token.
pub(crate) async fn call(
    api: &Api,
    method: Method,
    path: &str,
    token: &Secret,
    body: Option<&Value>,
) -> Result<Value, ChannelError> {
    let reply = api.call(method, path, Some(token), body).await?;
    match (200..300).contains(&reply.status) && reply.body.is_object() {
        true => Ok(reply.body),
        false => Err(failure(api, &reply)),
    }
}

/// By the codes and subcodes of the Graph API
/// (<https://developers.facebook.com/docs/graph-api/guides/error-handling>), of the Cloud API
/// (<https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>) and of Messenger
/// (<https://developers.facebook.com/docs/messenger-platform/error-codes>). Statuses do not follow them.
fn failure(api: &Api, reply: &Reply) -> ChannelError {
    let error = &reply.body["error"];
    let subcode = error["error_subcode"].as_u64().unwrap_or_default();
    let Some(code) = error["code"].as_u64() else {
        return api.by_status(reply);
    };
    match (code, subcode) {
        (10, 2_018_065 | 2_018_108 | 2_018_278 | 2_534_022) | (131_047, _) => api.refused(
            "allows answers for 24 hours after the visitor's last message, and these are over",
        ),
        (100, 33 | 2_018_001)
        | (200, 1_545_041)
        | (551 | 130_472 | 130_497, _)
        | (131_021 | 131_026 | 131_030 | 131_049, _) => {
            api.refused("says that this person can't be reached from this account")
        }
        (0 | 102 | 190, _) => api.dead("does not accept the access token; it may have expired"),
        (3 | 10 | 200..=299, _) => api.dead("says that the access token lacks a permission"),
        (33 | 368 | 131_031 | 131_042 | 133_010, _) => {
            api.dead("has closed or restricted the account")
        }
        (4 | 17 | 32 | 613 | 80_006 | 80_007 | 130_429 | 131_048 | 131_056, _) => {
            api.busy(reply.retry_after)
        }
        (1 | 2 | 1_200 | 131_000 | 131_016 | 131_057, _) => api.later("has a fault of its own"),
        _ if reply.status >= 500 => api.by_status(reply),
        _ => api.invalid(&format!("refused the request (code {code})")),
    }
}

/// What came to a hook.
pub(crate) enum Hook<T> {
    /// A challenge, answered.
    Challenge(Received),
    /// Events.
    Events(T),
}

/// Answers the challenge with which a hook is set up, or takes signed events
/// (<https://developers.facebook.com/docs/graph-api/webhooks/getting-started>).
pub(crate) fn hook<T: DeserializeOwned>(
    inbound: &Inbound,
    app_secret: &Secret,
    verify_token: &Secret,
) -> Result<Hook<T>, HookError> {
    if inbound.method == "GET" {
        let given = inbound.parameter("hub.verify_token").unwrap_or_default();
        let subscribes = inbound.parameter("hub.mode") == Some("subscribe");
        if !(subscribes && proof::is_same(verify_token.expose(), given)) {
            return Err(HookError::Unsigned);
        }
        let challenge = inbound.parameter("hub.challenge");
        return Ok(Hook::Challenge(Received {
            answer: Some(challenge.unwrap_or_default().to_owned()),
            ..Received::default()
        }));
    }
    let signature = inbound.header("X-Hub-Signature-256").unwrap_or_default();
    let signature = signature.strip_prefix("sha256=").unwrap_or_default();
    if !proof::is_signed(app_secret, &[&inbound.body], signature) {
        return Err(HookError::Unsigned);
    }
    serde_json::from_slice(&inbound.body)
        .map(Hook::Events)
        .map_err(|_| HookError::Malformed("no events"))
}
