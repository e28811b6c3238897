//! What keeps a server in health.

use std::path::Path;

use anyhow::{Context, bail};

use crate::http::app;
use crate::run;
use crate::settings::{Database, Settings};
use crate::wiring;

/// Prints the OpenAPI document.
pub fn openapi() -> anyhow::Result<()> {
    println!("{}", app::description().to_pretty_json()?);
    Ok(())
}

/// Brings the store's schema up to date.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let stores = wiring::open(settings)?;
    let pending = stores.pending_migrations().await?;
    stores.migrate().await?;
    stores.close().await;
    match pending.len() {
        0 => println!("The schema is up to date."),
        count => println!("{count} migrations were done; the schema is up to date."),
    }
    Ok(())
}

/// Checks what a server needs, changing nothing.
pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    println!(
        "settings   ok    {:?}, provider {:?}, fallbacks {:?}",
        settings.database, settings.llm, settings.fallbacks
    );
    if let Database::Sqlite(path) = &settings.database
        && !path.exists()
    {
        println!(
            "store      none yet: `botwright serve` makes {}",
            path.display()
        );
        return Ok(());
    }
    let stores = wiring::open(settings)?;
    let mut wrong = 0;
    let mut check = |what: &str, problem: Option<String>| match problem {
        None => println!("{what:<10} ok"),
        Some(problem) => {
            wrong += 1;
            println!("{what:<10} WRONG {problem}");
        }
    };
    check(
        "store",
        stores.ping().await.err().map(|error| error.to_string()),
    );
    let pending = stores.pending_migrations().await.map(|pending| {
        (!pending.is_empty()).then(|| {
            format!(
                "{} migrations are missing: run `botwright migrate`",
                pending.len()
            )
        })
    });
    check(
        "schema",
        pending.unwrap_or_else(|error| Some(error.to_string())),
    );
    let walls = stores.row_security_holds().await.map(|holds| {
        (holds == Some(false)).then(|| {
            "the database role is exempt from row-level security; use one that is no superuser"
                .to_owned()
        })
    });
    check(
        "isolation",
        walls.unwrap_or_else(|error| Some(error.to_string())),
    );
    let free = std::net::TcpListener::bind(settings.bind)
        .err()
        .map(|error| format!("{}: {error} (is a server running?)", settings.bind));
    check("address", free);
    stores.close().await;
    if wrong > 0 {
        bail!("{wrong} checks failed");
    }
    Ok(())
}

/// Copies the embedded store into one file, whole and consistent.
pub async fn backup(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    let Database::Sqlite(path) = &settings.database else {
        bail!("PostgreSQL has its own tools: use pg_dump");
    };
    if file.exists() {
        bail!("{} is there already", file.display());
    }
    storage::backup_sqlite(path, file)?;
    println!("Wrote {}.", file.display());
    if settings.secret_keys.is_none() {
        let key = settings.data_dir.join(wiring::SECRET_KEY);
        println!(
            "Stored credentials are encrypted: keep a copy of {} too, in another place.",
            key.display()
        );
    }
    Ok(())
}

/// Puts a backup in the place of the embedded store.
pub async fn restore(settings: &Settings, file: &Path, force: bool) -> anyhow::Result<()> {
    let Database::Sqlite(path) = &settings.database else {
        bail!("PostgreSQL has its own tools: use pg_restore");
    };
    let _lock = run::lock(settings)?;
    if path.exists() && !force {
        bail!("{} is there already; --force replaces it", path.display());
    }
    // The copy is opened and checked under another name before it takes the store's place.
    let fresh = path.with_extension("restoring");
    std::fs::copy(file, &fresh).with_context(|| format!("{} can't be copied", file.display()))?;
    let stores = storage::open_sqlite(&fresh)?;
    let checked = stores.ping().await;
    stores.close().await;
    for leftover in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(leftover));
    }
    checked.with_context(|| format!("{} is no backup", file.display()))?;
    std::fs::rename(&fresh, path)?;
    println!("Restored {}.", path.display());
    Ok(())
}
