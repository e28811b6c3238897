//! Promises of every port that keeps text: it is kept word for word.

use domain::bots::{Bot, BotChanges};
use domain::conversations::{EndUserDetails, Incoming};
use domain::idempotency::{Admission, KeyedRequest, RecordedAnswer};
use domain::knowledge::{ChunkDraft, DraftPage, KnowledgeSource, PageFailure, SourceContent};
use domain::websites::{PageMark, WebPage};
use serde_json::json;

use super::Ports;
use super::given::{
    NOON, after, begin, id, incoming, new_bot, new_source, received, reply, tenant, tenant_with_bot,
};

/// Words that stores have been known to change.
fn hard_words() -> Vec<String> {
    let mut words: Vec<String> = [
        "plain",
        " leading and trailing \t",
        "two\nlines\r\nand\ra third\n",
        "'single' \"double\" `back` ''; DROP TABLE bots; --",
        r"back\slash \n \\ \x00 \u0000 C:\dir",
        "100% _under_score_ %s %d {} {{x}} $1 ?1 :name",
        "<b>bold</b> &amp; &#0; <!-- -->",
        "emoji 👋🏽 👨‍👩‍👧‍👦 🇺🇳",
        "שלום עולם مرحبا بالعالم",
        "日本語 中文 한국어 ไทย",
        "e\u{301} vs \u{e9}; ﬃ; ß; İi; \u{200b}\u{feff}\u{202e}right",
        "\u{1}\u{7f}\u{85}\u{fffd}\u{10ffff}",
        "null",
        "{\"text\": \"json\"}",
        "true",
        "1e3",
    ]
    .map(Into::into)
    .into();
    words.push("🙂".repeat(8_000));
    words.push("x\"'\\%\n".repeat(1_333));
    words
}

/// Messages and their answers.
pub async fn messages_are_kept_word_for_word(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for words in hard_words() {
        let question = received(s, tenant, &incoming("session", &words)).await;
        let mut answer = reply(&question, &words);
        answer.metadata = json!({"words": words, "nested": {"list": [words, 1.5, null, -7, true]}});
        let stored = s.conversations.reply(tenant, &answer).await.unwrap();
        for message in [&question.message, &stored] {
            assert_eq!(message.text, words);
            assert_eq!(message.payload, json!({"text": words}));
        }
        assert_eq!(stored.metadata, answer.metadata);
        let found = s.conversations.find_turn(tenant, question.message.id).await;
        assert_eq!(found.unwrap(), Some((question.message, Some(stored))));
    }
}

/// Session ids: any of up to 128 characters, each its own.
pub async fn session_ids_are_kept_word_for_word(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let mut sessions: Vec<String> = hard_words()
        .into_iter()
        .filter(|words| words.chars().count() <= 128)
        .collect();
    sessions.extend(
        [
            "a", "A", "a ", "a/b", "a//b", "../a", "a?b#c", "a'b", "ä", "a\u{308}",
        ]
        .map(Into::into),
    );
    sessions.push("🙂".repeat(128));
    sessions.push("x".repeat(128));
    for session in &sessions {
        received(s, tenant, &incoming(session, session)).await;
    }
    for session in &sessions {
        let found = s
            .conversations
            .find(tenant, session)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&found.session_id, session);
        let said = s.conversations.messages(tenant, found.id).await.unwrap();
        assert_eq!((said.len(), &said[0].text), (1, session));
        let ended = s
            .conversations
            .end(tenant, session, after(1))
            .await
            .unwrap();
        assert_eq!(ended.unwrap().id, found.id);
    }
}

/// What is known of a person, and identifiers that differ in a little are different people.
pub async fn people_are_kept_word_for_word(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let mut people = std::collections::BTreeSet::new();
    let short = |words: &String| words.chars().count() <= 320;
    let words: Vec<_> = hard_words()
        .into_iter()
        .filter(short)
        .chain([String::new(), "x".repeat(320)])
        .collect();
    for (number, words) in words.iter().enumerate() {
        let person = EndUserDetails {
            user_identifier: Some(words.clone()),
            user_name: Some(words.clone()),
            user_email: Some(words.clone()),
        };
        let session = number.to_string();
        received(
            s,
            tenant,
            &Incoming {
                end_user: person,
                ..incoming(&session, "Hello?")
            },
        )
        .await;
        let found = s
            .conversations
            .find(tenant, &session)
            .await
            .unwrap()
            .unwrap()
            .end_user;
        for kept in [found.identifier, found.name, found.email] {
            assert_eq!(kept.as_ref(), Some(words));
        }
        people.insert(found.id);
    }
    assert_eq!(people.len(), words.len());
}

/// A bot's texts, created or changed.
pub async fn bots_are_kept_word_for_word(s: &Ports) {
    let tenant = tenant(s).await;
    for words in hard_words() {
        let bot = Bot {
            name: words.clone(),
            description: Some(words.clone()),
            welcome_message: Some(words.clone()),
            system_prompt: Some(words.clone()),
            ..new_bot(tenant)
        };
        let bot = s.bots.create(&bot, None).await.unwrap();
        let texts = |bot: Bot| {
            [
                Some(bot.name),
                bot.description,
                bot.welcome_message,
                bot.system_prompt,
            ]
        };
        let found = s.bots.find(tenant, bot.id).await.unwrap().unwrap();
        assert!(
            texts(found)
                .iter()
                .all(|text| text.as_ref() == Some(&words)),
            "{words:?}"
        );
        let turned: String = words.chars().rev().collect();
        let changes = BotChanges {
            name: Some(turned.clone()),
            description: Some(Some(turned.clone())),
            welcome_message: Some(Some(turned.clone())),
            system_prompt: Some(Some(turned.clone())),
            ..BotChanges::default()
        };
        let changed = s
            .bots
            .update(tenant, bot.id, &changes, NOON)
            .await
            .unwrap()
            .unwrap();
        assert!(
            texts(changed)
                .iter()
                .all(|text| text.as_ref() == Some(&turned)),
            "{turned:?}"
        );
    }
}

/// Empty text that was given is not the same as none.
pub async fn empty_text_is_not_none(s: &Ports) {
    let tenant = tenant(s).await;
    let bot = Bot {
        description: Some(String::new()),
        system_prompt: Some(String::new()),
        ..new_bot(tenant)
    };
    s.bots.create(&bot, None).await.unwrap();
    let found = s.bots.find(tenant, bot.id).await.unwrap().unwrap();
    assert_eq!(
        (found.description, found.system_prompt),
        (bot.description, bot.system_prompt)
    );
}

/// Sources, their content, their chunks and their pages.
pub async fn knowledge_is_kept_word_for_word(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for words in hard_words() {
        let draft = ChunkDraft {
            content: words.clone(),
            heading: Some(words.clone()),
            page: Some(1),
            url: Some(words.clone()),
        };
        let page = WebPage {
            // As long as an address may be.
            url: words.chars().take(500).collect(),
            title: words.clone(),
            markdown: words.clone(),
            mark: PageMark {
                etag: Some(words.clone()),
                last_modified: Some(words.clone()),
                content_hash: words.clone(),
            },
        };
        let content = SourceContent {
            text: words.clone(),
            chunks: vec![(id(), draft.clone())],
            pages: vec![page.clone()],
        };
        let source = KnowledgeSource {
            name: words.clone(),
            file_name: Some(words.clone()),
            url: Some(words.clone()),
            failures: vec![PageFailure {
                url: words.clone(),
                reason: words.clone(),
            }],
            ..new_source(&bot, &content)
        };
        s.knowledge.create(&source, &content, None).await.unwrap();
        let found = s.knowledge.find(tenant, source.id).await.unwrap().unwrap();
        assert_eq!(found.source, source);
        assert_eq!(s.knowledge.content(tenant, source.id).await.unwrap(), words);
        assert_eq!(
            s.knowledge.chunks(tenant, source.id).await.unwrap()[0].draft,
            draft
        );
        assert_eq!(
            s.index.chunks_of(tenant, source.id).await.unwrap()[0].draft,
            draft
        );
        let reading = begin(s, tenant, source.id).await;
        let known = s.knowledge.known_pages(tenant, source.id).await.unwrap();
        let same = DraftPage::Same(known[0].clone());
        assert!(s.knowledge.put_page(reading, 0, &same).await.unwrap());
        let pages = s.knowledge.pages(reading, 0, 10).await.unwrap();
        assert_eq!(pages, [(0, page)]);
    }
}

/// Keys of repeated requests, and recorded answers to the byte.
pub async fn keyed_requests_are_kept_word_for_word(s: &Ports) {
    let tenant = tenant(s).await;
    let short = |words: &String| words.chars().count() <= domain::idempotency::KEY_MAX;
    for (number, key) in hard_words().into_iter().filter(short).enumerate() {
        let request = KeyedRequest {
            key: key.clone(),
            fingerprint: [number as u8; 32],
            operation_id: id(),
            at: NOON,
            stale_before: after(-180),
        };
        let begun = s.idempotency.begin(tenant, &request).await.unwrap();
        let operation_id = request.operation_id;
        assert_eq!(begun, Admission::Proceed { operation_id });
        let answer = RecordedAnswer {
            status: 201,
            content_type: "application/json".into(),
            body: (0..=255).chain(key.bytes()).collect(),
        };
        s.idempotency.finish(tenant, &key, &answer).await.unwrap();
        let again = s.idempotency.begin(tenant, &request).await.unwrap();
        assert_eq!(again, Admission::Replay(answer));
    }
}
