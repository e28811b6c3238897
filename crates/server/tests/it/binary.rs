//! The program: starting it, stopping it, and what it says when it can't start.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use tokio::net::TcpStream;

use crate::program::{Place, free_port};
use crate::support::{
    HOURS, Told, bot_that_knows, eventually, get, keys, make_bot, messages, post, read_source, say,
    text,
};

/// The command that `demo` prints, as a reader would copy it: from `curl` to the last line that goes on.
fn printed_curl(printed: &str) -> String {
    let from = printed
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("curl "));
    let mut lines = Vec::new();
    for line in from {
        lines.push(line);
        if !line.trim_end().ends_with('\\') {
            break;
        }
    }
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_that_demo_prints_gets_a_grounded_answer() {
    let place = Place::new();
    let mut printed = Vec::new();
    // The second start finds the first one's demo again.
    for _ in 0..2 {
        let server = place.start("demo").await;
        eventually(Duration::from_secs(10), "it prints a curl", async || {
            !printed_curl(&server.printed()).is_empty()
        })
        .await;
        let curl = printed_curl(&server.printed());
        let output = Command::new("sh").args(["-c", &curl]).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {curl} {output:?}"));
        let response = &answer["data"]["bot_response"];
        assert!(
            text(response, "message").contains("Monday to Friday"),
            "{answer}"
        );
        assert_eq!(response["metadata"]["grounded"], true, "{answer}");
        assert_eq!(keys(&answer), ["data", "success"]);
        assert!(
            server.printed().contains(&format!("{}/docs", server.url)),
            "the pages to open are printed"
        );
        printed.push(curl.split("X-API-Key: ").nth(1).unwrap()[..52].to_owned());
        server.stop().await;
    }
    assert_eq!(printed[0], printed[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_leaves_a_store_that_is_not_empty_alone() {
    let place = Place::new();
    let (_, key) = place.tenant("Ours");
    let server = place.start("demo").await;
    eventually(Duration::from_secs(10), "it says so", async || {
        server.printed().contains(&server.url)
    })
    .await;
    assert!(
        printed_curl(&server.printed()).is_empty(),
        "{}",
        server.printed()
    );
    assert!(get(&server.client(&key), "/bots").await.lists().is_empty());
    assert_eq!(place.done(&["tenant", "list"]).lines().count(), 1);
    server.stop().await;
}

/// Exit code 2, and one line that names the setting.
#[track_caller]
fn refused(output: &Output, name: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "one line: {said}");
    assert!(said.contains(name), "{name}: {said}");
    assert!(output.stdout.is_empty());
    said
}

#[test]
fn a_wrong_setting_ends_the_start_with_its_name() {
    for (name, value) in [
        ("BOTWRIGHT_BIND", "nowhere"),
        ("BOTWRIGHT_BIND", "127.0.0.1:99999"),
        ("BOTWRIGHT_BIND", "192.0.2.1:8080"),
        ("BOTWRIGHT_LLM_PROVIDER", "oracle"),
        ("BOTWRIGHT_LLM_FALLBACK", "oracle"),
        ("BOTWRIGHT_EGRESS_ALLOW", "10.0.0.0/99"),
        ("BOTWRIGHT_ABANDON_AFTER", "soon"),
        ("BOTWRIGHT_LOG", "botwright=[[["),
        ("BOTWRIGHT_LOG_FORMAT", "xml"),
        ("BOTWRIGHT_NO_SUCH_THING", "1"),
        ("BOTWRIGHT_DATA_DIR", "/dev/null/data"),
        ("BOTWRIGHT_CONFIG", "/nowhere/botwright.toml"),
        ("DATABASE_URL", "mysql://somewhere"),
        (
            "DATABASE_URL",
            "postgres://nobody:hunter2@127.0.0.1:1/nothing",
        ),
        ("DATABASE_URL", "sqlite:///dev/null/store.db"),
    ] {
        let place = Place::new()
            .with("BOTWRIGHT_BIND", "127.0.0.1:0")
            .with(name, value);
        let said = refused(
            &place.run(&["serve"]),
            if name == "BOTWRIGHT_CONFIG" {
                value
            } else {
                name
            },
        );
        assert!(
            !said.contains("hunter2"),
            "a password is not repeated: {said}"
        );
    }
    let place = Place::new()
        .with("BOTWRIGHT_BIND", "127.0.0.1:0")
        .with("BOTWRIGHT_LLM_PROVIDER", "openai")
        .with("BOTWRIGHT_LLM_BASE_URL", "not a url");
    refused(&place.run(&["serve"]), "BOTWRIGHT_LLM_BASE_URL");
    for (text, name) in [
        ("bind = \"nowhere\"", "BOTWRIGHT_BIND"),
        ("no_such_thing = 1", "no_such_thing"),
        ("[plans.golden]\nbots = 1", "golden"),
        ("[plans.free]\nbot = 1", "bot"),
        ("bind = ", "botwright.toml"),
    ] {
        let place = Place::new();
        std::fs::write(place.path("work").join("botwright.toml"), text).unwrap();
        refused(&place.run(&["serve"]), name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_file_is_read_and_the_environment_wins() {
    let place = Place::new();
    let file = "bind = \"nowhere\"\nabandon_after = 900\n[plans.enterprise]\nbots = 2\n";
    std::fs::write(place.path("work").join("botwright.toml"), file).unwrap();
    let place = place.with("BOTWRIGHT_BIND", "127.0.0.1:0");
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    for _ in 0..2 {
        make_bot(&client, json!({})).await;
    }
    let third = post(
        &client,
        "/bots",
        json!({ "name": "Third", "channel_type": "webchat" }),
    )
    .await;
    third.refuses(403, "Bot limit reached for current plan");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_ends_the_start() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new().with("BOTWRIGHT_BIND", &address);
    assert!(refused(&place.run(&["serve"]), "BOTWRIGHT_BIND").contains(&address));
    // Two servers on one embedded store would take each other's work.
    let place = Place::new();
    let server = place.serve().await;
    let second = place
        .command(&["serve"])
        .env("BOTWRIGHT_BIND", "127.0.0.1:0")
        .output()
        .unwrap();
    refused(&second, "BOTWRIGHT_DATA_DIR");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_requests_in_flight_finish() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Slow {
        text: "We open at nine every day.".to_owned(),
        pause: Duration::from_millis(300),
    });
    let place = Place::new()
        .with("BOTWRIGHT_LLM_PROVIDER", "openai")
        .with("BOTWRIGHT_LLM_BASE_URL", &provider.base_url());
    let (_, key) = place.tenant("Ours");
    let mut server = place.serve().await;
    let client = server.client(&key);
    make_bot(&client, json!({})).await;
    let sending = tokio::spawn({
        let client = client.clone();
        async move {
            post(
                &client,
                "/conversations/s/messages",
                json!({ "message": "When do you open?" }),
            )
            .await
        }
    });
    eventually(
        Duration::from_secs(10),
        "the provider is asked",
        async || !provider.requests().is_empty(),
    )
    .await;
    let kept = server.client(&key);
    get(&kept, "/tenant/info").await.gives(200);
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Who is connected already is told to come again.
    let refused = get(&kept, "/tenant/info").await;
    refused.refuses(503, "Service unavailable");
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    drop(kept);
    // Nobody new is let in: the connection is refused, never answered, or told to come again.
    let newcomer = server.client(&key);
    let late = tokio::time::timeout(Duration::from_millis(500), newcomer.get("/tenant/info")).await;
    assert!(
        !matches!(&late, Ok(Ok(answer)) if answer.status != 503),
        "{late:?}"
    );
    drop(newcomer);
    let answer = sending.await.unwrap();
    assert_eq!(
        answer.gives(200)["bot_response"]["message"],
        "We open at nine every day."
    );
    drop(client);
    let status = server.ended(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", server.errors());
    assert!(
        TcpStream::connect(server.url.trim_start_matches("http://"))
            .await
            .is_err()
    );
    let server = place.serve().await;
    assert_eq!(
        messages(&server.client(&key), "s").await.len(),
        2,
        "what was answered is kept"
    );
    server.stop().await;
}

/// A provider that never answers, a client that keeps its connection and one that sends half a request: none
/// of them keeps the program from ending.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_within_ten_seconds_whatever_hangs() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Hang);
    let place = Place::new()
        .with("BOTWRIGHT_LLM_PROVIDER", "openai")
        .with("BOTWRIGHT_LLM_BASE_URL", &provider.base_url());
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    make_bot(&client, json!({})).await;
    let hanging = tokio::spawn(async move {
        client
            .post("/conversations/s/messages", &json!({ "message": "What?" }))
            .await
    });
    eventually(
        Duration::from_secs(10),
        "the provider is asked",
        async || !provider.requests().is_empty(),
    )
    .await;
    let mut half = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut half,
        b"POST /api/v1/bots HTTP/1.1\r\nhost: x\r\ncontent-le",
    )
    .await
    .unwrap();
    server.stop().await;
    hanging.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_outside_the_data_directory() {
    let place = Place::new();
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = bot_that_knows(&client, HOURS).await;
    say(&client, "s", "When do you open?").await;
    for name in ["../../outside.txt", "/tmp/outside.txt", "inside.txt"] {
        let answer = client
            .upload(&bot, name, b"Some words.".repeat(50_000))
            .await
            .unwrap();
        read_source(&client, text(answer.gives(201), "id")).await;
    }
    assert_eq!(place.strays(), Vec::<std::path::PathBuf>::new());
    server.stop().await;
    assert_eq!(place.strays(), Vec::<std::path::PathBuf>::new());
    assert!(place.data().join("botwright.db").is_file());
}
