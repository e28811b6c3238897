//! The floor under HTTP: a bare actix-web handler that reads the same request and answers as many bytes.

use std::io::Write;

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, post};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Body {
    message: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    session: &'a str,
    message: &'a str,
    filling: &'a str,
}

#[post("/api/v1/conversations/{session_id}/messages")]
async fn send(session: Path<String>, body: Json<Body>, filling: Data<String>) -> HttpResponse {
    HttpResponse::Ok().json(Answer {
        session: &session,
        message: &body.message,
        filling: &filling,
    })
}

/// Serves until it is killed, with answers of about `bytes`; prints its address first.
pub fn serve(bytes: usize) -> anyhow::Result<()> {
    let filling = Data::new("x".repeat(bytes.saturating_sub(100)));
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().app_data(filling.clone()).service(send))
            .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
            .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            println!("{address}");
        }
        std::io::stdout().flush()?;
        Ok(server.run().await?)
    })
}
