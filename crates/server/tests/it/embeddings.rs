//! Knowledge found by what it means, and changing the model that says so.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::{Builder, Client};

use crate::program::Place;
use crate::support::{
    HOURS, Told, bot_that_knows, eventually, get, post, say, started_on_both, text,
};

started_on_both!(
    knowledge_is_found_by_its_meaning,
    an_embedder_that_is_down_costs_nothing_but_meaning,
    what_is_read_again_is_embedded_as_far_as_it_is_new,
    a_switch_is_refused_to_what_is_not_there,
);

const MONEY_BACK: &str = "When will my cash arrive again?";

/// An embedder that knows what shops speak of.
async fn knowing() -> FakeOpenAi {
    let provider = FakeOpenAi::start().await;
    provider.teach(&["refund", "cash", "arrive"]);
    provider
}

fn with(builder: Builder, provider: &FakeOpenAi) -> Builder {
    builder
        .setting("BOTWRIGHT_EMBEDDINGS_PROVIDER", "openai")
        .setting("BOTWRIGHT_EMBEDDINGS_BASE_URL", provider.base_url())
        .setting("BOTWRIGHT_EMBEDDINGS_MODEL", "one")
}

async fn state(client: &Client, bot: &str) -> Value {
    let state = get(client, &format!("/bots/{bot}/embeddings")).await;
    state.gives(200).clone()
}

/// Waits until a bot is searched by a model.
async fn searched_by(client: &Client, bot: &str, model: &str) -> Value {
    let mut now = Value::Null;
    eventually(Duration::from_secs(20), model, async || {
        now = state(client, bot).await;
        now["active"] == model
    })
    .await;
    now
}

async fn knowledge_is_found_by_its_meaning(builder: Builder) {
    let provider = knowing().await;
    let server = with(builder, &provider).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let now = searched_by(client, &bot, "openai:one").await;
    assert_eq!(
        now["models"],
        json!([{
            "model": "openai:one", "sources": 1, "sources_done": 1, "chunks": 2, "chunks_done": 2, "error": null,
        }])
    );
    assert_eq!(
        (&now["previous"], &now["held"]),
        (&Value::Null, &json!(false))
    );
    let search = post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": MONEY_BACK }),
    )
    .await;
    let first = search.gives(200)["results"][0].clone();
    assert!(text(&first, "content").contains("full refund"), "{first}");
    let turn = say(client, "s", "What are your opening hours?").await;
    let id = text(&turn["bot_response"], "id").to_owned();
    let receipt = get(client, &format!("/messages/{id}/receipt")).await;
    assert_eq!(receipt.gives(200)["embedding_model"], "openai:one");
    server.stop().await;
}

async fn an_embedder_that_is_down_costs_nothing_but_meaning(builder: Builder) {
    let provider = knowing().await;
    provider.always(Behaviour::status(401));
    let server = with(builder, &provider).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let turn = say(client, "s", "What are your opening hours?").await;
    assert!(text(&turn["bot_response"], "message").contains("9 AM"));
    let mut now = Value::Null;
    eventually(Duration::from_secs(10), "it is told why", async || {
        now = state(client, &bot).await;
        now["models"][0]["error"].is_string()
    })
    .await;
    assert_eq!(now["active"], Value::Null);
    let error = text(&now["models"][0], "error");
    assert!(error.contains("refuses") && error.ends_with('.'), "{error}");
    provider.always(Behaviour::Echo);
    let now = searched_by(client, &bot, "openai:one").await;
    assert_eq!(now["models"][0]["error"], Value::Null);
    // Gone again: what is embedded is still found by its words.
    provider.always(Behaviour::Hang);
    let turn = say(client, "t", "Can I return a product?").await;
    assert!(text(&turn["bot_response"], "message").contains("30 days"));
    server.stop().await;
}

async fn what_is_read_again_is_embedded_as_far_as_it_is_new(builder: Builder) {
    let provider = knowing().await;
    let server = with(builder, &provider).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    searched_by(client, &bot, "openai:one").await;
    let embedded = || -> Vec<String> {
        let requests = provider.requests();
        let texts = requests.iter().flat_map(|request| {
            request.body["input"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        });
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let before = embedded().len();
    client
        .create_text(&bot, "Copy", &HOURS.replace("30 days", "60 days"))
        .await
        .unwrap();
    eventually(
        Duration::from_secs(10),
        "the copy is embedded",
        async || state(client, &bot).await["models"][0]["sources_done"] == 2,
    )
    .await;
    let new = embedded().split_off(before);
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new[0].contains("60 days"));
    server.stop().await;
}

async fn a_switch_is_refused_to_what_is_not_there(builder: Builder) {
    let provider = knowing().await;
    let server = with(builder, &provider).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    searched_by(client, &bot, "openai:one").await;
    let path = format!("/bots/{bot}/embeddings");
    let refused = post(client, &path, json!({ "model": "openai:two" })).await;
    let sentence = refused.refuses(400, "Invalid field: model").to_owned();
    assert!(sentence.contains("openai:one"), "{sentence}");
    post(client, &path, json!({}))
        .await
        .refuses(400, "Missing required field: model");
    get(client, &format!("{path}/comparison?model=x"))
        .await
        .refuses(400, "Invalid field: model");
    let words = post(client, &path, json!({ "model": null })).await;
    let now = words.gives(200);
    assert_eq!(
        (&now["active"], &now["previous"], &now["held"]),
        (&Value::Null, &json!("openai:one"), &json!(true))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_changed_without_a_gap_and_back_sqlite() {
    the_model_is_changed_without_a_gap_and_back(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_changed_without_a_gap_and_back_postgres() {
    the_model_is_changed_without_a_gap_and_back(Place::postgres().await).await;
}

async fn the_model_is_changed_without_a_gap_and_back(place: Place) {
    let (old, new) = (knowing().await, FakeOpenAi::start().await);
    // It understands the same words otherwise.
    new.teach(&["opening", "cash", "arrive"]);
    let place = place
        .with("BOTWRIGHT_EMBEDDINGS_PROVIDER", "openai")
        .with("BOTWRIGHT_EMBEDDINGS_BASE_URL", &old.base_url())
        .with("BOTWRIGHT_EMBEDDINGS_MODEL", "one");
    let (tenant, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = bot_that_knows(&client, HOURS).await;
    searched_by(&client, &bot, "openai:one").await;
    say(&client, "s", "What are your opening hours?").await;
    server.stop().await;

    let place = place
        .with("BOTWRIGHT_EMBEDDINGS_PREVIOUS_PROVIDER", "openai")
        .with("BOTWRIGHT_EMBEDDINGS_PREVIOUS_BASE_URL", &old.base_url())
        .with("BOTWRIGHT_EMBEDDINGS_PREVIOUS_MODEL", "one")
        .with("BOTWRIGHT_EMBEDDINGS_BASE_URL", &new.base_url())
        .with("BOTWRIGHT_EMBEDDINGS_MODEL", "two");
    new.always(Behaviour::status(503));
    let server = place.serve().await;
    let client = server.client(&key);
    let search = async || {
        let query = json!({ "bot_id": bot, "query": MONEY_BACK });
        let found = post(&client, "/knowledge/search", query).await;
        found.gives(200)["results"][0]["content"].to_string()
    };
    assert!(
        search().await.contains("full refund"),
        "still the old model's"
    );
    assert_eq!(state(&client, &bot).await["active"], "openai:one");
    new.always(Behaviour::Echo);
    let now = searched_by(&client, &bot, "openai:two").await;
    assert_eq!(now["previous"], "openai:one");
    assert!(search().await.contains("9 AM"), "the new model's");

    let compared = get(
        &client,
        &format!("/bots/{bot}/embeddings/comparison?model=openai:one"),
    )
    .await;
    let compared = compared.gives(200);
    assert_eq!(compared["questions"], 1);
    assert_eq!(compared["other"], json!({ "first": 1, "in_five": 1 }));
    let told = place.done(&["embeddings", "compare", &tenant, &bot, "openai:one"]);
    assert!(told.contains("1 questions"), "{told}");

    let shown = place.done(&["embeddings", "switch", &tenant, &bot, "openai:one"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["active"], &shown["held"]),
        (&json!("openai:one"), &json!(true))
    );
    assert!(search().await.contains("full refund"), "back again");
    let shown = place.done(&["embeddings", "show", &tenant, &bot]);
    assert!(shown.contains("\"previous\": \"openai:two\""), "{shown}");
    server.stop().await;
}
