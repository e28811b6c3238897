use channels::Webchat;
use contracts::channels::{HOOK_URL, NOW};
use domain::bots::ChannelType;
use domain::channels::{
    CHANNEL_KINDS, ChannelAdapter, ChannelCredentials, ChannelSettings, Connection, HookError,
    Inbound, ReplyPath, Sent,
};
use egress::Egress;
use serde_json::json;

use crate::outbound;

#[tokio::test]
async fn the_web_chat_is_always_connected_and_has_no_hook() {
    let settings = ChannelSettings::read(ChannelType::Webchat, &json!({})).unwrap();
    let connection = Connection::new(settings, ChannelCredentials::Webchat).unwrap();
    Webchat.connect(&connection, HOOK_URL).await.unwrap();
    let message = outbound(&ReplyPath::default(), "At nine.");
    assert_eq!(
        Webchat.send(&connection, &message).await,
        Ok(Sent::default())
    );
    Webchat.typing(&connection, &message.reply).await.unwrap();
    Webchat.disconnect(&connection).await.unwrap();
    let inbound = Inbound {
        method: "POST".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
        received_at: NOW,
    };
    assert_eq!(
        Webchat.receive(&connection, &inbound),
        Err(HookError::Unsigned)
    );
}

#[test]
fn every_kind_has_its_adapter() {
    let shut = Egress::new(Vec::new()).unwrap();
    let adapters = channels::adapters(&channels::Endpoints::default(), std::sync::Arc::new(shut));
    let kinds: Vec<_> = adapters
        .unwrap()
        .iter()
        .map(|adapter| adapter.kind())
        .collect();
    assert_eq!(kinds, CHANNEL_KINDS);
}
