//! How long `TestServer::start()` takes, in milliseconds, a line for each start. The first one is left out:
//! it also pays for what the process does once.
#![allow(missing_docs, reason = "an example has no public items")]

use std::time::Instant;

use testkit::TestServer;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let postgres = arguments
        .get(1)
        .is_some_and(|engine| engine == "PostgreSQL");
    let starts = arguments
        .get(2)
        .and_then(|starts| starts.parse().ok())
        .unwrap_or(3);
    for start in 0..=starts {
        let began = Instant::now();
        let server = if postgres {
            TestServer::start_postgres().await
        } else {
            TestServer::start().await
        };
        if start > 0 {
            println!("{:.2}", began.elapsed().as_secs_f64() * 1000.0);
        }
        server.stop().await;
    }
}
