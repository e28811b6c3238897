//! Promises of [`domain::orders::Orders`].

use domain::analytics::Days;
use domain::bots::Bot;
use domain::conversations::ConversationFilter;
use domain::orders::{AMOUNT_MAX, ATTRIBUTION_WINDOW, Buyer, Currency, DailyRevenue, Order};
use domain::{Error, Resource, TenantId, Timestamp};
use time::Duration;

use super::Ports;
use super::given::{NOON, after, all, bot, id, no_bot, page, tenant_with_bot};
use super::leads;
use super::races::at_once;

/// An order that is not kept yet.
pub fn new_order(external_id: &str, amount: i64, at: Timestamp) -> Order {
    Order {
        id: id(),
        external_id: external_id.into(),
        amount,
        currency: Currency::parse("EUR").unwrap(),
        buyer: Buyer::default(),
        conversation_id: None,
        ordered_at: at,
        created_at: at,
    }
}

fn by(email: &str, order: Order) -> Order {
    let buyer = Buyer {
        email: Some(email.into()),
        ..Buyer::default()
    };
    Order { buyer, ..order }
}

/// A bot's order of an external id is kept once, as it was first told.
pub async fn an_order_is_kept_once(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let buyer = Buyer {
        id: Some("42".into()),
        email: Some("zoe@example.com".into()),
        name: Some("Zoë".into()),
    };
    let order = Order {
        buyer,
        ..new_order("A-1", AMOUNT_MAX, NOON)
    };
    let kept = s.orders.record(tenant, ada.id, &order).await.unwrap();
    assert_eq!(kept, (order.clone(), true));
    let again = new_order("A-1", 5, after(9));
    let kept = s.orders.record(tenant, ada.id, &again).await.unwrap();
    assert_eq!(kept, (order.clone(), false));
    let kept = s.orders.record(tenant, other.id, &again).await.unwrap();
    assert_eq!(kept, (again, true));
    let listed = s.orders.list(tenant, ada.id, all()).await.unwrap();
    assert_eq!(listed.items, [order]);
}

/// An order that is told many times at once is kept once.
pub async fn orders_told_at_once_are_kept_once(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let told = at_once(s, 20, move |s, number| async move {
        let order = new_order("A-1", number as i64, NOON);
        s.orders.record(tenant, ada.id, &order).await.unwrap()
    });
    let told = told.await;
    assert_eq!(told.iter().filter(|(_, is_new)| *is_new).count(), 1);
    assert!(told.iter().all(|(order, _)| *order == told[0].0));
}

/// An order goes to the conversation named, or else to the buyer's latest, which has then led to an order.
pub async fn an_order_goes_to_the_conversation_that_led_to_it(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let mut talks = Vec::new();
    for (second, session) in ["one", "two", "three"].into_iter().enumerate() {
        let email = ["zoe@example.com", "zoe@example.com", "bob@example.com"][second];
        let message = leads::given(s, &ada, session, (None, email), after(second as i64)).await;
        talks.push(message.conversation_id);
    }
    let record = async |order: Order| {
        let (kept, _) = s.orders.record(tenant, ada.id, &order).await.unwrap();
        kept.conversation_id
    };
    let purchased = async || {
        let filter = ConversationFilter {
            purchased: Some(true),
            ..Default::default()
        };
        let listed = s.conversations.list(tenant, &filter, all()).await.unwrap();
        listed
            .items
            .into_iter()
            .map(|talk| talk.id)
            .collect::<Vec<_>>()
    };
    let order = by("zoe@example.com", new_order("1", 100, after(10)));
    assert_eq!(record(order).await, Some(talks[1]));
    assert_eq!(purchased().await, [talks[1]]);
    let buyer = Buyer {
        id: Some("bob@example.com".into()),
        ..Buyer::default()
    };
    let order = Order {
        buyer,
        ..new_order("2", 100, after(10))
    };
    assert_eq!(record(order).await, Some(talks[2]));
    let named = Order {
        conversation_id: Some(talks[0]),
        ..by("bob@example.com", new_order("3", 100, after(10)))
    };
    assert_eq!(record(named).await, Some(talks[0]));
    assert_eq!(purchased().await.len(), 3);
    let nobodys = by("nobody@example.com", new_order("4", 100, after(10)));
    assert_eq!(record(nobodys).await, None);
    assert_eq!(record(new_order("5", 100, after(10))).await, None);
}

/// A conversation counts for as long as the window says.
pub async fn a_conversation_too_long_ago_led_to_nothing(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let email = "zoe@example.com";
    let message = leads::given(s, &ada, "one", (None, email), NOON).await;
    let talk = message.conversation_id;
    let late = NOON + ATTRIBUTION_WINDOW + Duration::SECOND;
    let early = NOON - Duration::SECOND;
    for (number, at, expected) in [
        (1, NOON + ATTRIBUTION_WINDOW, Some(talk)),
        (2, late, None),
        (3, early, None),
    ] {
        let order = by(email, new_order(&number.to_string(), 1, at));
        let (kept, _) = s.orders.record(tenant, ada.id, &order).await.unwrap();
        assert_eq!(kept.conversation_id, expected, "{number}");
    }
    let named = Order {
        conversation_id: Some(talk),
        ..new_order("4", 1, late)
    };
    let (kept, _) = s.orders.record(tenant, ada.id, &named).await.unwrap();
    assert_eq!(kept.conversation_id, None);
}

/// An order of a bot that does not exist, or of a conversation that is not the bot's, is refused.
pub async fn an_order_needs_its_bot_and_conversation(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (_, theirs) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    for bot in [no_bot(), theirs.id] {
        let refused = s.orders.record(tenant, bot, &new_order("1", 1, NOON)).await;
        assert!(
            matches!(refused, Err(Error::NotFound(Resource::Bot))),
            "{refused:?}"
        );
    }
    let elsewhere = leads::given(s, &other, "one", (None, "a@example.com"), NOON).await;
    let foreign = leads::given(s, &theirs, "one", (None, "a@example.com"), NOON).await;
    for conversation in [elsewhere.conversation_id, foreign.conversation_id, id()] {
        let order = Order {
            conversation_id: Some(conversation),
            ..new_order("2", 1, NOON)
        };
        let refused = s.orders.record(tenant, ada.id, &order).await;
        assert!(
            matches!(refused, Err(Error::NotFound(Resource::Conversation))),
            "{refused:?}"
        );
    }
    assert_eq!(s.orders.list(tenant, ada.id, all()).await.unwrap().total, 0);
}

async fn make(s: &Ports, tenant: TenantId, bot: &Bot, order: Order) {
    s.orders.record(tenant, bot.id, &order).await.unwrap();
}

/// A bot's orders are listed newest first and summed by day and currency, are nobody else's, and go with it.
pub async fn orders_are_listed_newest_first_and_summed_by_day(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let tomorrow = NOON + Duration::DAY;
    let yen = Currency::parse("JPY").unwrap();
    make(s, tenant, &ada, new_order("1", 100, NOON)).await;
    make(s, tenant, &ada, new_order("2", 250, after(1))).await;
    make(s, tenant, &ada, new_order("3", 7, tomorrow)).await;
    let order = Order {
        currency: yen,
        ..new_order("4", 9_000, after(2))
    };
    make(s, tenant, &ada, order).await;
    let listed = s.orders.list(tenant, ada.id, page(1, 2)).await.unwrap();
    let names: Vec<_> = listed
        .items
        .iter()
        .map(|o| o.external_id.as_str())
        .collect();
    assert_eq!((names, listed.total), (vec!["3", "4"], 4));
    let first = s.orders.first(tenant, ada.id).await.unwrap();
    assert_eq!(first.unwrap().external_id, "1");
    assert_eq!(s.orders.first(stranger, ada.id).await.unwrap(), None);
    let days = Days {
        first: NOON.date(),
        last: tomorrow.date(),
    };
    let sum = |day: Timestamp, currency, amount, orders| DailyRevenue {
        day: day.date(),
        currency,
        amount,
        orders,
    };
    let euro = Currency::parse("EUR").unwrap();
    let expected = [
        sum(NOON, euro, 350, 2),
        sum(NOON, yen, 9_000, 1),
        sum(tomorrow, euro, 7, 1),
    ];
    let revenue = s.orders.revenue(tenant, ada.id, days).await.unwrap();
    assert_eq!(revenue, expected);
    let today = Days {
        last: NOON.date(),
        ..days
    };
    let revenue = s.orders.revenue(tenant, ada.id, today).await.unwrap();
    assert_eq!(revenue, expected[..2]);
    let none = s.orders.revenue(stranger, ada.id, days).await.unwrap();
    assert!(none.is_empty());
    assert_eq!(
        s.orders.list(stranger, ada.id, all()).await.unwrap().total,
        0
    );
    s.bots.delete(tenant, ada.id).await.unwrap();
    assert_eq!(s.orders.list(tenant, ada.id, all()).await.unwrap().total, 0);
}
