//! What visitors write in channels, and how it is answered: once, in order, whatever the platform does meanwhile.

use std::time::Duration;

use contracts::channels::{
    Delivered, FakeMail, FakePlatform, FakeSlack, FakeTelegram, FakeWhatsapp, Fault, Said,
};
use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::fakes::website::{FakeWebsite, Reply};
use testkit::{Builder, Client, TestServer};

use crate::channels::{beside, connect, connected, hook, show, slack_signed};
use crate::program::Place;
use crate::support::{
    ASK_HOURS, Denied, HOURS, Told, agent, agent_get, bot_that_knows, column, eventually, get,
    make_bot, messages, patch, post, started_on_both, text, usage,
};

started_on_both!(
    a_message_is_answered_where_it_came_from,
    every_platform_is_answered,
    repeats_are_answered_once,
    a_conversation_is_answered_in_its_order,
    a_busy_platform_is_waited_for,
    a_long_answer_goes_on_where_it_broke_off,
    a_dead_credential_disconnects_and_what_waits_goes_on,
    who_opens_a_chat_is_welcomed,
    who_can_not_be_answered_holds_up_nobody,
    a_sender_of_mail_is_not_believed,
    a_loop_writes_to_where_the_visitor_is,
    a_lost_channel_begins_a_loop,
);

const SOON: Duration = Duration::from_secs(30);

/// A server beside a Telegram, a bot that knows something, and its channel.
async fn stage(builder: Builder) -> (TestServer, FakeTelegram, String, String) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let bot = bot_that_knows(&server.client, HOURS).await;
    let id = connected(&server.client, &bot, &telegram).await;
    (server, telegram, bot, id)
}

/// A visitor writes.
async fn write(url: &str, channel: &str, platform: &impl FakePlatform, said: (u64, u64, &str)) {
    let (id, person, text) = said;
    let post = platform.post(&Said { id, person, text });
    let answer = hook(url, channel, &post).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

/// What reached visitors, once there is so much.
async fn delivered(platform: &impl FakePlatform, count: usize) -> Vec<Delivered> {
    eventually(SOON, "the answers arrive", async || {
        platform.delivered().len() >= count
    })
    .await;
    platform.delivered()
}

/// How often a message was sent to Telegram, well or badly.
fn sendings(telegram: &FakeTelegram) -> usize {
    let calls = telegram.calls();
    let sent = calls
        .iter()
        .filter(|call| call.path.ends_with("/sendMessage"));
    sent.count()
}

/// Waits until nothing waits in any channel: whatever would be sent wrongly is sent by then.
async fn settled(server: &TestServer, channel: &str, telegram: &FakeTelegram) {
    let before = telegram.delivered().len();
    write(&server.url(), channel, telegram, (9_999, 9_999, ASK_HOURS)).await;
    delivered(telegram, before + 1).await;
}

async fn a_message_is_answered_where_it_came_from(builder: Builder) {
    let (server, telegram, bot, id) = stage(builder).await;
    let client = &server.client;
    write(&server.url(), &id, &telegram, (1, 2, ASK_HOURS)).await;
    let answers = delivered(&telegram, 1).await;
    assert_eq!(answers[0].to, telegram.address(2));
    assert!(answers[0].text.contains("9 AM to 6 PM"), "{answers:?}");
    assert_eq!(telegram.typing(), 1);
    let talks = get(client, "/conversations?channel=telegram").await;
    let talk = &talks.lists()[0];
    assert_eq!(talk["session_id"], format!("{id}:2"));
    let said = messages(client, text(talk, "session_id")).await;
    assert_eq!(said[0].1, ASK_HOURS);
    assert_eq!(said[1].1, answers[0].text);
    let agent = agent(&server, &bot).await;
    let found = agent_get(&agent, "/conversations?source=TELEGRAM").await;
    let found = &found.grants()["data"][0];
    assert_eq!(found["source"], "TELEGRAM");
    assert_eq!(found["customer"]["name"], "Zoë Example");
    let none = agent_get(&agent, "/conversations?source=WHATSAPP").await;
    assert_eq!(none.grants()["data"], json!([]));
}

async fn every_platform_is_answered(builder: Builder) {
    let (whatsapp, slack, mail) = (
        FakeWhatsapp::start().await,
        FakeSlack::start().await,
        FakeMail::start().await,
    );
    let builder = builder
        .setting("BOTWRIGHT_GRAPH_URL", whatsapp.base_url())
        .setting("BOTWRIGHT_SLACK_URL", slack.base_url());
    let (server, _telegram, bot, _) = stage(builder).await;
    let (client, url) = (&server.client, &server.url());
    let id = connected(client, &bot, &whatsapp).await;
    write(url, &id, &whatsapp, (1, 2, ASK_HOURS)).await;
    let answers = delivered(&whatsapp, 1).await;
    assert!(answers[0].text.contains("9 AM"), "{answers:?}");
    let id = connected(client, &bot, &mail).await;
    let asked = mail.post(&Said {
        id: 1,
        person: 2,
        text: ASK_HOURS,
    });
    assert_eq!(hook(url, &id, &asked).await.status, 200);
    let answers = delivered(&mail, 1).await;
    assert_eq!(answers[0].to, mail.address(2));
    assert!(answers[0].text.contains("9 AM"), "{answers:?}");
    let id = connected(client, &bot, &slack).await;
    let asked = slack.post(&Said {
        id: 1,
        person: 2,
        text: ASK_HOURS,
    });
    let asked = slack_signed(&slack, &serde_json::from_slice(&asked.body).unwrap());
    assert_eq!(hook(url, &id, &asked).await.status, 200);
    let answers = delivered(&slack, 1).await;
    assert_eq!(answers[0].to, slack.address(2));
    let agent = agent(&server, &bot).await;
    for source in ["WHATSAPP", "EMAIL", "SLACK"] {
        let found = agent_get(&agent, &format!("/conversations?source={source}")).await;
        assert_eq!(
            found.grants()["data"].as_array().unwrap().len(),
            1,
            "{source}"
        );
    }
}

async fn repeats_are_answered_once(builder: Builder) {
    let (server, telegram, _, id) = stage(builder).await;
    let url = server.url();
    let again = || write(&url, &id, &telegram, (1, 2, ASK_HOURS));
    tokio::join!(again(), again(), again(), again());
    delivered(&telegram, 1).await;
    again().await;
    settled(&server, &id, &telegram).await;
    assert_eq!(telegram.delivered().len(), 2);
    assert_eq!(usage(&server.client).await, [1, 2, 4]);
}

async fn a_conversation_is_answered_in_its_order(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let builder = builder
        .setting("BOTWRIGHT_LLM_PROVIDER", "openai")
        .setting("BOTWRIGHT_LLM_BASE_URL", provider.base_url());
    let (server, telegram, _, id) = stage(builder).await;
    for number in 1..=6 {
        provider.next(Behaviour::answer(format!("Answer {number}.")));
    }
    // Shows the sign of typing, and does not take the first answer.
    telegram.plan(None);
    telegram.plan(Some(Fault::Broken));
    for number in 1..=6 {
        let words = format!("Question {number}");
        write(&server.url(), &id, &telegram, (number, 2, &words)).await;
    }
    delivered(&telegram, 6).await;
    let told: Vec<_> = telegram.delivered().into_iter().map(|d| d.text).collect();
    let expected: Vec<_> = (1..=6).map(|number| format!("Answer {number}.")).collect();
    assert_eq!(told, expected);
    let said = messages(&server.client, &format!("{id}:2")).await;
    let expected: Vec<_> = (1..=6)
        .flat_map(|number| [format!("Question {number}"), format!("Answer {number}.")])
        .collect();
    assert_eq!(
        said.into_iter().map(|(_, text)| text).collect::<Vec<_>>(),
        expected
    );
}

async fn a_busy_platform_is_waited_for(builder: Builder) {
    let (server, telegram, _, id) = stage(builder).await;
    for fault in [
        None,
        Some(Fault::TooMany(1)),
        Some(Fault::Broken),
        Some(Fault::HangUp),
    ] {
        telegram.plan(fault);
    }
    write(&server.url(), &id, &telegram, (1, 2, ASK_HOURS)).await;
    delivered(&telegram, 1).await;
    assert_eq!(sendings(&telegram), 4);
    settled(&server, &id, &telegram).await;
    assert_eq!((telegram.delivered().len(), sendings(&telegram)), (2, 5));
    assert_eq!(usage(&server.client).await, [1, 2, 4], "answered once");
}

async fn a_long_answer_goes_on_where_it_broke_off(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let builder = builder
        .setting("BOTWRIGHT_LLM_PROVIDER", "openai")
        .setting("BOTWRIGHT_LLM_BASE_URL", provider.base_url());
    let (server, telegram, _, id) = stage(builder).await;
    let words: Vec<_> = (0..1_500).map(|number| format!("w{number}")).collect();
    provider.always(Behaviour::answer(words.join(" ")));
    for fault in [None, None, Some(Fault::Broken)] {
        telegram.plan(fault);
    }
    write(&server.url(), &id, &telegram, (1, 2, "All of it, please")).await;
    let parts = delivered(&telegram, 2).await;
    let arrived: Vec<_> = parts
        .iter()
        .flat_map(|part| part.text.split_whitespace())
        .collect();
    assert_eq!(arrived, words);
    assert_eq!(provider.requests().len(), 1, "it is made once");
}

async fn a_dead_credential_disconnects_and_what_waits_goes_on(builder: Builder) {
    let (server, telegram, bot, id) = stage(builder).await;
    let client = &server.client;
    let site = FakeWebsite::start().await;
    site.put("/hook", Reply::text("Thanks"));
    let wanted = json!({ "url": site.url("/hook"), "events": ["channel.disconnected"] });
    post(client, "/webhooks", wanted).await.gives(201);
    telegram.plan(None);
    telegram.plan(Some(Fault::DeadToken));
    write(&server.url(), &id, &telegram, (1, 2, ASK_HOURS)).await;
    eventually(SOON, "the channel is disconnected", async || {
        show(client, &id).await["status"] == "disconnected"
    })
    .await;
    let reason = text(&show(client, &id).await, "reason").to_owned();
    let late = telegram.post(&Said {
        id: 2,
        person: 2,
        text: "Hello?",
    });
    hook(&server.url(), &id, &late)
        .await
        .refuses(410, "Channel not connected");
    eventually(SOON, "the owner is told", async || {
        !site.requests().is_empty()
    })
    .await;
    let told: Value = serde_json::from_slice(&site.requests()[0].body).unwrap();
    assert_eq!(told["type"], "channel.disconnected");
    assert_eq!(told["data"]["bot_id"], bot);
    let expected = json!({ "id": id, "name": "Ours", "type": "telegram", "reason": reason });
    assert_eq!(told["data"]["channel"], expected);
    assert!(telegram.delivered().is_empty());
    assert_eq!(connect(client, &id).await["status"], "connected");
    delivered(&telegram, 1).await;
    settled(&server, &id, &telegram).await;
    assert_eq!(telegram.delivered().len(), 2);
    assert_eq!(site.requests().len(), 1);
}

async fn who_opens_a_chat_is_welcomed(builder: Builder) {
    let (server, telegram, bot, id) = stage(builder).await;
    let client = &server.client;
    let welcome = json!({ "welcome_message": "Ask me anything!" });
    patch(client, &format!("/bots/{bot}"), welcome)
        .await
        .gives(200);
    write(&server.url(), &id, &telegram, (1, 2, "/start")).await;
    let answers = delivered(&telegram, 1).await;
    assert_eq!(answers[0].text, "Ask me anything!");
    assert!(get(client, "/conversations").await.lists().is_empty());
    write(&server.url(), &id, &telegram, (2, 2, ASK_HOURS)).await;
    delivered(&telegram, 2).await;
    let said = messages(client, &format!("{id}:2")).await;
    assert_eq!(said.len(), 3);
    assert_eq!(said[0].1, "Ask me anything!");
}

async fn who_can_not_be_answered_holds_up_nobody(builder: Builder) {
    let (server, telegram, bot, id) = stage(builder).await;
    let (client, url) = (&server.client, &server.url());
    telegram.plan(None);
    telegram.plan(Some(Fault::Blocked));
    write(url, &id, &telegram, (1, 2, ASK_HOURS)).await;
    write(url, &id, &telegram, (2, 2, ASK_HOURS)).await;
    delivered(&telegram, 1).await;
    assert_eq!(sendings(&telegram), 2, "the first is given up");
    let active = |is_active: bool| json!({ "is_active": is_active });
    let path = format!("/bots/{bot}");
    patch(client, &path, active(false)).await.gives(200);
    let typed = telegram.typing();
    write(url, &id, &telegram, (3, 2, ASK_HOURS)).await;
    eventually(SOON, "it is tried", async || telegram.typing() > typed).await;
    write(url, &id, &telegram, (4, 2, ASK_HOURS)).await;
    eventually(SOON, "and the next", async || telegram.typing() > typed + 1).await;
    patch(client, &path, active(true)).await.gives(200);
    settled(&server, &id, &telegram).await;
    assert_eq!(telegram.delivered().len(), 2);
}

async fn a_sender_of_mail_is_not_believed(builder: Builder) {
    let (server, _telegram, bot, _) = stage(builder).await;
    let client = &server.client;
    let mail = FakeMail::start().await;
    let id = connected(client, &bot, &mail).await;
    let asked = mail.post(&Said {
        id: 1,
        person: 2,
        text: ASK_HOURS,
    });
    assert_eq!(hook(&server.url(), &id, &asked).await.status, 200);
    let answers = delivered(&mail, 1).await;
    let talks = get(client, "/conversations?channel=email").await;
    let talk = talks.lists()[0].to_string();
    assert!(!talk.contains(&format!("\"{}\"", answers[0].to)), "{talk}");
    let agent = agent(&server, &bot).await;
    let leads = agent_get(&agent, "/leads").await;
    let leads = leads.grants()["data"].as_array().unwrap().clone();
    assert_eq!(column(&leads, "email"), [answers[0].to.as_str()]);
    let found = leads[0].to_string();
    assert!(
        !found.contains("identity") && !found.contains("IDENTITY"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_answered_across_kills_sqlite() {
    what_was_taken_is_answered_across_kills(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_answered_across_kills_postgres() {
    what_was_taken_is_answered_across_kills(Place::postgres().await).await;
}

/// kill -9 while messages are taken, answered and can't be sent: each is stored once, answered once and sent once, in
/// its order.
async fn what_was_taken_is_answered_across_kills(place: Place) {
    let telegram = FakeTelegram::start().await;
    let place = place
        .with("BOTWRIGHT_TELEGRAM_URL", &telegram.base_url())
        .with("BOTWRIGHT_PUBLIC_URL", crate::channels::PUBLIC);
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = text(&make_bot(&client, json!({})).await, "id").to_owned();
    let id = connected(&client, &bot, &telegram).await;
    server.kill();
    // Nobody is there: what a killed server has sent and not written down would be sent again.
    let place = place.with("BOTWRIGHT_TELEGRAM_URL", "http://127.0.0.1:9");
    for round in 0..3 {
        let server = place.serve().await;
        for number in 0..2 {
            let said = (10 * round + number, 2, "Hello there");
            write(&server.url, &id, &telegram, said).await;
        }
        server.kill();
    }
    assert!(telegram.delivered().is_empty());
    let place = place.with("BOTWRIGHT_TELEGRAM_URL", &telegram.base_url());
    let server = place.serve().await;
    let client = server.client(&key);
    // What was taken before comes again.
    write(&server.url, &id, &telegram, (0, 2, "Hello there")).await;
    delivered(&telegram, 6).await;
    write(&server.url, &id, &telegram, (99, 2, "Hello there")).await;
    delivered(&telegram, 7).await;
    assert_eq!(telegram.delivered().len(), 7);
    let said = messages(&client, &format!("{id}:2")).await;
    let senders: Vec<_> = said.iter().map(|(sender, _)| sender.as_str()).collect();
    assert_eq!(senders, ["user", "bot"].repeat(7));
    assert_eq!(usage(&client).await, [1, 1, 14]);
    server.stop().await;
}

/// A loop of a bot with these fields, by a provider.
async fn looped(client: &Client, bot: &str, provider: &FakeOpenAi, fields: Value) -> String {
    let models = json!({ "name": "Models", "kind": "openai", "base_url": provider.base_url(), "model": "small",
        "enabled": false });
    let models = post(client, &format!("/bots/{bot}/integrations"), models).await;
    let mut body = json!({ "name": "Desk", "instructions": "Look after it.", "approval": "never",
        "tools": [{ "type": "send_message" }], "integration_id": models.gives(201)["id"] });
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let made = post(client, "/agent-loops", body).await;
    text(made.gives(201), "id").to_owned()
}

/// The results of a loop's steps, once as many executions of it have ended.
async fn ended(client: &Client, id: &str, count: usize) -> Vec<Value> {
    let path = format!("/agent-loops/{id}/executions?status=completed");
    eventually(SOON, "it ends", async || {
        get(client, &path).await.lists().len() == count
    })
    .await;
    let last = get(client, &path).await.lists()[0].clone();
    let path = format!("/agent-loops/{id}/executions/{}", text(&last, "id"));
    let whole = get(client, &path).await.gives(200).clone();
    column(whole["steps"].as_array().unwrap(), "result")
        .into_iter()
        .map(Value::from)
        .collect()
}

async fn a_loop_writes_to_where_the_visitor_is(builder: Builder) {
    let (server, telegram, bot, channel) = stage(builder).await;
    let (client, url) = (&server.client, &server.url());
    let provider = FakeOpenAi::start().await;
    let id = looped(client, &bot, &provider, json!({})).await;
    write(url, &channel, &telegram, (1, 2, ASK_HOURS)).await;
    delivered(&telegram, 1).await;
    let talks = get(client, "/conversations?channel=telegram").await;
    let talk = talks.lists()[0].clone();
    let message = json!({ "conversation_id": talk["id"], "text": "Your parcel is there." });
    let send = async || {
        provider.next(Behaviour::call("send_message", message.clone()));
        provider.next(Behaviour::answer("Done."));
        let run = post(client, &format!("/agent-loops/{id}/run"), json!({})).await;
        run.gives(201);
    };
    send().await;
    let answers = delivered(&telegram, 2).await;
    assert_eq!(answers[1].to, telegram.address(2));
    assert_eq!(answers[1].text, "Your parcel is there.");
    assert_eq!(ended(client, &id, 1).await[1], "Sent.");
    let said = messages(client, text(&talk, "session_id")).await;
    assert_eq!(
        said[2],
        ("bot".to_owned(), "Your parcel is there.".to_owned())
    );
    // Where it can't be sent, it is not said.
    post(
        client,
        &format!("/channels/{channel}/disconnect"),
        json!({}),
    )
    .await
    .gives(200);
    send().await;
    let problem = ended(client, &id, 2).await[1].to_string();
    assert!(problem.contains("not connected"), "{problem}");
    assert_eq!(messages(client, text(&talk, "session_id")).await.len(), 3);
}

async fn a_lost_channel_begins_a_loop(builder: Builder) {
    let (server, telegram, bot, channel) = stage(builder).await;
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    let listens = json!({ "triggers": { "events": ["channel.disconnected"] } });
    let id = looped(client, &bot, &provider, listens).await;
    provider.always(Behaviour::answer("The owner should look."));
    telegram.plan(None);
    telegram.plan(Some(Fault::DeadToken));
    write(&server.url(), &channel, &telegram, (1, 2, ASK_HOURS)).await;
    ended(client, &id, 1).await;
    let told = &get(client, &format!("/agent-loops/{id}/executions")).await;
    assert_eq!(told.lists()[0]["input"]["type"], "channel.disconnected");
}
