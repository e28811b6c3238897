//! The document's sample clients, word for word, with nothing replaced but the address and the key.

use std::process::Command;

use serde_json::json;
use testkit::TestServer;

use crate::support::{ASK_HOURS, HOURS, bot_that_knows, messages, on_both, usage};

on_both!(
    the_javascript_client_works,
    the_python_client_works,
    the_javascript_client_works_beside_knowledge,
);

const JAVASCRIPT: &str = include_str!("../clients/sample.js");
const PYTHON: &str = include_str!("../clients/sample.py");

/// Runs a client; answers what it printed. It must end well and complain of nothing.
async fn run(server: &TestServer, program: &str, name: &str, source: &str) -> String {
    let (address, key) = ("https://your-domain.com/api/v1", "tk_your_api_key_here");
    assert!(source.contains(address) && source.contains(key));
    let source = source
        .replace(address, &format!("{}/api/v1", server.url()))
        .replace(key, &server.api_key);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, source).unwrap();
    let mut command = Command::new(program);
    command.arg(&file).env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} can't be run ({error}): `cargo xtask test` installs it")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("No module named 'requests'"),
        "the package requests is missing: `cargo xtask test` installs it"
    );
    assert!(output.status.success() && said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_prints(printed: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(
            printed.contains(words),
            "'{words}' is missing in:\n{printed}"
        );
    }
    assert!(!printed.contains("Error"), "{printed}");
}

async fn the_javascript_client_works(server: &TestServer) {
    let printed = run(server, "node", "sample.js", JAVASCRIPT).await;
    assert_prints(
        &printed,
        &[
            "Bot created: {",
            "name: 'Customer Service Bot'",
            "message: 'Bot created successfully'",
            "User message: What are your business hours?",
            "Bot response: ",
            "Analytics: {",
            "total_bots: 1",
            "total_conversations: 1",
            "total_messages: 3",
            "period_days: 7",
        ],
    );
    assert_eq!(
        messages(&server.client, "session-123").await[0].1,
        "Hello! How can I assist you today?"
    );
}

async fn the_python_client_works(server: &TestServer) {
    let printed = run(server, "python3", "sample.py", PYTHON).await;
    assert_prints(
        &printed,
        &[
            "Bot created: Support Bot\n",
            "Total bots: 1\n",
            "Bot response: Hello! How can I help you?\n",
            "Total conversations: 1\n",
            "Total messages: 3\n",
        ],
    );
    // Again: the session goes on.
    let printed = run(server, "python3", "sample.py", PYTHON).await;
    assert_prints(
        &printed,
        &[
            "Total bots: 2\n",
            "Total conversations: 1\n",
            "Total messages: 5\n",
        ],
    );
    assert_eq!(usage(&server.client).await, [2, 1, 5]);
}

/// Its bot is not the default here: that one answers, from what it knows.
async fn the_javascript_client_works_beside_knowledge(server: &TestServer) {
    bot_that_knows(
        &server.client,
        &HOURS.replace("opening hours", "business hours"),
    )
    .await;
    assert!(
        JAVASCRIPT.contains(&ASK_HOURS.replace("opening", "business")),
        "{}",
        json!(ASK_HOURS)
    );
    let printed = run(server, "node", "sample.js", JAVASCRIPT).await;
    let answer = printed
        .lines()
        .find(|line| line.starts_with("Bot response: "))
        .unwrap();
    assert!(answer.contains("9 AM to 6 PM"), "{answer}");
}
