//! People who talk to a bot, and the addresses that they give.

use async_trait::async_trait;

use crate::bots::ChannelType;
use crate::conversations::EndUser;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::{BotId, ConversationId, EndUserId, Error, LeadId, Result, TenantId, Timestamp};

named! {
    /// How an address came to be known.
    Origin {
        /// Told with the message, by a client that knows the person.
        Identity = "identity",
        /// Written in the message.
        Message = "message",
        /// Entered in a form that the chat showed.
        Form = "form",
    }
}

named! {
    /// In which order to list people.
    CustomerOrder {
        /// By name; those without one last.
        NameAscending = "a-z",
        /// By name, backwards; those without one last.
        NameDescending = "z-a",
        /// Who came first, first.
        Oldest = "oldest",
        /// Who came last, first.
        Newest = "newest",
    }
}

/// An address that comes with a message, or in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The id for the lead, if the bot does not know the address yet.
    pub lead_id: LeadId,
    /// The e-mail address, in lower case.
    pub email: String,
    /// How it came.
    pub origin: Origin,
    /// Whether the person agreed to be written to; `None`: not said.
    pub consent: Option<bool>,
}

/// An e-mail address that a person gave a bot. A bot has one lead of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// The person.
    pub end_user_id: EndUserId,
    /// Where it was given first. The conversation may be gone.
    pub conversation_id: ConversationId,
    /// The address, in lower case.
    pub email: String,
    /// The person's name, where it is known.
    pub name: Option<String>,
    /// How it came first.
    pub origin: Origin,
    /// Whether the person agreed to be written to, as last said; `None`: never said.
    pub consent: Option<bool>,
    /// When it was given first.
    pub created_at: Timestamp,
}

/// A person who talked to a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The person.
    pub end_user: EndUser,
    /// Where they talked.
    pub channel: ChannelType,
    /// When they first did.
    pub created_at: Timestamp,
}

/// Where people and their addresses are kept. Most come with messages
/// ([`crate::conversations::Conversations::receive`]).
#[async_trait]
pub trait Leads: Send + Sync {
    /// A page of those who talked to a bot.
    async fn customers(
        &self,
        tenant: TenantId,
        bot: BotId,
        order: CustomerOrder,
        page: PageRequest,
    ) -> Result<Page<Customer>>;
    /// Keeps an address that was entered in a form during a conversation of the bot. Of an address that the bot knows, only
    /// the name and the consent are taken, where they are given.
    ///
    /// # Errors
    /// [`Error::NotFound`]: the conversation is not the bot's.
    async fn keep(
        &self,
        tenant: TenantId,
        bot: BotId,
        conversation: ConversationId,
        contact: &Contact,
        name: Option<&str>,
        at: Timestamp,
    ) -> Result<Lead>;
    /// A page of a bot's leads, newest first.
    async fn leads(&self, tenant: TenantId, bot: BotId, page: PageRequest) -> Result<Page<Lead>>;
}

/// The longest address that mail can be sent to (RFC 5321, 4.5.3.1).
const EMAIL_MAX: usize = 254;

/// An e-mail address in lower case; `None` for what can't be one. Quoted and international ones are not taken.
pub fn email(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let is_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let is_address = text.len() <= EMAIL_MAX
        && (1..=64).contains(&local.len())
        && local.chars().all(is_local)
        && local.split('.').all(|part| !part.is_empty())
        && host.contains('.')
        && host.split('.').all(is_label)
        && !host.ends_with(|c: char| c.is_ascii_digit());
    is_address.then(|| text.to_ascii_lowercase())
}

/// [`email`] of a client's field of that name.
///
/// # Errors
/// [`Error::Invalid`].
pub fn read_email(text: &str) -> Result<String> {
    let problem = "The 'email' field must be an e-mail address.";
    email(text).ok_or_else(|| Error::invalid("email", problem))
}

/// The first e-mail address that is written in a text.
pub fn email_in(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    let apart = |c: char| c.is_whitespace() || "<>()[],;:\"".contains(c);
    text.split(apart).find_map(|word| {
        let word = word.strip_prefix("mailto:").unwrap_or(word);
        email(word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
    })
}

/// Whether an address, in lower case, is written in a text: in any case, and not as a part of a longer one.
pub fn holds_email(text: &str, email: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_+-.".contains(c);
    text.match_indices(email).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + email.len()..]);
        // The end of a sentence is no part of an address.
        let after = after.trim_start_matches('.');
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_in_what_people_write() {
        for (text, found) in [
            (
                "I am at Zoe.Miller@Example.com.",
                Some("zoe.miller@example.com"),
            ),
            ("<a@b.co>, or c@d.org", Some("a@b.co")),
            (
                "mail: x+tag@mail.example.co.uk!",
                Some("x+tag@mail.example.co.uk"),
            ),
            ("(mailto:zoe@example.com)", Some("zoe@example.com")),
            ("meet @noon or a@b", None),
            ("a@@b.com", None),
            ("price@10.00", None),
            ("no address", None),
        ] {
            assert_eq!(email_in(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn an_address_is_no_part_of_a_longer_one() {
        let email = "zoe@example.com";
        for (text, holds) in [
            ("zoe@example.com", true),
            (r#"{"customer":"Zoe@Example.com"}"#, true),
            ("mailto:zoe@example.com?subject=Hello", true),
            ("azoe@example.com, and zoe@example.com.", true),
            ("azoe@example.com", false),
            ("a.zoe@example.com", false),
            ("zoe@example.com.au", false),
            ("zoe@example.community", false),
            ("zoe@example", false),
        ] {
            assert_eq!(holds_email(text, email), holds, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_without_panic(text in ".*@.*") {
            if let Some(found) = email_in(&text) {
                prop_assert_eq!(email(&found), Some(found));
            }
        }
    }
}
