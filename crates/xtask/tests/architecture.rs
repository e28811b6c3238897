//! The direction of the arrows (`docs/architecture.md`): which crate may import what, and where adapters may be
//! named. Read from `cargo metadata` and from the source.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "tests have no public items, and a panic is how they fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// A crate of the workspace: the folder it is in, and what it may import.
struct Room {
    folder: &'static str,
    /// Crates of the workspace.
    rooms: &'static [&'static str],
    /// Other crates; `None`: any that is not reserved below.
    libraries: Option<&'static [&'static str]>,
}

const ADAPTERS: [&str; 11] = [
    "storage",
    "retrieval",
    "llm",
    "local-embeddings",
    "vault",
    "insights",
    "documents",
    "scraper",
    "sender",
    "caller",
    "channels",
];

const fn adapter(folder: &'static str) -> Room {
    Room {
        folder,
        rooms: &["domain"],
        libraries: None,
    }
}

const ROOMS: [Room; 20] = [
    Room {
        folder: "domain",
        rooms: &[],
        libraries: Some(&[
            "async-trait",
            "base64",
            "chrono",
            "croner",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "time",
            "uuid",
            "validator",
        ]),
    },
    Room {
        folder: "application",
        rooms: &["domain"],
        libraries: Some(&[
            "async-trait",
            "serde_json",
            "thiserror",
            "time",
            "tracing",
            "uuid",
            "validator",
        ]),
    },
    adapter("storage"),
    adapter("retrieval"),
    Room {
        rooms: &["domain", "egress"],
        ..adapter("llm")
    },
    adapter("local-embeddings"),
    adapter("vault"),
    adapter("insights"),
    Room {
        rooms: &["domain", "markup"],
        ..adapter("documents")
    },
    Room {
        rooms: &["domain", "egress", "markup"],
        ..adapter("scraper")
    },
    Room {
        rooms: &["domain", "egress"],
        ..adapter("sender")
    },
    Room {
        rooms: &["domain", "egress"],
        ..adapter("caller")
    },
    Room {
        rooms: &["domain", "egress"],
        ..adapter("channels")
    },
    // The one way out for what tenants can cause, for every adapter that has such requests.
    adapter("egress"),
    // What two adapters have in common: HTML, and nothing of ours.
    Room {
        folder: "markup",
        rooms: &[],
        libraries: None,
    },
    Room {
        folder: "server",
        rooms: &[
            "domain",
            "application",
            "storage",
            "retrieval",
            "llm",
            "local-embeddings",
            "vault",
            "insights",
            "documents",
            "scraper",
            "egress",
            "sender",
            "caller",
            "channels",
        ],
        libraries: None,
    },
    Room {
        folder: "contracts",
        rooms: &["domain"],
        libraries: None,
    },
    Room {
        folder: "testkit",
        rooms: &["server", "contracts"],
        libraries: None,
    },
    Room {
        folder: "xtask",
        rooms: &[],
        libraries: None,
    },
    Room {
        folder: "bench",
        rooms: &[],
        libraries: None,
    },
];

/// What only tests may import beside that.
const FOR_TESTS: [&str; 2] = ["contracts", "testkit"];

/// Technologies, by the beginning of their crates' names, and the rooms that they stay in.
const TECHNOLOGIES: [(&str, &[&str]); 10] = [
    ("actix", &["server", "bench"]),
    ("utoipa", &["server"]),
    ("clap", &["server"]),
    ("opentelemetry", &["server"]),
    ("prometheus", &["server"]),
    ("diesel", &["storage"]),
    ("libsqlite3-sys", &["storage", "bench"]),
    ("rusqlite", &["bench"]),
    ("tokio-postgres", &["storage", "contracts", "bench"]),
    (
        "reqwest",
        &[
            "caller", "channels", "egress", "llm", "scraper", "sender", "testkit",
        ],
    ),
];

/// What must not come in by a library's library either.
const NEVER_WITHIN: [&str; 5] = ["tokio", "hyper", "actix-web", "diesel", "reqwest"];

/// The files of the server that may name an adapter. All may be named where they are put together; the store
/// also where operators' work is done with it (readiness, backups) that is no use case, and the reader of files also
/// where this program is the one that reads.
const NAMED_IN: [(&str, &[&str]); 5] = [
    ("wiring.rs", &ADAPTERS),
    ("state.rs", &["storage"]),
    ("run.rs", &["storage"]),
    ("commands/operations.rs", &["storage"]),
    ("commands/mod.rs", &["documents"]),
];

#[test]
fn no_crate_imports_what_it_may_not() {
    let metadata = metadata();
    let folders = folders(&metadata);
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(room) = room(&folders[package.name.as_str()]) else {
            faults.push(format!("{} has no row in ROOMS", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let name = folders.get(&dependency.name).unwrap_or(&dependency.name);
            let ours = folders.contains_key(&dependency.name);
            let for_tests = dependency.kind == DependencyKind::Development;
            if !may_import(room, name, ours, for_tests) {
                faults.push(format!("{} may not import {name}", room.folder));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_rules_find_what_they_are_for() {
    let may =
        |folder, name, ours, for_tests| may_import(room(folder).unwrap(), name, ours, for_tests);
    assert!(may("retrieval", "domain", true, false));
    assert!(may("retrieval", "contracts", true, true));
    for (folder, name, ours, for_tests) in [
        ("domain", "tokio", false, false),
        ("application", "storage", true, false),
        ("retrieval", "storage", true, false),
        ("retrieval", "storage", true, true),
        ("retrieval", "application", true, true),
        ("retrieval", "contracts", true, false),
        ("llm", "diesel-async", false, false),
        ("contracts", "storage", true, true),
        ("server", "testkit", true, false),
        ("server", "tokio-postgres", false, false),
    ] {
        assert!(!may(folder, name, ours, for_tests), "{folder}: {name}");
    }
}

fn may_import(room: &Room, name: &str, ours: bool, for_tests: bool) -> bool {
    if ours {
        return room.rooms.contains(&name) || (for_tests && FOR_TESTS.contains(&name));
    }
    let listed = room
        .libraries
        .is_none_or(|libraries| libraries.contains(&name));
    let reserved = TECHNOLOGIES
        .iter()
        .find(|(technology, _)| name.starts_with(technology));
    let at_home = reserved.is_none_or(|(_, homes)| homes.contains(&room.folder));
    for_tests || (listed && at_home)
}

#[test]
fn domain_and_application_reach_no_runtime_and_no_network() {
    let metadata = metadata();
    let folders = folders(&metadata);
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|p| (&p.id, p.name.as_str()))
        .collect();
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    for room in ["domain", "application"] {
        let is_root = |id: &&_| folders.get(names[*id]).is_some_and(|folder| folder == room);
        let mut waiting: Vec<_> = nodes.keys().copied().filter(|id| is_root(&id)).collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !reached.insert(names[id]) {
                continue;
            }
            let deps = nodes[id].deps.iter();
            let used = deps.filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|k| k.kind == DependencyKind::Normal)
            });
            waiting.extend(used.map(|dep| &dep.pkg));
        }
        assert!(reached.contains("serde"), "{room}: the walk found nothing");
        let found: Vec<_> = NEVER_WITHIN
            .iter()
            .filter(|name| reached.contains(*name))
            .collect();
        assert!(found.is_empty(), "{room} reaches {found:?}");
    }
}

#[test]
fn adapters_are_named_only_where_they_are_put_together() {
    let source = root().join("crates/server/src");
    let mut faults = Vec::new();
    for path in rust_files(&source) {
        let file = path.strip_prefix(&source).unwrap().to_str().unwrap();
        let allowed = NAMED_IN
            .iter()
            .find(|(name, _)| *name == file)
            .map_or(&[][..], |(_, names)| names);
        let code = code_of(&path);
        for adapter in ADAPTERS.iter().filter(|adapter| !allowed.contains(adapter)) {
            if names_crate(&code, adapter) {
                faults.push(format!("{file} names {adapter}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let wiring = code_of(&source.join("wiring.rs"));
    let missing = ADAPTERS
        .iter()
        .find(|adapter| !names_crate(&wiring, adapter));
    assert_eq!(
        missing, None,
        "wiring.rs is where adapters are put together"
    );
}

#[test]
fn naming_a_crate_is_told_from_naming_a_module() {
    assert!(names_crate("use storage::Stores;", "storage"));
    assert!(names_crate("let x = storage::open(&y);", "storage"));
    assert!(names_crate("use {llm::OpenAi};", "llm"));
    assert!(!names_crate("use domain::retrieval::Hit;", "retrieval"));
    assert!(!names_crate("my_storage::x()", "storage"));
}

/// Whether the crate's name begins a path: not a module's of another crate, not a part of a longer word.
fn names_crate(code: &str, name: &str) -> bool {
    let path = format!("{}::", name.replace('-', "_"));
    code.match_indices(&path).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before))
    })
}

#[test]
fn routes_hold_no_sql() {
    for path in rust_files(&root().join("crates/server/src/routes")) {
        let code = code_of(&path);
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "diesel"] {
            assert!(!code.contains(word), "{} holds {word:?}", path.display());
        }
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<_> {
        let folder = std::fs::read_dir(root().join("migrations").join(engine)).unwrap();
        folder.map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

fn room(folder: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.folder == folder)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command
        .current_dir(root())
        .other_options(["--locked".to_owned()]);
    command.exec().unwrap()
}

/// The workspace's packages by name, and the folder that each is in.
fn folders(metadata: &Metadata) -> BTreeMap<String, String> {
    let packages = metadata.workspace_packages();
    let folder = |path: &cargo_metadata::camino::Utf8Path| {
        path.parent().unwrap().file_name().unwrap().to_owned()
    };
    packages
        .iter()
        .map(|p| (p.name.to_string(), folder(&p.manifest_path)))
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// A file without its comments that fill a line.
fn code_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}
