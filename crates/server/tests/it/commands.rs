//! The operator's commands, also beside a running server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Place, answers};
use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, get, keys, make_bot, messages, put, say, text,
};

/// A test per engine of a function that is given a place to run in.
macro_rules! in_a_place {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::program::Place;

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$name(Place::new()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                super::$name(Place::postgres().await).await;
            }
        }
    )+};
}

in_a_place!(
    a_tenant_is_made_with_its_key,
    tenants_and_keys_are_ruled_beside_a_running_server,
    migrating_and_looking_after_the_store,
    recorded_questions_are_answered_again,
);

const SOON: Duration = Duration::from_secs(5);

fn lines(printed: &str) -> Vec<Value> {
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn a_tenant_is_made_with_its_key(place: Place) {
    let printed = place.done(&[
        "tenant",
        "create",
        "--name",
        "Bäckerei Müller 😀",
        "--plan",
        "starter",
        "--json",
    ]);
    let made: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        keys(&made),
        ["api_key", "tenant_id"],
        "one object, and nothing else"
    );
    let key = made["api_key"].as_str().unwrap();
    assert!(key.starts_with("tk_"));
    let listed = lines(&place.done(&["tenant", "list", "--json"]));
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["tenant_id"], &listed[0]["plan"]),
        (&made["tenant_id"], &json!("starter"))
    );
    assert!(
        !place.done(&["tenant", "list"]).contains(key),
        "the key is shown once"
    );
    let server = place.serve().await;
    let answer = get(&server.client(key), "/tenant/info").await;
    let info = answer.gives(200);
    assert_eq!(
        (&info["id"], &info["name"], &info["plan"]),
        (
            &made["tenant_id"],
            &json!("Bäckerei Müller 😀"),
            &json!("starter")
        )
    );
    server.stop().await;
    for wrong in [
        &["tenant", "create", "--name", "X", "--plan", "golden"][..],
        &["tenant", "create", "--name", " ", "--plan", "free"],
        &["tenant", "create", "--plan", "free"],
        &["tenant", "suspend", "nonsense"],
        &["tenant", "suspend", "018f0000-0000-7000-8000-000000000000"],
        &["key", "create", "018f0000-0000-7000-8000-000000000000"],
        &["no-such-command"],
    ] {
        let output = place.run(wrong);
        assert!(
            !output.status.success() && !output.stderr.is_empty(),
            "{wrong:?}"
        );
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    }
    assert_eq!(lines(&place.done(&["tenant", "list", "--json"])).len(), 1);
}

async fn tenants_and_keys_are_ruled_beside_a_running_server(place: Place) {
    let (tenant, key) = place.tenant("Ours");
    let (other, other_key) = place.tenant("Others");
    let server = place.serve().await;
    let (client, others) = (server.client(&key), server.client(&other_key));
    make_bot(&client, json!({})).await;
    make_bot(&others, json!({})).await;
    place.done(&["tenant", "suspend", &tenant]);
    answers(&client, 401, SOON).await;
    answers(&others, 200, SOON).await;
    place.done(&["tenant", "resume", &tenant]);
    answers(&client, 200, SOON).await;
    let second: Value = serde_json::from_str(
        &place.done(&["key", "create", &tenant, "--name", "second", "--json"]),
    )
    .unwrap();
    let second_client = server.client(second["api_key"].as_str().unwrap());
    assert_eq!(
        get(&second_client, "/bots").await.lists().len(),
        1,
        "it is the same tenant"
    );
    let listed = lines(&place.done(&["key", "list", &tenant, "--json"]));
    assert_eq!(listed.len(), 2);
    place.done(&["key", "revoke", &tenant, second["key_id"].as_str().unwrap()]);
    answers(&second_client, 401, SOON).await;
    answers(&client, 200, SOON).await;
    // Another tenant's key is not this one's to revoke.
    let first = listed
        .iter()
        .find(|listed| listed["key_id"] != second["key_id"])
        .unwrap()["key_id"]
        .as_str()
        .unwrap();
    assert!(
        !place
            .run(&["key", "revoke", &other, first])
            .status
            .success()
    );
    answers(&client, 200, SOON).await;
    place.done(&["tenant", "delete", &tenant]);
    answers(&client, 401, SOON).await;
    answers(&others, 200, SOON).await;
    assert_eq!(get(&others, "/bots").await.lists().len(), 1);
    server.stop().await;
}

async fn migrating_and_looking_after_the_store(place: Place) {
    let place = place.with("BOTWRIGHT_BIND", "127.0.0.1:0");
    // A store that is missing or not up to date is told with what to do, and left as it is.
    for _ in 0..2 {
        let told = place.run(&["doctor"]).stdout;
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("`botwright "), "{told}");
        assert!(!place.data().join("botwright.db").exists());
    }
    for _ in 0..2 {
        assert!(place.done(&["migrate"]).contains("up to date"));
    }
    let healthy = place.done(&["doctor"]);
    assert!(
        healthy.contains("ok") && !healthy.contains("WRONG"),
        "{healthy}"
    );
}

#[test]
fn openapi_prints_the_document() {
    let place = Place::new();
    let document: Value = serde_json::from_str(&place.done(&["openapi"])).unwrap();
    assert!(document["paths"]["/api/v1/bots"].is_object());
    assert!(!place.data().exists(), "printing it needs no store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_beside_a_running_server_is_restored() {
    let place = Place::new();
    let (tenant, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    bot_that_knows(&client, HOURS).await;
    say(&client, "before", "When do you open?").await;
    let file = place.path("backup.db");
    let file = file.to_str().unwrap();
    place.done(&["backup", file]);
    assert!(
        !place.run(&["backup", file]).status.success(),
        "a backup is not written over"
    );
    say(&client, "after", "When do you open?").await;
    assert!(
        !place.run(&["restore", file, "--force"]).status.success(),
        "not under a running server"
    );
    server.stop().await;
    assert!(
        !place.run(&["restore", file]).status.success(),
        "not over a store, unless told to"
    );
    place.done(&["restore", file, "--force"]);
    let server = place.serve().await;
    let client = server.client(&key);
    assert_eq!(messages(&client, "before").await.len(), 2);
    get(&client, "/conversations/after")
        .await
        .refuses(404, "Conversation not found");
    assert_eq!(
        client
            .list::<Value>("/knowledge/sources")
            .await
            .unwrap()
            .data
            .len(),
        1
    );
    server.stop().await;
    // On another machine.
    let elsewhere = Place::new();
    elsewhere.done(&["restore", file]);
    assert!(elsewhere.done(&["tenant", "list"]).contains(&tenant));
    let server = elsewhere.serve().await;
    assert_eq!(messages(&server.client(&key), "before").await.len(), 2);
    server.stop().await;
    // What is no backup is refused, and the store stays.
    let nonsense = elsewhere.path("nonsense.db");
    std::fs::write(&nonsense, "nonsense".repeat(1_000)).unwrap();
    assert!(
        !elsewhere
            .run(&["restore", nonsense.to_str().unwrap(), "--force"])
            .status
            .success()
    );
    assert!(elsewhere.done(&["tenant", "list"]).contains(&tenant));
}

async fn recorded_questions_are_answered_again(place: Place) {
    let (tenant, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = bot_that_knows(&client, HOURS).await;
    say(&client, "one", ASK_HOURS).await;
    say(&client, "two", "Can I return a product?").await;
    let replay = |more: &[&str]| place.done(&[&["replay", &tenant, &bot], more].concat());
    assert_eq!(replay(&[]), "2 questions, 0 answered otherwise.\n");
    assert_eq!(replay(&["--json"]), "");

    let sources = get(&client, "/knowledge/sources").await;
    let id = text(&sources.lists()[0], "id").to_owned();
    let content = HOURS.replace("9 AM to 6 PM", "10 AM to 7 PM");
    let path = format!("/knowledge/sources/{id}");
    put(&client, &path, json!({ "content": content }))
        .await
        .gives(200);
    let told = replay(&[]);
    for words in [
        "2 questions, 1 answered otherwise.",
        "10 AM to 7 PM",
        "9 AM to 6 PM",
    ] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    let lines = lines(&replay(&["--json"]));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["question"], ASK_HOURS);
    assert!(text(&lines[0]["now"], "answer").contains("10 AM"));
    assert_eq!(lines[0]["now"]["receipt"]["provider"], "extractive");
    assert_eq!(
        messages(&client, "one").await.len(),
        2,
        "nothing was stored"
    );
    for wrong in [
        &["replay", &tenant, "018f0000-0000-7000-8000-000000000000"][..],
        &["replay", &tenant, "nonsense"],
        &["replay", "nonsense", &bot],
    ] {
        assert!(!place.run(wrong).status.success(), "{wrong:?}");
    }
}
