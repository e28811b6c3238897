//! The web chat: pages of this server's own, so there is no platform to speak to.

use async_trait::async_trait;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelError, Connected, Connection, HookError, Inbound, OutboundMessage,
    Received, ReplyPath, SendFailure, SendLimits, Sent,
};

/// Always connected: visitors write through the API and read the answer there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Webchat;

#[async_trait]
impl ChannelAdapter for Webchat {
    fn kind(&self) -> ChannelType {
        ChannelType::Webchat
    }

    fn limits(&self) -> SendLimits {
        SendLimits::default()
    }

    async fn connect(&self, _: &Connection, _: &str) -> Result<Connected, ChannelError> {
        Ok(Connected {
            account: "Web chat".into(),
        })
    }

    async fn disconnect(&self, _: &Connection) -> Result<(), ChannelError> {
        Ok(())
    }

    /// Nobody has a reason to call this hook.
    fn receive(&self, _: &Connection, _: &Inbound) -> Result<Received, HookError> {
        Err(HookError::Unsigned)
    }

    /// The stored message is what the visitor's page shows.
    async fn send(&self, _: &Connection, _: &OutboundMessage) -> Result<Sent, SendFailure> {
        Ok(Sent::default())
    }

    async fn typing(&self, _: &Connection, _: &ReplyPath) -> Result<(), ChannelError> {
        Ok(())
    }
}
