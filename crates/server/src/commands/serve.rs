use std::io::Write;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::demo;
use crate::run::Server;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// Runs the server until it is told to stop.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = Telemetry::start(settings)?;
    let stop = Stop::listen()?;
    let server = Server::start(settings).await?;
    stop.told().await;
    server.stop().await;
    Ok(())
}

/// Runs the server with the demo in it.
pub async fn demo(settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = Telemetry::start(settings)?;
    let stop = Stop::listen()?;
    let server = Server::start(settings).await?;
    let demo = demo::prepare(server.app(), &settings.data_dir).await?;
    let instructions = demo::instructions(&demo, &format!("http://{}", server.address()));
    // Whoever closed the pipe has read enough; that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{instructions}");
    stop.told().await;
    server.stop().await;
    Ok(())
}

/// The signals that end the server in good order.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From now on they no longer end the process at once.
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals can't be had");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them.
    async fn told(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
