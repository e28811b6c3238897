use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::demo;
use crate::run::Server;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// Runs the server until it is told to stop.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = Telemetry::start(settings)?;
    let server = Server::start(settings).await?;
    told_to_stop().await?;
    server.stop().await;
    Ok(())
}

/// Runs the server with the demo in it.
pub async fn demo(settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = Telemetry::start(settings)?;
    let server = Server::start(settings).await?;
    let demo = demo::prepare(server.app(), &settings.data_dir).await?;
    println!(
        "{}",
        demo::instructions(&demo, &format!("http://{}", server.address()))
    );
    told_to_stop().await?;
    server.stop().await;
    Ok(())
}

async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals can't be had")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals can't be had")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
