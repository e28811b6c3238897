//! What the engines' tests share, and what must be the same for both.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use domain::plans::Plan;
use domain::tenants::Tenant;
use time::macros::datetime;
use uuid::Uuid;

use crate::Target;
use crate::schema::TABLES;

/// A tenant whose id is the number.
pub(crate) fn tenant(number: u32) -> Tenant {
    Tenant {
        id: Uuid::from_u128(number.into()).into(),
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
