//! What a tenant sets about a channel: settings, which are shown again, and credentials, which never are.

use serde_json::{Value, json};
use validator::ValidateEmail;

use super::CHANNEL_KINDS;
use super::fields::Fields;
use super::secret::Secret;
use crate::bots::ChannelType;
use crate::named::named;
use crate::{Error, Result};

/// The shortest secret that a tenant may think of, in characters; those that platforms give are longer.
const OWN_SECRET_MIN: usize = 16;

named! {
    /// How the connection to a mail server is kept from readers.
    MailSecurity {
        /// TLS from the first byte (RFC 8314, 3.3), by default at port 465.
        Tls = "tls",
        /// TLS before anything is said (RFC 3207), by default at port 587. A server that can't is not used.
        Starttls = "starttls",
        /// Not at all, by default at port 25: for a relay on a network of one's own.
        None = "none",
    }
}

/// The part that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelSettings {
    /// Nothing to set.
    Webchat,
    /// Nothing to set: the token says which bot it is.
    Telegram,
    /// See [`WhatsappSettings`].
    Whatsapp(WhatsappSettings),
    /// See [`MessengerSettings`].
    Messenger(MessengerSettings),
    /// Nothing to set: the token says which workspace it is.
    Slack,
    /// See [`EmailSettings`].
    Email(EmailSettings),
}

/// Which of an account's numbers it is: an app's hook is told of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatsappSettings {
    /// Meta's id of the number, digits; not the number itself.
    pub phone_number_id: String,
}

/// Which of an app's pages it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessengerSettings {
    /// Meta's id of the page, digits.
    pub page_id: String,
}

/// How mail goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// The sender's address, which visitors write to.
    pub from: String,
    /// The sender's name.
    pub from_name: Option<String>,
    /// The mail server: a name or an address. Any host that the tenant likes, so it is reached through the egress
    /// guard alone.
    pub smtp_host: String,
    /// Its port.
    pub smtp_port: u16,
    /// Who logs in there; `None`: nobody.
    pub smtp_user: Option<String>,
    /// How the connection is kept from readers.
    pub security: MailSecurity,
}

impl ChannelSettings {
    /// Reads a client's object, or one that was kept ([`ChannelSettings::to_json`]).
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Invalid`], naming the field as `settings.NAME`; for fields that the kind does not
    /// have too, and for kinds that are not of [`CHANNEL_KINDS`].
    pub fn read(kind: ChannelType, value: &Value) -> Result<Self> {
        const NUMBER: &str = "must be the platform's id: digits only";
        let mut fields = Fields::of("settings", value)?;
        let settings = match kind {
            ChannelType::Webchat => Self::Webchat,
            ChannelType::Telegram => Self::Telegram,
            ChannelType::Slack => Self::Slack,
            ChannelType::Whatsapp => Self::Whatsapp(WhatsappSettings {
                phone_number_id: fields.formed("phone_number_id", NUMBER, is_number)?,
            }),
            ChannelType::Messenger => Self::Messenger(MessengerSettings {
                page_id: fields.formed("page_id", NUMBER, is_number)?,
            }),
            ChannelType::Email => Self::Email(EmailSettings::read(&mut fields)?),
            _ => return Err(no_adapter()),
        };
        fields.end()?;
        Ok(settings)
    }

    /// Which kind of channel they are of.
    pub const fn kind(&self) -> ChannelType {
        match self {
            Self::Webchat => ChannelType::Webchat,
            Self::Telegram => ChannelType::Telegram,
            Self::Whatsapp(_) => ChannelType::Whatsapp,
            Self::Messenger(_) => ChannelType::Messenger,
            Self::Slack => ChannelType::Slack,
            Self::Email(_) => ChannelType::Email,
        }
    }

    /// The object that they are read from, with the defaults filled in.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Webchat | Self::Telegram | Self::Slack => json!({}),
            Self::Whatsapp(own) => json!({"phone_number_id": own.phone_number_id}),
            Self::Messenger(own) => json!({"page_id": own.page_id}),
            Self::Email(own) => json!({
                "from": own.from,
                "from_name": own.from_name,
                "smtp_host": own.smtp_host,
                "smtp_port": own.smtp_port,
                "smtp_user": own.smtp_user,
                "security": own.security,
            }),
        }
    }
}

impl EmailSettings {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let address = "must be an e-mail address in ASCII";
        let host = "must be a host name or an IP address, without a port";
        let from = fields.formed("from", address, |text| {
            text.is_ascii() && text.validate_email()
        })?;
        let from_name = fields.optional("from_name")?;
        let smtp_host = fields.formed("smtp_host", host, is_host)?;
        let smtp_port = fields.port("smtp_port")?;
        let smtp_user = fields.optional("smtp_user")?;
        let security = match fields.optional("security")? {
            Some(word) => MailSecurity::read("settings.security", &word)?,
            None => MailSecurity::Tls,
        };
        Ok(Self {
            from,
            from_name,
            smtp_host,
            smtp_port: smtp_port.unwrap_or(match security {
                MailSecurity::Tls => 465,
                MailSecurity::Starttls => 587,
                MailSecurity::None => 25,
            }),
            smtp_user,
            security,
        })
    }
}

/// The part that is encrypted at rest, and shown to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelCredentials {
    /// Nothing to keep.
    Webchat,
    /// See [`TelegramCredentials`].
    Telegram(TelegramCredentials),
    /// See [`WhatsappCredentials`].
    Whatsapp(WhatsappCredentials),
    /// See [`MessengerCredentials`].
    Messenger(MessengerCredentials),
    /// See [`SlackCredentials`].
    Slack(SlackCredentials),
    /// See [`EmailCredentials`].
    Email(EmailCredentials),
}

/// Of a Telegram bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramCredentials {
    /// From BotFather: the bot's number, a colon, and letters, digits, `_` and `-`.
    pub bot_token: Secret,
}

/// Of an app for the WhatsApp Cloud API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatsappCredentials {
    /// Of a system user, so that it does not expire.
    pub access_token: Secret,
    /// What Meta signs its requests with.
    pub app_secret: Secret,
    /// What Meta shows when the hook is set up in its pages: the tenant's own invention.
    pub verify_token: Secret,
}

/// Of an app for Messenger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessengerCredentials {
    /// Of the page.
    pub page_access_token: Secret,
    /// What Meta signs its requests with.
    pub app_secret: Secret,
    /// What Meta shows when the hook is set up in its pages: the tenant's own invention.
    pub verify_token: Secret,
}

/// Of a Slack app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackCredentials {
    /// `xoxb-...`, from the app's installation.
    pub bot_token: Secret,
    /// What Slack signs its requests with.
    pub signing_secret: Secret,
}

/// Of a mail server and of a mail gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailCredentials {
    /// For [`EmailSettings::smtp_user`].
    pub smtp_password: Option<Secret>,
    /// What the gateway signs its requests with, or gives as a password: the tenant's own invention.
    pub hook_secret: Secret,
}

impl ChannelCredentials {
    /// Reads a client's object, or one that was kept ([`ChannelCredentials::expose`]).
    ///
    /// # Errors
    /// As [`ChannelSettings::read`], naming the field as `credentials.NAME`; a value is never repeated.
    pub fn read(kind: ChannelType, value: &Value) -> Result<Self> {
        let mut fields = Fields::of("credentials", value)?;
        let credentials = match kind {
            ChannelType::Webchat => Self::Webchat,
            ChannelType::Telegram => {
                let form = "must be a bot token as BotFather gives it, such as 123456:ABC-DEF";
                let bot_token = fields.formed("bot_token", form, is_telegram_token)?;
                Self::Telegram(TelegramCredentials {
                    bot_token: Secret::new(bot_token),
                })
            }
            ChannelType::Whatsapp => Self::Whatsapp(WhatsappCredentials {
                access_token: fields.secret("access_token")?,
                app_secret: fields.secret("app_secret")?,
                verify_token: own_secret(&mut fields, "verify_token")?,
            }),
            ChannelType::Messenger => Self::Messenger(MessengerCredentials {
                page_access_token: fields.secret("page_access_token")?,
                app_secret: fields.secret("app_secret")?,
                verify_token: own_secret(&mut fields, "verify_token")?,
            }),
            ChannelType::Slack => Self::Slack(SlackCredentials {
                bot_token: fields.secret("bot_token")?,
                signing_secret: fields.secret("signing_secret")?,
            }),
            ChannelType::Email => Self::Email(EmailCredentials {
                smtp_password: fields.optional_secret("smtp_password")?,
                hook_secret: own_secret(&mut fields, "hook_secret")?,
            }),
            _ => return Err(no_adapter()),
        };
        fields.end()?;
        Ok(credentials)
    }

    /// Which kind of channel they are of.
    pub const fn kind(&self) -> ChannelType {
        match self {
            Self::Webchat => ChannelType::Webchat,
            Self::Telegram(_) => ChannelType::Telegram,
            Self::Whatsapp(_) => ChannelType::Whatsapp,
            Self::Messenger(_) => ChannelType::Messenger,
            Self::Slack(_) => ChannelType::Slack,
            Self::Email(_) => ChannelType::Email,
        }
    }

    /// The object that they are read from, in the clear: to be encrypted, and for nothing else.
    pub fn expose(&self) -> Value {
        match self {
            Self::Webchat => json!({}),
            Self::Telegram(own) => json!({"bot_token": own.bot_token.expose()}),
            Self::Whatsapp(own) => json!({
                "access_token": own.access_token.expose(),
                "app_secret": own.app_secret.expose(),
                "verify_token": own.verify_token.expose(),
            }),
            Self::Messenger(own) => json!({
                "page_access_token": own.page_access_token.expose(),
                "app_secret": own.app_secret.expose(),
                "verify_token": own.verify_token.expose(),
            }),
            Self::Slack(own) => json!({
                "bot_token": own.bot_token.expose(),
                "signing_secret": own.signing_secret.expose(),
            }),
            Self::Email(own) => json!({
                "smtp_password": own.smtp_password.as_ref().map(Secret::expose),
                "hook_secret": own.hook_secret.expose(),
            }),
        }
    }
}

/// What an adapter needs to speak to a platform for a tenant: settings and credentials of the same kind that fit
/// together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    settings: ChannelSettings,
    credentials: ChannelCredentials,
}

impl Connection {
    /// Both, if they fit.
    ///
    /// # Errors
    /// [`Error::Missing`] for a mail server's user without a password; [`Error::Invalid`] for a password without a
    /// user, and for different kinds.
    pub fn new(settings: ChannelSettings, credentials: ChannelCredentials) -> Result<Self> {
        if settings.kind() != credentials.kind() {
            let problem = "The 'credentials' field is for another kind of channel.";
            return Err(Error::invalid("credentials", problem));
        }
        if let (ChannelSettings::Email(own), ChannelCredentials::Email(keys)) =
            (&settings, &credentials)
        {
            match (&own.smtp_user, &keys.smtp_password) {
                (Some(_), None) => return Err(Error::missing("credentials.smtp_password")),
                (None, Some(_)) => return Err(Error::missing("settings.smtp_user")),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        Ok(Self {
            settings,
            credentials,
        })
    }

    /// Which kind of channel it is.
    pub const fn kind(&self) -> ChannelType {
        self.settings.kind()
    }

    /// The part that may be shown.
    pub const fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    /// The part that may not.
    pub const fn credentials(&self) -> &ChannelCredentials {
        &self.credentials
    }
}

/// A secret that the tenant has thought of: it must not be easy to guess.
fn own_secret<'a>(fields: &mut Fields<'a>, name: &'a str) -> Result<Secret> {
    let secret = fields.secret(name)?;
    if secret.expose().chars().count() < OWN_SECRET_MIN {
        let form = format!("must be at least {OWN_SECRET_MIN} characters long");
        return Err(fields.invalid(name, &form));
    }
    Ok(secret)
}

/// Reads a client's `type`.
///
/// # Errors
/// [`Error::Invalid`], naming [`CHANNEL_KINDS`].
pub fn read_kind(word: &str) -> Result<ChannelType> {
    let kind = ChannelType::parse(word).filter(|kind| CHANNEL_KINDS.contains(kind));
    kind.ok_or_else(no_adapter)
}

fn no_adapter() -> Error {
    let kinds: Vec<_> = CHANNEL_KINDS.iter().map(|kind| kind.as_str()).collect();
    let problem = format!("The 'type' field must be one of: {}.", kinds.join(", "));
    Error::invalid("type", problem)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names, IPv4 and IPv6 addresses; what they lead to is the egress guard's question.
fn is_host(text: &str) -> bool {
    let is_name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        text.len() <= 253 && text.bytes().all(allowed)
    };
    is_name(text) || text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// It becomes a part of an address, so nothing else may be in it.
fn is_telegram_token(text: &str) -> bool {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split_once(':').is_some_and(|(number, key)| {
        !number.is_empty() && is_number(number) && !key.is_empty() && key.bytes().all(is_key)
    })
}

#[cfg(test)]
mod tests;
