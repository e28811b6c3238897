//! Speaking to the tenant's mail server.

use domain::channels::{ChannelError, EmailCredentials, EmailSettings, MailSecurity};
use egress::{Egress, EgressError};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::stream;

/// Logs in, and that is all.
pub(super) async fn check(
    egress: &Egress,
    settings: &EmailSettings,
    keys: &EmailCredentials,
) -> Result<(), ChannelError> {
    let mut server = open(egress, settings, keys).await?;
    let answered = server.command(Noop).await;
    answered.map_err(|error| passing(&error))?;
    let _ = server.quit().await;
    Ok(())
}

/// Sends a mail to one address.
pub(super) async fn send(
    egress: &Egress,
    settings: &EmailSettings,
    keys: &EmailCredentials,
    to: &Address,
    mail: &[u8],
) -> Result<(), ChannelError> {
    let mut server = open(egress, settings, keys).await?;
    // Step by step, since the same code means something else at each.
    let from = settings.from.parse().ok();
    let step = server.command(Mail::new(from, Vec::new())).await;
    step.map_err(|error| match error.is_permanent() {
        true => dead("does not take mail from the sender's address", &error),
        false => passing(&error),
    })?;
    let step = server.command(Rcpt::new(to.clone(), Vec::new())).await;
    step.map_err(|error| match error.is_permanent() {
        true => ChannelError::Refused(sentence(
            "does not take mail for the visitor's address",
            &error,
        )),
        false => passing(&error),
    })?;
    let step = server.command(Data).await;
    step.map_err(|error| refusal(&error))?;
    let step = server.message(mail).await;
    step.map_err(|error| refusal(&error))?;
    // It is sent; whether the server takes its leave is its affair.
    let _ = server.quit().await;
    Ok(())
}

/// A connection to an address that the guard has checked, secured and logged in.
async fn open(
    egress: &Egress,
    settings: &EmailSettings,
    keys: &EmailCredentials,
) -> Result<AsyncSmtpConnection, ChannelError> {
    let resolved = egress
        .resolve(&settings.smtp_host, settings.smtp_port)
        .await;
    let addresses = resolved.map_err(|refusal| match refusal {
        EgressError::Closed => ChannelError::Dead(refusal.to_string()),
        _ => ChannelError::later(refusal.to_string()),
    })?;
    let me = introduction(settings);
    let host = match settings.security {
        MailSecurity::Tls => Some(&*settings.smtp_host),
        MailSecurity::Starttls | MailSecurity::None => None,
    };
    let stream = stream::open(&addresses, host).await?;
    let opened = AsyncSmtpConnection::connect_with_transport(stream, &me).await;
    let mut server = opened.map_err(|error| passing(&error))?;
    if settings.security == MailSecurity::Starttls {
        if !server.can_starttls() {
            return Err(ChannelError::Dead(
                "The mail server does not offer STARTTLS.".into(),
            ));
        }
        let tls = TlsParameters::new(settings.smtp_host.clone()).map_err(|_| stream::no_name())?;
        server
            .starttls(tls, &me)
            .await
            .map_err(|error| passing(&error))?;
    }
    if let (Some(user), Some(password)) = (&settings.smtp_user, &keys.smtp_password) {
        let login = Credentials::new(user.clone(), password.expose().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let done = server.auth(&mechanisms, &login).await;
        done.map_err(|error| match error.is_permanent() || error.is_client() {
            true => dead("does not accept the user and password", &error),
            false => passing(&error),
        })?;
    }
    Ok(server)
}

/// By the sender's domain, as it may know no better name of itself.
fn introduction(settings: &EmailSettings) -> ClientId {
    match settings.from.rsplit_once('@') {
        Some((_, domain)) if domain.is_ascii() => ClientId::Domain(domain.to_owned()),
        _ => ClientId::default(),
    }
}

/// The server's words about a mail that it has seen.
fn refusal(error: &Error) -> ChannelError {
    match error.is_permanent() {
        true => ChannelError::Invalid(sentence("does not take this mail", error)),
        false => passing(error),
    }
}

fn dead(what: &str, error: &Error) -> ChannelError {
    ChannelError::Dead(sentence(what, error))
}

fn passing(error: &Error) -> ChannelError {
    let what = if error.status().is_some() {
        "is busy"
    } else if error.is_tls() {
        "has no valid certificate, or speaks no TLS at this port"
    } else {
        "could not be reached, or broke the connection off"
    };
    ChannelError::later(sentence(what, error))
}

/// With the server's code, and without its words, which may hold what it was told.
fn sentence(what: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("The mail server {what} ({code})."),
        None => format!("The mail server {what}."),
    }
}
