//! Promises of [`domain::people::People`].

use domain::analytics::Days;
use domain::bots::{Bot, ChannelType};
use domain::conversations::Incoming;
use domain::leads::{Contact, CustomerOrder, Origin};
use domain::people::{Erasure, Named, Person};
use domain::visits::VisitKind;
use domain::{EndUserId, Error, Resource};

use super::Ports;
use super::given::{NOON, after, all, bot, id, incoming, no_bot, tenant_with_bot, turn_of};
use super::orders::new_order;
use super::visits::visit;

/// That a person of the bot is to be erased.
pub fn erasure(bot: &Bot, person: Person) -> Erasure {
    Erasure {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        person,
        created_at: NOON,
    }
}

/// Has somebody write to the bot, and answers who that is.
async fn write(
    s: &Ports,
    bot: &Bot,
    session: &str,
    channel: ChannelType,
    identifier: Option<&str>,
    email: Option<(&str, Origin)>,
) -> EndUserId {
    let mut message = Incoming {
        bot_id: Some(bot.id),
        channel: Some(channel),
        contact: email.map(|(email, origin)| Contact {
            lead_id: id(),
            email: email.into(),
            origin,
            consent: None,
        }),
        ..incoming(session, "Hello")
    };
    message.end_user.user_identifier = identifier.map(Into::into);
    let told = email.filter(|(_, origin)| *origin == Origin::Identity);
    message.end_user.user_email = told.map(|(email, _)| email.to_uppercase());
    turn_of(s, bot.tenant_id, &message).await;
    let found = s.conversations.find(bot.tenant_id, session).await.unwrap();
    found.unwrap().end_user.id
}

/// A person is found by any of their names, with all that lead on from there, within one bot.
pub async fn a_person_is_all_who_have_their_names_and_addresses(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let told = |email| Some((email, Origin::Identity));
    let (web, sms) = (ChannelType::Webchat, ChannelType::Sms);
    let one = write(s, &ada, "1", web, Some("zoe"), told("a@example.com")).await;
    let two = write(s, &ada, "2", sms, Some("zoe-2"), told("a@example.com")).await;
    let three = write(s, &ada, "3", web, Some("zoe-2"), told("b@example.com")).await;
    // Who wrote her address is not her.
    let written = Some(("b@example.com", Origin::Message));
    let friend = write(s, &ada, "4", web, Some("olga"), written).await;
    write(s, &other, "5", web, Some("zoe"), told("a@example.com")).await;
    let mut customers = vec![one, two, three];
    customers.sort();
    let zoe = Person {
        customers,
        identifiers: vec!["zoe".into(), "zoe-2".into()],
        emails: vec!["a@example.com".into(), "b@example.com".into()],
    };
    for named in [
        Named::Customer(one),
        Named::Customer(three),
        Named::Email("b@example.com".into()),
    ] {
        let found = s.people.find(tenant, ada.id, &named).await.unwrap();
        assert_eq!(found.as_ref(), Some(&zoe), "{named:?}");
        for (tenant, bot) in [(stranger, ada.id), (tenant, no_bot())] {
            let found = s.people.find(tenant, bot, &named).await.unwrap();
            assert_eq!(found, None, "{named:?}");
        }
    }
    let named = Named::Customer(friend);
    let found = s.people.find(tenant, ada.id, &named).await.unwrap();
    assert_eq!(found.unwrap().identifiers, ["olga"]);
    let named = Named::Customer(one);
    assert_eq!(s.people.find(tenant, other.id, &named).await.unwrap(), None);
}

/// Customers of one bot who have a name or an address in common are made one, in parts, and stay one.
pub async fn customers_who_turn_out_to_be_one_are_made_one(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let (web, sms) = (ChannelType::Webchat, ChannelType::Sms);
    let told = Some(("zoe@example.com", Origin::Identity));
    let written = Some(("zoe@example.com", Origin::Message));
    let first = write(s, &ada, "1", web, Some("zoe"), None).await;
    let second = write(s, &ada, "2", sms, Some("zoe-2"), told).await;
    write(s, &ada, "3", sms, Some("zoe-2"), None).await;
    let friend = write(s, &ada, "4", web, Some("olga"), written).await;
    let elsewhere = write(s, &other, "5", web, Some("zoe"), told).await;
    assert!(first != second);
    while s.people.merge(1).await.unwrap() {}
    let who = async |session: &str| {
        let found = s.conversations.find(tenant, session).await.unwrap();
        found.unwrap().end_user
    };
    assert_eq!((who("1").await.id, who("2").await.id), (first, second));
    // By an address that is entered in a form.
    let form = Contact {
        lead_id: id(),
        email: "zoe@example.com".into(),
        origin: Origin::Form,
        consent: None,
    };
    let talk = s.conversations.find(tenant, "1").await.unwrap().unwrap().id;
    let kept = s.leads.keep(tenant, ada.id, talk, &form, None, after(1));
    kept.await.unwrap();
    while s.people.merge(1).await.unwrap() {}
    for session in ["1", "2", "3"] {
        assert_eq!(who(session).await.id, first, "{session}");
    }
    assert_eq!((who("4").await.id, who("5").await.id), (friend, elsewhere));
    let order = CustomerOrder::Oldest;
    let customers = s
        .leads
        .customers(tenant, ada.id, order, all())
        .await
        .unwrap();
    assert_eq!(customers.total, 2);
    let leads = s.leads.leads(tenant, ada.id, all()).await.unwrap();
    assert_eq!((leads.total, leads.items[0].end_user_id), (1, first));
    // From now on, and by the client's name for them as well.
    assert_eq!(write(s, &ada, "6", sms, Some("zoe-2"), None).await, first);
    let named = write(s, &ada, "7", ChannelType::Email, Some("zoe"), None).await;
    assert_ne!(named, first);
    while s.people.merge(9).await.unwrap() {}
    assert_eq!(who("7").await.id, first);
    let mut order = new_order("1", 1, after(2));
    order.buyer.id = Some("zoe-2".into());
    let (order, _) = s.orders.record(tenant, ada.id, &order).await.unwrap();
    assert!(order.conversation_id.is_some());
    let found = s.people.find(tenant, ada.id, &Named::Customer(first)).await;
    assert_eq!(found.unwrap().unwrap().identifiers, ["zoe", "zoe-2"]);
}

/// An erasure goes a part at a time, and leaves orders of nobody and what is of others.
pub async fn a_person_is_erased_in_parts(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let told = Some(("zoe@example.com", Origin::Identity));
    for session in ["1", "2", "3"] {
        write(s, &ada, session, ChannelType::Webchat, Some("zoe"), told).await;
    }
    write(s, &ada, "olgas", ChannelType::Webchat, Some("olga"), None).await;
    let mut order = new_order("1", 4711, after(1));
    order.buyer.id = Some("zoe".into());
    s.orders.record(tenant, ada.id, &order).await.unwrap();
    let visits = [visit("1", VisitKind::ChatOpen, NOON)];
    s.visits.record(tenant, ada.id, &visits).await.unwrap();
    let named = Named::Email("zoe@example.com".into());
    let zoe = s
        .people
        .find(tenant, ada.id, &named)
        .await
        .unwrap()
        .unwrap();
    let kept = s.people.belongings(tenant, ada.id, &zoe).await.unwrap();
    assert_eq!((kept.customers.len(), kept.leads.len()), (1, 1));
    assert_eq!((kept.orders.len(), kept.visits.len()), (1, 1));
    let erasure = erasure(&ada, zoe.clone());
    s.people.begin_erasure(&erasure).await.unwrap();
    let mut parts = 1;
    while s.people.erase(&erasure, 2).await.unwrap() {
        parts += 1;
    }
    assert_eq!(parts, 3);
    assert_eq!(s.people.find(tenant, ada.id, &named).await.unwrap(), None);
    let kept = s.people.belongings(tenant, ada.id, &zoe).await.unwrap();
    assert_eq!(kept, domain::people::Belongings::default());
    let orders = s.orders.list(tenant, ada.id, all()).await.unwrap().items;
    assert_eq!(orders[0].buyer, domain::orders::Buyer::default());
    assert_eq!((orders[0].amount, orders[0].conversation_id), (4711, None));
    let today = Days {
        first: NOON.date(),
        last: NOON.date(),
    };
    let left = s.analytics.activity(tenant, ada.id, today).await.unwrap();
    assert_eq!((left.conversations, left.chat_opens), (1, 0));
}

/// An erasure that was begun is there to be gone on with until it is done.
pub async fn an_erasure_is_unfinished_until_its_last_part(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let zoe = write(s, &ada, "1", ChannelType::Sms, None, None).await;
    let named = Named::Customer(zoe);
    let person = s
        .people
        .find(tenant, ada.id, &named)
        .await
        .unwrap()
        .unwrap();
    let begun = erasure(&ada, person);
    let foreign = Erasure {
        bot_id: no_bot(),
        ..begun.clone()
    };
    let refused = s.people.begin_erasure(&foreign).await.unwrap_err();
    assert!(matches!(refused, Error::NotFound(Resource::Bot)));
    s.people.begin_erasure(&begun).await.unwrap();
    let second = Erasure {
        id: id(),
        created_at: after(1),
        ..begun.clone()
    };
    s.people.begin_erasure(&second).await.unwrap();
    let unfinished = async |before, limit| s.people.unfinished(before, limit).await.unwrap();
    assert_eq!(unfinished(NOON, 9).await, []);
    assert_eq!(unfinished(after(2), 1).await, std::slice::from_ref(&begun));
    assert_eq!(
        unfinished(after(2), 9).await,
        [begun.clone(), second.clone()]
    );
    while s.people.erase(&second, 9).await.unwrap() {}
    while s.people.erase(&begun, 9).await.unwrap() {}
    assert_eq!(unfinished(after(2), 9).await, []);
    // Done once more, it does no harm.
    assert!(!s.people.erase(&begun, 9).await.unwrap());
}
