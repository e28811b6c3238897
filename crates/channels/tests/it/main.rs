//! The adapters against their port's promises, and against what their platforms do beside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod email;
mod messenger;
mod slack;
mod telegram;
mod webchat;
mod whatsapp;

use domain::channels::{
    ChannelAdapter, Connection, Inbound, InboundMessage, OutboundMessage, ReplyPath,
};

/// The messages of a genuine request.
fn messages(
    adapter: &impl ChannelAdapter,
    connection: &Connection,
    inbound: &Inbound,
) -> Vec<InboundMessage> {
    adapter.receive(connection, inbound).unwrap().messages
}

/// A message to be sent.
fn outbound(reply: &ReplyPath, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: "0190163d-8694-739b-aea5-966c26f8ad91".into(),
        reply: reply.clone(),
        text: text.into(),
        skip: 0,
    }
}

/// The question with which Meta's hooks are set up.
fn challenge(mode: &str, token: &str) -> Inbound {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Inbound {
        method: "GET".into(),
        query: vec![
            pair("hub.mode", mode),
            pair("hub.challenge", "1158201444"),
            pair("hub.verify_token", token),
        ],
        headers: Vec::new(),
        body: Vec::new(),
        received_at: contracts::channels::NOW,
    }
}
