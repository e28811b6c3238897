//! Promises of every port that writes: a caller that goes away leaves nothing half done, and the store works on.

use std::time::Duration;

use domain::messages::Author;

use super::Ports;
use super::given::{
    NOON, after, content, id, incoming, new_bot, new_source, received, reply, tenant,
    tenant_with_bot, turn, welcoming_bot,
};
use super::races::{at_once, drop_after, eventually};
use super::seen::{check_usage, conversations, everything};

/// How long callers wait before they go: from a single poll to longer than the work takes.
fn patience(number: usize) -> Duration {
    Duration::from_micros([0, 50, 200, 500, 1_000, 2_000, 5_000, 20_000][number % 8])
}

/// A message whose sender is gone after the first poll is stored whole or not at all, and the session goes on.
pub async fn a_message_whose_sender_is_gone_is_whole_or_nothing(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    for number in 0..24 {
        let session = number.to_string();
        let message = incoming(&session, "Hello?");
        drop_after(patience(number), s.conversations.receive(tenant, &message)).await;
        turn(s, tenant, &session, after(1)).await;
    }
    eventually(|| check_usage(s, tenant)).await;
    let all = conversations(s, tenant).await;
    assert_eq!(all.len(), 24);
    for (conversation, said) in all {
        super::conversations::check_order(&said);
        assert!(
            said.len() == 3 || said.len() == 4,
            "{}",
            conversation.session_id
        );
        assert_eq!(said[0].author, Author::Bot);
        assert_eq!(said[0].text, "Welcome!");
    }
}

/// An answer whose caller is gone is stored whole or not at all.
pub async fn an_answer_whose_caller_is_gone_is_whole_or_nothing(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for number in 0..24 {
        let question = received(s, tenant, &incoming("session", "Hello?")).await;
        let answer = reply(&question, "Hi");
        drop_after(patience(number), s.conversations.reply(tenant, &answer)).await;
    }
    turn(s, tenant, "session", after(1)).await;
    eventually(|| check_usage(s, tenant)).await;
}

/// Bots, sources and deletions whose callers are gone are whole or nothing, and the store works on.
pub async fn changes_whose_callers_are_gone_are_whole_or_nothing(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for number in 0..16 {
        let content = content(50);
        let source = new_source(&bot, &content);
        drop_after(
            patience(number),
            s.knowledge.create(&source, &content, None),
        )
        .await;
        let new = new_bot(tenant);
        drop_after(patience(number), s.bots.create(&new, Some(100))).await;
        if number % 2 == 0 {
            drop_after(patience(number / 2), s.bots.delete(tenant, new.id)).await;
        }
    }
    super::given::bot(s, tenant).await;
    eventually(|| async {
        let seen = everything(s, tenant).await;
        let whole = |chunks: &Vec<_>| chunks.len() == 50;
        if seen.usage.bots != seen.bots.len() as u64 {
            return Err(format!(
                "{} bots are counted, {} are there",
                seen.usage.bots,
                seen.bots.len()
            ));
        }
        if !seen.sources.iter().all(|(_, _, chunks, _)| whole(chunks)) {
            return Err("a source is not whole".into());
        }
        Ok(())
    })
    .await;
    let defaults = s.bots.all(tenant).await.unwrap();
    assert_eq!(defaults.iter().filter(|bot| bot.is_default).count(), 1);
}

/// Many callers that go away at once neither block the store nor use it up.
pub async fn many_callers_gone_at_once_do_not_use_the_store_up(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    at_once(s, 200, move |s, number| async move {
        let message = incoming(&(number % 5).to_string(), "Hello?");
        drop_after(patience(number), s.conversations.receive(tenant, &message)).await;
        drop_after(patience(number / 8), s.conversations.find(tenant, "1")).await;
    })
    .await;
    let done = tokio::time::timeout(Duration::from_secs(20), turn(s, tenant, "after", NOON)).await;
    assert!(done.is_ok(), "the store takes no more work");
    let unknown = s.conversations.find_turn(tenant, id()).await.unwrap();
    assert_eq!(unknown, None);
    eventually(|| check_usage(s, tenant)).await;
}
