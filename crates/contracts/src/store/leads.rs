//! Promises of [`domain::leads::Leads`].

use domain::bots::Bot;
use domain::conversations::{EndUserDetails, Incoming};
use domain::leads::{Contact, CustomerOrder, Origin};
use domain::messages::Message;
use domain::{Error, Resource, TenantId, Timestamp};

use super::Ports;
use super::given::{after, all, bot, id, incoming, page, received, tenant_with_bot};

/// A message with an address, from a person of this name.
pub async fn given(
    s: &Ports,
    bot: &Bot,
    session: &str,
    (name, email): (Option<&str>, &str),
    at: Timestamp,
) -> Message {
    let message = Incoming {
        at,
        bot_id: Some(bot.id),
        end_user: EndUserDetails {
            user_identifier: Some(email.into()),
            user_name: name.map(Into::into),
            user_email: None,
        },
        contact: Some(contact(email, None)),
        ..incoming(session, "Question?")
    };
    received(s, bot.tenant_id, &message).await.message
}

fn contact(email: &str, consent: Option<bool>) -> Contact {
    Contact {
        lead_id: id(),
        email: email.into(),
        origin: Origin::Message,
        consent,
    }
}

/// A bot has one lead of an address: of the first conversation, with the name and consent given last.
pub async fn an_address_is_kept_once_with_its_first_conversation(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let first = given(s, &ada, "one", (None, "zoe@example.com"), after(1)).await;
    given(s, &ada, "two", (Some("Zoe"), "zoe@example.com"), after(2)).await;
    given(s, &ada, "three", (None, "zoe@example.com"), after(3)).await;
    given(s, &other, "four", (None, "zoe@example.com"), after(4)).await;
    let leads = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!(leads.total, 1);
    let lead = &leads.items[0];
    assert_eq!(
        (lead.email.as_str(), lead.name.as_deref(), lead.consent),
        ("zoe@example.com", Some("Zoe"), None)
    );
    assert_eq!(lead.conversation_id, first.conversation_id);
    assert_eq!((lead.created_at, lead.origin), (after(1), Origin::Message));
    let leads = s.leads.leads(tenant, other.id, all()).await.unwrap();
    assert_eq!(leads.total, 1);
}

/// What is entered in a form is kept like an address that was written; in another bot's conversation it is not.
pub async fn a_form_is_kept_in_its_bots_conversations_only(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let first = given(s, &ada, "one", (None, "zoe@example.com"), after(1)).await;
    let talk = first.conversation_id;
    let form = |email: &str, consent| Contact {
        origin: Origin::Form,
        ..contact(email, consent)
    };
    let new = form("new@example.com", Some(true));
    let lead = s
        .leads
        .keep(tenant, ada.id, talk, &new, Some("Zoe"), after(2));
    let lead = lead.await.unwrap();
    assert_eq!((lead.id, lead.conversation_id), (new.lead_id, talk));
    assert_eq!((lead.origin, lead.consent), (Origin::Form, Some(true)));
    let known = form("zoe@example.com", Some(false));
    let lead = s.leads.keep(tenant, ada.id, talk, &known, None, after(3));
    let lead = lead.await.unwrap();
    assert_eq!((lead.origin, lead.created_at), (Origin::Message, after(1)));
    assert_eq!(lead.consent, Some(false));
    let refused = s.leads.keep(tenant, other.id, talk, &new, None, after(4));
    let refusal = refused.await.unwrap_err();
    assert!(matches!(refusal, Error::NotFound(Resource::Conversation)));
    let leads = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!(leads.total, 2);
    let leads = s.leads.leads(tenant, other.id, all()).await.unwrap();
    assert_eq!(leads.total, 0);
}

/// An address that comes with a later message of a conversation is kept, and a consent stays until it is changed.
pub async fn an_address_comes_with_later_messages_too(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    for (second, consent) in [None, Some(true), None].into_iter().enumerate() {
        let message = Incoming {
            at: after(second as i64),
            contact: (second > 0).then(|| contact("zoe@example.com", consent)),
            ..incoming("session", "Question?")
        };
        received(s, tenant, &message).await;
    }
    let leads = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!((leads.total, leads.items[0].consent), (1, Some(true)));
    assert_eq!(leads.items[0].created_at, after(1));
    let refusal = Incoming {
        contact: Some(contact("zoe@example.com", Some(false))),
        ..incoming("session", "No.")
    };
    received(s, tenant, &refusal).await;
    let leads = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!(leads.items[0].consent, Some(false));
}

async fn names(s: &Ports, tenant: TenantId, bot: &Bot, order: CustomerOrder) -> Vec<String> {
    let listed = s.leads.customers(tenant, bot.id, order, all()).await;
    let people = listed.unwrap().items.into_iter();
    people
        .map(|customer| customer.end_user.name.unwrap_or_default())
        .collect()
}

/// Those who talked to a bot are listed in the order asked for, and nobody else.
pub async fn customers_are_listed_in_their_orders(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (stranger, theirs) = tenant_with_bot(s).await;
    let people = [Some("bob"), None, Some("Carol"), Some("Anna")];
    for (second, name) in people.into_iter().enumerate() {
        let email = format!("{second}@example.com");
        let session = second.to_string();
        given(s, &ada, &session, (name, &email), after(second as i64)).await;
    }
    given(s, &theirs, "1", (Some("Dora"), "d@example.com"), after(9)).await;
    for (order, expected) in [
        (CustomerOrder::NameAscending, ["Anna", "bob", "Carol", ""]),
        (CustomerOrder::NameDescending, ["Carol", "bob", "Anna", ""]),
        (CustomerOrder::Oldest, ["bob", "", "Carol", "Anna"]),
        (CustomerOrder::Newest, ["Anna", "Carol", "", "bob"]),
    ] {
        assert_eq!(names(s, tenant, &ada, order).await, expected, "{order}");
    }
    let part = s
        .leads
        .customers(tenant, ada.id, CustomerOrder::Oldest, page(2, 2))
        .await
        .unwrap();
    assert_eq!((part.items.len(), part.total), (2, 4));
    assert_eq!(part.items[0].created_at, after(2));
    let none = names(s, stranger, &ada, CustomerOrder::Newest).await;
    assert!(none.is_empty());
}

/// A bot's leads are listed newest first, are nobody else's, and go with it.
pub async fn leads_are_listed_newest_first_and_go_with_their_bot(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    for (second, email) in ["a@example.com", "b@example.com"].into_iter().enumerate() {
        given(s, &ada, email, (None, email), after(second as i64)).await;
    }
    let listed = s.leads.leads(tenant, ada.id, page(1, 1)).await.unwrap();
    assert_eq!(
        (listed.items[0].email.as_str(), listed.total),
        ("b@example.com", 2)
    );
    let none = s.leads.leads(stranger, ada.id, all()).await.unwrap();
    assert_eq!(none.total, 0);
    s.bots.delete(tenant, ada.id).await.unwrap();
    let none = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!(none.total, 0);
}
