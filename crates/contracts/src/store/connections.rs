//! Promises of [`domain::connections::Connections`].

use domain::bots::Bot;
use domain::connections::{CONNECTIONS_MAX, Connection, ConnectionKind, ConnectionStatus};
use domain::{Clash, Error, Resource};

use super::Ports;
use super::given::{NOON, after, id, no_bot, tenant_with_bot};
use super::races::at_once;

/// A connection that is not kept yet.
pub fn new(bot: &Bot) -> Connection {
    Connection {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        name: "Ours \u{1f600}".into(),
        kind: ConnectionKind::OpenAi,
        base_url: Some("https://models.example/v1".into()),
        model: Some("small".into()),
        credential: Some(vec![0, 1, 255]),
        enabled: true,
        failures: 0,
        error: None,
        failed_at: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A connection that is kept.
pub async fn connection(s: &Ports, bot: &Bot) -> Connection {
    let connection = new(bot);
    s.connections.create(&connection).await.unwrap();
    connection
}

/// A connection is kept as it is, listed with its bot's, oldest first, and counted at the bot.
pub async fn a_connection_is_kept(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let bare = Connection {
        base_url: None,
        model: None,
        credential: None,
        kind: ConnectionKind::Webhook,
        enabled: false,
        created_at: after(1),
        ..new(&bot)
    };
    let full = new(&bot);
    for connection in [&bare, &full] {
        s.connections.create(connection).await.unwrap();
        let found = s.connections.find(tenant, connection.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(connection));
    }
    let listed = s.connections.of_bot(tenant, bot.id).await.unwrap();
    assert_eq!(listed, [full.clone(), bare.clone()]);
    let counted = s.bots.find(tenant, bot.id).await.unwrap().unwrap();
    assert_eq!(counted.connections, 2);
    let taken = s.connections.create(&full).await;
    assert!(matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))));
    let homeless = Connection {
        id: id(),
        bot_id: no_bot(),
        ..full.clone()
    };
    let refused = s.connections.create(&homeless).await;
    assert!(matches!(refused, Err(Error::NotFound(Resource::Bot))));
    assert!(s.connections.delete(tenant, full.id).await.unwrap());
    assert!(!s.connections.delete(tenant, full.id).await.unwrap());
    let counted = s.bots.find(tenant, bot.id).await.unwrap().unwrap();
    assert_eq!(counted.connections, 1);
}

/// What its owner changes is written whole, and it begins anew.
pub async fn a_changed_connection_has_not_failed(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let connection = new(&bot);
    s.connections.create(&connection).await.unwrap();
    s.connections
        .record(tenant, connection.id, Some("No."), after(1))
        .await
        .unwrap();
    let changed = Connection {
        name: "Other".into(),
        base_url: None,
        credential: None,
        enabled: false,
        updated_at: after(2),
        ..connection
    };
    let kept = s.connections.update(&changed).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&changed));
    assert_eq!(s.connections.find(tenant, changed.id).await.unwrap(), kept);
    let gone = Connection {
        id: id(),
        ..changed
    };
    assert_eq!(s.connections.update(&gone).await.unwrap(), None);
}

/// Failures are counted until it works again.
pub async fn failures_in_a_row_are_counted(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let connection = new(&bot);
    s.connections.create(&connection).await.unwrap();
    let record = async |error, second| {
        let recorded = s
            .connections
            .record(tenant, connection.id, error, after(second));
        recorded.await.unwrap()
    };
    for failures in 1..=3 {
        assert_eq!(
            record(Some("It is down."), failures).await,
            Some(failures as u32)
        );
    }
    let found = s
        .connections
        .find(tenant, connection.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.status(), ConnectionStatus::Failed);
    assert_eq!(found.error.as_deref(), Some("It is down."));
    assert_eq!(found.failed_at, Some(after(3)));
    assert_eq!(record(None, 4).await, Some(0));
    let found = s.connections.find(tenant, connection.id).await.unwrap();
    assert_eq!(found, Some(connection));
    let none = s.connections.record(tenant, id(), None, NOON).await;
    assert_eq!(none.unwrap(), None);
}

/// However many are made at once, a bot has no more than it may.
pub async fn a_bot_has_so_many_connections_and_no_more(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let owner = bot.clone();
    let made = at_once(s, CONNECTIONS_MAX * 2, move |s, _| {
        let connection = new(&owner);
        async move { s.connections.create(&connection).await }
    })
    .await;
    let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| made.is_ok());
    assert_eq!((good.len(), bad.len()), (CONNECTIONS_MAX, CONNECTIONS_MAX));
    for refused in bad {
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    let kept = s.connections.of_bot(tenant, bot.id).await.unwrap();
    assert_eq!(kept.len(), CONNECTIONS_MAX);
}

/// Another tenant sees, changes and deletes nothing; a bot takes its connections along.
pub async fn tenants_have_their_own_connections(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (thief, _) = tenant_with_bot(s).await;
    let connection = new(&bot);
    s.connections.create(&connection).await.unwrap();
    let id = connection.id;
    assert_eq!(s.connections.find(thief, id).await.unwrap(), None);
    assert!(
        s.connections
            .of_bot(thief, bot.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(!s.connections.delete(thief, id).await.unwrap());
    let recorded = s.connections.record(thief, id, Some("No."), NOON).await;
    assert_eq!(recorded.unwrap(), None);
    let forged = Connection {
        tenant_id: thief,
        name: "Theirs".into(),
        ..connection.clone()
    };
    assert_eq!(s.connections.update(&forged).await.unwrap(), None);
    let found = s.connections.find(tenant, id).await.unwrap();
    assert_eq!(found, Some(connection));
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(s.connections.find(tenant, id).await.unwrap(), None);
}
