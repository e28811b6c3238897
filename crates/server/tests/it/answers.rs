//! What bots answer: from their knowledge, in their language, or not at all.

use botwright::domain::language::Language;
use botwright::domain::plans::Plan;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, delete, get, make_bot, messages, on_both, post, put,
    say, text,
};

on_both!(
    the_welcome_message_comes_first_and_once,
    answers_quote_the_knowledge,
    what_is_not_known_is_said_in_the_bots_language,
    a_courtesy_is_answered_with_one,
    the_bot_of_a_session_stays,
    an_inactive_bot_does_not_answer,
    without_a_bot_there_is_none_to_answer,
);

async fn the_welcome_message_comes_first_and_once(server: &TestServer) {
    let client = &server.client;
    let bot = text(
        &make_bot(client, json!({ "welcome_message": "Welcome!" })).await,
        "id",
    )
    .to_owned();
    for question in ["What about tractors?", "What about ploughs?"] {
        say(client, "s", question).await;
    }
    let said = messages(client, "s").await;
    assert_eq!(said.len(), 5);
    assert_eq!(said[0], ("bot".to_owned(), "Welcome!".to_owned()));
    // Taken back, it is not said to those who come later.
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "welcome_message": null }),
    )
    .await
    .gives(200);
    say(client, "t", "What about tractors?").await;
    assert_eq!(messages(client, "t").await.len(), 2);
}

async fn answers_quote_the_knowledge(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    for (question, words) in [
        (ASK_HOURS, "Monday to Friday, 9 AM to 6 PM"),
        ("How many days do I have to return a product?", "30 days"),
    ] {
        let turn = say(client, "s", question).await;
        let answer = text(&turn["bot_response"], "message");
        assert!(answer.contains(words), "{question} {answer}");
        assert_eq!(turn["bot_response"]["metadata"]["grounded"], true);
    }
    // What is taken out of the knowledge is not answered from any more.
    let sources = get(client, "/knowledge/sources").await;
    delete(
        client,
        &format!("/knowledge/sources/{}", text(&sources.lists()[0], "id")),
    )
    .await;
    let turn = say(client, "t", ASK_HOURS).await;
    assert_eq!(
        turn["bot_response"]["message"],
        Language::En.does_not_know()
    );
}

async fn what_is_not_known_is_said_in_the_bots_language(server: &TestServer) {
    let client = &server.client;
    for (language, question) in [
        (Language::En, "How heavy is the moon?"),
        (Language::Es, "¿Cuánto pesa la luna?"),
        (Language::Fr, "Combien pèse la lune ?"),
        (Language::De, "Wie schwer ist der Mond?"),
        (Language::It, "Quanto pesa la luna?"),
        (Language::Pt, "Quanto pesa a lua?"),
    ] {
        let bot = text(
            &make_bot(client, json!({ "language": language.as_str() })).await,
            "id",
        )
        .to_owned();
        client.create_text(&bot, "Handbook", HOURS).await.unwrap();
        let path = format!("/conversations/{language}/messages");
        let answer = post(client, &path, json!({ "message": question, "bot_id": bot })).await;
        let response = &answer.gives(200)["bot_response"];
        assert_eq!(response["message"], language.does_not_know());
        assert_eq!(
            (
                &response["metadata"]["grounded"],
                &response["metadata"]["citations"]
            ),
            (&json!(false), &json!([]))
        );
    }
}

async fn a_courtesy_is_answered_with_one(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({ "language": "de" })).await;
    for message in [
        "Hallo!",
        "Danke schön!",
        "Tschüss",
        "Hello, I need help",
        "?",
        "😀",
        "\u{200b}",
        "…",
    ] {
        let turn = say(client, "s", message).await;
        assert!(
            !text(&turn["bot_response"], "message").trim().is_empty(),
            "an answer is never empty: {message}"
        );
    }
    let turn = say(client, "s", "Hallo!").await;
    assert_eq!(turn["bot_response"]["message"], Language::De.greeting());
}

async fn the_bot_of_a_session_stays(server: &TestServer) {
    let client = &server.client;
    let (first, second) = (
        make_bot(client, json!({})).await,
        make_bot(client, json!({})).await,
    );
    let send = async |bot: &Value| {
        post(
            client,
            "/conversations/s/messages",
            json!({ "message": "What?", "bot_id": bot["id"] }),
        )
        .await
    };
    send(&second).await.gives(200);
    send(&second).await.gives(200);
    send(&first).await.refuses(400, "Invalid field: bot_id");
    // Without a bot named, it is the session's and not the default.
    say(client, "s", "What?").await;
    assert_eq!(messages(client, "s").await.len(), 6);
    assert_eq!(
        get(client, "/conversations/s").await.gives(200)["session"]["bot_id"],
        second["id"]
    );
}

async fn an_inactive_bot_does_not_answer(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({ "is_active": false })).await, "id").to_owned();
    let send = async || {
        post(
            client,
            "/conversations/s/messages",
            json!({ "message": "What?" }),
        )
        .await
    };
    send().await.refuses(403, "Bot is inactive");
    get(client, "/conversations/s")
        .await
        .refuses(404, "Conversation not found");
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "is_active": true }),
    )
    .await
    .gives(200);
    send().await.gives(200);
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await
    .gives(200);
    send().await.refuses(403, "Bot is inactive");
    assert_eq!(
        messages(client, "s").await.len(),
        2,
        "nothing was kept of what was refused"
    );
}

async fn without_a_bot_there_is_none_to_answer(server: &TestServer) {
    let client = &server.client;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let theirs = make_bot(&stranger, json!({})).await;
    let send = async |bot: Value| {
        post(
            client,
            "/conversations/s/messages",
            json!({ "message": "What?", "bot_id": bot }),
        )
        .await
    };
    send(Value::Null).await.refuses(404, "Bot not found");
    make_bot(client, json!({})).await;
    for bot in [
        theirs["id"].clone(),
        json!("bot-uuid-1"),
        json!("018f0000-0000-7000-8000-000000000000"),
        json!(""),
    ] {
        send(bot).await.refuses(404, "Bot not found");
    }
    send(json!(5)).await.refuses(400, "Invalid field: bot_id");
    assert!(get(client, "/conversations").await.lists().is_empty());
}
