//! What the engines' tests share, and what must be the same for both.

use std::time::Duration;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use domain::jobs::{JobKind, JobQueue};
use domain::knowledge::{CrawlPlan, Edition, KnowledgeIndex, KnowledgeSources};
use domain::learning::Learning;
use domain::plans::Plan;
use domain::tenants::Tenant;
use domain::websites::CrawlScope;
use time::macros::datetime;
use uuid::Uuid;

use crate::Target;
use crate::schema::TABLES;

const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A tenant whose id is the number.
pub(crate) fn tenant(number: u32) -> Tenant {
    Tenant {
        id: uuid(number.into()).into(),
        name: format!("Tenant {number}"),
        plan: Plan::Free,
        is_active: true,
        created_at: datetime!(2026-01-01 12:00 UTC),
        updated_at: datetime!(2026-01-01 12:00 UTC),
    }
}

/// A statement for every table, which fails where a column that the schema knows is not there.
pub(crate) fn selects() -> Vec<String> {
    TABLES
        .iter()
        .map(|(table, columns)| format!("SELECT {} FROM {table} LIMIT 0", columns.join(", ")))
        .collect()
}

/// What a database held before there were readings: a site, a text and a file that waits to be read. `id` and `time`
/// write values as the engine does.
pub(crate) fn before_readings(id: fn(u128) -> String, time: &str) -> String {
    let (tenant, bot) = (id(1), id(2));
    let source = |number, kind, status, pages, failures| {
        format!(
            "INSERT INTO knowledge_sources VALUES ({tenant}, {}, {bot}, 'Name', '{kind}', '{status}', NULL, 'One', \
             NULL, NULL, {pages}, '{failures}', 7, 2, 3, {time}, {time});",
            id(number)
        )
    };
    let chunk = |source, index| {
        format!(
            "INSERT INTO knowledge_chunks VALUES ({tenant}, {}, {index}, {}, {bot}, 'Chunk {index}', NULL, NULL, \
             NULL, {time});",
            id(source),
            id(source * 10 + index)
        )
    };
    [
        format!("INSERT INTO tenants VALUES ({tenant}, 'Acme', 'free', true, 1, {time}, {time});"),
        format!(
            "INSERT INTO bots VALUES ({tenant}, {bot}, 'Ada', 'website', NULL, NULL, NULL, 'en', NULL, NULL, true, \
             true, 3, {time}, {time});"
        ),
        source(3, "url", "ready", "4", r#"[{"url":"u","reason":"r"}]"#),
        source(4, "text", "ready", "NULL", "[]"),
        source(5, "file", "processing", "NULL", "[]"),
        chunk(3, 0),
        chunk(3, 1),
        chunk(4, 0),
        format!("INSERT INTO jobs VALUES ({tenant}, {}, 'read_file', {}, 0, {time}, NULL, {time});", id(6), id(5)),
    ]
    .concat()
}

/// What a database held before there was learning, beside what [`before_readings`] makes: a conversation.
pub(crate) fn before_learning(id: fn(u128) -> String, time: &str, json: &str) -> String {
    let (tenant, bot, person, talk) = (id(1), id(2), id(7), id(8));
    let message = |seq, number, author| {
        format!(
            "INSERT INTO messages VALUES ({tenant}, {talk}, {seq}, {}, '{author}', 'text', {json}, 'Words', {json}, \
             NULL, {time});",
            id(number)
        )
    };
    [
        format!("INSERT INTO end_users VALUES ({tenant}, {person}, {bot}, 'api', NULL, NULL, NULL, {time});"),
        format!(
            "INSERT INTO conversations VALUES ({tenant}, {talk}, {bot}, 's', 'api', 'active', {person}, {json}, 2, \
             'bot', {time}, 0, {time}, NULL, {time});"
        ),
        message(1, 9, "user"),
        message(2, 10, "bot"),
    ]
    .concat()
}

/// After the migration all of it is there to be learned from.
pub(crate) async fn check_before_learning<S: Learning>(store: &S) {
    let now = datetime!(2026-01-02 12:00 UTC);
    let due = store.due(now, 9).await.unwrap().unwrap();
    assert_eq!(due.conversations, [uuid(8).into()]);
    let unread = store.unread(&due, 9).await.unwrap().unwrap();
    assert_eq!(unread.conversations[0].messages[0].text, "Words");
}

/// After the migration all of that is there as it was, and can be read again.
pub(crate) async fn check_after_readings<S: KnowledgeSources + KnowledgeIndex + JobQueue>(
    store: &S,
) {
    let (tenant, bot) = (uuid(1).into(), uuid(2).into());
    let find = async |number| {
        let found = store.find(tenant, uuid(number).into()).await;
        found.unwrap().unwrap().source
    };
    let site = find(3).await;
    let plan = CrawlPlan {
        include_subpages: true,
        scope: CrawlScope::Origin,
        max_pages: 5,
        resync_hours: None,
    };
    assert_eq!(site.crawl, Some(plan));
    assert_eq!(site.synced_at, Some(site.created_at));
    assert_eq!(
        (site.failures.len(), site.failures[0].reason.as_str()),
        (1, "r")
    );
    let text = find(4).await;
    assert_eq!(
        (text.crawl, text.synced_at, text.failures.len()),
        (None, None, 0)
    );
    assert!(site.enabled && text.enabled);
    let indexed = store.sources(tenant, bot).await.unwrap();
    assert_eq!(
        indexed
            .iter()
            .map(|source| source.revision)
            .collect::<Vec<_>>(),
        [3, 3]
    );
    let chunks = store.chunks_of(tenant, site.id).await.unwrap();
    let contents: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk.draft.content.as_str())
        .collect();
    assert_eq!(contents, ["Chunk 0", "Chunk 1"]);
    let by_id = KnowledgeIndex::chunks(store, tenant, &[uuid(40).into()])
        .await
        .unwrap();
    assert_eq!(by_id[0].source_id, text.id);

    let draft = store.begin(tenant, site.id).await.unwrap().unwrap();
    let edition = Edition::default();
    assert!(
        store
            .publish(draft, &edition, site.created_at)
            .await
            .unwrap()
    );
    assert!(store.chunks_of(tenant, site.id).await.unwrap().is_empty());
    for expected in [JobKind::SweepSource, JobKind::ReadFile] {
        let job = store
            .lease(
                JobKind::LANES[0],
                site.created_at,
                Duration::from_secs(60),
                &[],
            )
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.kind, expected);
    }
    assert!(store.sweep(tenant, site.id).await.unwrap());
    assert!(!store.sweep(tenant, site.id).await.unwrap());
}

#[test]
fn both_engines_have_the_same_migrations() {
    let sqlite = MigrationSource::<Sqlite>::migrations(&crate::sqlite::MIGRATIONS).unwrap();
    let postgres = MigrationSource::<Pg>::migrations(&crate::postgres::MIGRATIONS).unwrap();
    let sqlite: Vec<_> = sqlite.iter().map(|m| m.name().to_string()).collect();
    let postgres: Vec<_> = postgres.iter().map(|m| m.name().to_string()).collect();
    assert_eq!(sqlite, postgres);
}

#[test]
fn a_target_is_known_by_its_scheme() {
    assert_eq!(
        Target::parse("sqlite:///srv/botwright.db").unwrap(),
        Target::Sqlite("/srv/botwright.db".into())
    );
    assert!(matches!(
        Target::parse("postgresql://u@h/d").unwrap(),
        Target::Postgres { .. }
    ));
    for wrong in ["", "sqlite://", "mysql://u@h/d", "postgres"] {
        assert!(Target::parse(wrong).is_err(), "{wrong}");
    }
}
