//! Promises of every port that takes a tenant: another tenant sees, changes and deletes nothing.

use domain::bots::{Bot, BotChanges, BotFilter};
use domain::conversations::{ConversationFilter, Incoming};
use domain::jobs::JobKind;
use domain::knowledge::{
    Draft, DraftPage, KnowledgeSource, NewChunk, ProgressUnit, SourceChange, SourceFilter,
};
use domain::{SourceId, TenantId, Timestamp};

use super::Ports;
use super::given::{
    NOON, after, all, begin, content, edition, incoming, new_key, new_source, new_upload, progress,
    received, reply, run_at, site, source, tenant, tenant_with_bot, turn, upload, web_page,
};
use super::jobs::lease;
use super::seen::{ALL_DAYS, counts, everything};

/// A tenant that has one of everything.
async fn owner(s: &Ports) -> (TenantId, Bot) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (key, hash) = new_key(tenant, 1);
    s.keys.create(&key, hash).await.unwrap();
    turn(s, tenant, "session", NOON).await;
    source(s, &bot).await;
    upload(s, &bot, NOON).await;
    (tenant, bot)
}

/// A site with a draft of a page under way, and the chunks of an earlier draft that waits to be swept.
async fn site_with_a_draft(s: &Ports, bot: &Bot) -> (SourceId, Draft, Vec<NewChunk>) {
    let tenant = bot.tenant_id;
    let source = site(s, bot, Some(run_at(after(500)))).await.id;
    let died = begin(s, tenant, source).await;
    let left = content(1).chunks;
    s.knowledge.append(died, 0, &left, NOON).await.unwrap();
    let draft = begin(s, tenant, source).await;
    let page = DraftPage::Read(web_page("c", "Three"));
    assert!(s.knowledge.put_page(draft, 0, &page).await.unwrap());
    (source, draft, left)
}

/// Two tenants that give everything the same names see each its own.
pub async fn the_same_names_are_each_tenants_own(s: &Ports) {
    let (mine, _) = owner(s).await;
    let before = everything(s, mine).await;
    let (other, _) = owner(s).await;
    turn(s, other, "session", after(1)).await;
    s.conversations
        .end(other, "session", after(2))
        .await
        .unwrap();
    assert_eq!(everything(s, mine).await, before);
    let theirs = everything(s, other).await;
    assert_eq!((theirs.conversations.len(), theirs.usage.messages), (1, 4));
}

/// With another's ids in hand, a tenant sees nothing of theirs.
pub async fn another_tenant_sees_nothing(s: &Ports) {
    let (mine, bot) = owner(s).await;
    let seen = everything(s, mine).await;
    let message = seen.conversations[0].1[0].clone();
    for other in [tenant(s).await, tenant_with_bot(s).await.0] {
        let own_bots = s.bots.all(other).await.unwrap();
        assert!(own_bots.iter().all(|own| own.tenant_id == other));
        assert_eq!(s.bots.find(other, bot.id).await.unwrap(), None);
        let bots = s
            .bots
            .list(other, BotFilter::default(), all())
            .await
            .unwrap();
        assert_eq!(bots.total as usize, own_bots.len());
        assert_eq!(s.conversations.find(other, "session").await.unwrap(), None);
        let messages = s
            .conversations
            .messages(other, message.conversation_id)
            .await;
        assert!(messages.unwrap().is_empty());
        assert_eq!(
            s.conversations.find_turn(other, message.id).await.unwrap(),
            None
        );
        let filter = ConversationFilter {
            bot_id: Some(bot.id),
            ..Default::default()
        };
        for filter in [filter, ConversationFilter::default()] {
            assert_eq!(
                s.conversations
                    .list(other, &filter, all())
                    .await
                    .unwrap()
                    .total,
                0
            );
        }
        let filter = SourceFilter {
            bot_id: Some(bot.id),
            ..Default::default()
        };
        for filter in [filter, SourceFilter::default()] {
            assert_eq!(
                s.knowledge.list(other, filter, all()).await.unwrap().total,
                0
            );
        }
        for (source, _, chunks, _) in &seen.sources {
            let id = source.source.id;
            assert_eq!(s.knowledge.find(other, id).await.unwrap(), None);
            assert_eq!(s.knowledge.content(other, id).await.unwrap(), "");
            assert_eq!(s.knowledge.file(other, id).await.unwrap(), None);
            let pages = s.knowledge.known_pages(other, id).await.unwrap();
            assert!(pages.is_empty());
            assert!(s.knowledge.chunks(other, id).await.unwrap().is_empty());
            assert!(s.index.chunks_of(other, id).await.unwrap().is_empty());
            let ids: Vec<_> = chunks.iter().map(|chunk| chunk.id).collect();
            assert!(s.index.chunks(other, &ids).await.unwrap().is_empty());
        }
        assert_eq!(s.index.state(other, bot.id).await.unwrap(), None);
        assert!(s.index.sources(other, bot.id).await.unwrap().is_empty());
        assert!(s.keys.list(other).await.unwrap().is_empty());
        assert!(counts(s, other, Some(bot.id), ALL_DAYS).await.is_empty());
    }
}

/// Tries to read, change and fail another tenant's source, from the outside and as the draft that it has.
async fn change_nothing(s: &Ports, other: TenantId, source: SourceId, at: Timestamp) {
    let change = SourceChange {
        name: Some("Taken over".into()),
        enabled: Some(false),
        resync_hours: Some(Some(1)),
        max_pages: Some(1),
    };
    let updated = s
        .knowledge
        .update(other, source, &change, Some(run_at(at)), at)
        .await;
    assert_eq!(updated.unwrap(), None);
    let refreshed = s.knowledge.refresh(other, source, run_at(at)).await;
    assert!(!refreshed.unwrap());
    assert_eq!(s.knowledge.begin(other, source).await.unwrap(), None);
    for generation in 0..3 {
        let draft = Draft {
            tenant_id: other,
            source_id: source,
            generation,
        };
        let content = content(1);
        let appended = s.knowledge.append(draft, 9, &content.chunks, at).await;
        assert!(!appended.unwrap());
        let page = DraftPage::Read(web_page("a", "Theirs"));
        assert!(!s.knowledge.put_page(draft, 0, &page).await.unwrap());
        assert!(!s.knowledge.has_changed(draft).await.unwrap());
        assert!(s.knowledge.pages(draft, 0, 9).await.unwrap().is_empty());
        let published = s.knowledge.publish(draft, &edition(&content), at).await;
        assert!(!published.unwrap());
        assert!(!s.knowledge.discard(draft, &[], at).await.unwrap());
    }
    assert!(!s.knowledge.fail(other, source, "No.", at).await.unwrap());
    let told = progress(ProgressUnit::Pages, 1, 2);
    s.knowledge.set_progress(other, source, told).await.unwrap();
    assert!(!s.knowledge.sweep(other, source).await.unwrap());
}

/// With another's ids in hand, a tenant changes and deletes nothing of theirs.
pub async fn another_tenant_changes_nothing(s: &Ports) {
    let (mine, bot) = owner(s).await;
    let question = received(s, mine, &incoming("open", "Hello?")).await;
    let (site, draft, left) = site_with_a_draft(s, &bot).await;
    let seen = everything(s, mine).await;
    let at: Timestamp = after(99);
    for other in [tenant(s).await, tenant_with_bot(s).await.0] {
        let changes = BotChanges {
            name: Some("Taken over".into()),
            ..Default::default()
        };
        assert_eq!(
            s.bots.update(other, bot.id, &changes, at).await.unwrap(),
            None
        );
        assert_eq!(s.bots.delete(other, bot.id).await.unwrap(), None);
        for session in ["session", "new"] {
            let message = Incoming {
                bot_id: Some(bot.id),
                at,
                ..incoming(session, "Hello?")
            };
            assert!(s.conversations.receive(other, &message).await.is_err());
        }
        assert!(
            s.conversations
                .reply(other, &reply(&question, "Hi"))
                .await
                .is_err()
        );
        s.conversations.give_up(other, NOON).await.unwrap();
        assert_eq!(
            s.conversations.end(other, "session", at).await.unwrap(),
            None
        );
        for (source, ..) in &seen.sources {
            let id = source.source.id;
            change_nothing(s, other, id, at).await;
            assert!(!s.knowledge.delete(other, id).await.unwrap());
        }
        let content = content(1);
        let source = KnowledgeSource {
            tenant_id: other,
            ..new_source(&bot, &content)
        };
        assert!(s.knowledge.create(&source, &content, None).await.is_err());
        let (source, file) = new_upload(&bot, b"Words.");
        let source = KnowledgeSource {
            tenant_id: other,
            ..source
        };
        assert!(s.knowledge.stage(&source, &file).await.is_err());
        // The draft and the job are still there, and what was left waits to be swept.
        let pages = s.knowledge.pages(draft, 0, 9).await.unwrap();
        assert_eq!(pages, [(0, web_page("c", "Three"))]);
        let known = s.knowledge.known_pages(mine, site).await.unwrap();
        assert_eq!(known.len(), 3);
        let again = s.knowledge.append(draft, 1, &left, at).await;
        assert!(again.is_err(), "the chunks of an earlier reading are gone");
        for key in &seen.keys {
            assert!(!s.keys.revoke(other, key.id, at).await.unwrap());
            s.keys.touch(other, key.id, at).await.unwrap();
        }
        assert_eq!(everything(s, mine).await, seen);
    }
    assert_eq!(lease(s, &[JobKind::ReadSite], 499).await, None);
    let job = lease(s, &[JobKind::ReadSite], 500).await.unwrap();
    assert_eq!(job.source(), site);
}

/// Ids that another tenant has taken are free for this one, and stay apart.
pub async fn another_tenants_ids_are_free(s: &Ports) {
    let (mine, bot) = owner(s).await;
    let (other, own) = tenant_with_bot(s).await;
    let first = incoming("shared", "Mine");
    received(s, mine, &first).await;
    let seen = everything(s, mine).await;
    let second = Incoming {
        text: "Theirs".into(),
        ..first.clone()
    };
    let theirs = received(s, other, &second).await;
    s.conversations
        .reply(other, &reply(&theirs, "Hi"))
        .await
        .unwrap();
    let said = s
        .conversations
        .messages(other, first.new_ids.conversation)
        .await
        .unwrap();
    assert_eq!(said.len(), 2);
    for (source, ..) in &seen.sources {
        let content = content(2);
        let source = KnowledgeSource {
            id: source.source.id,
            ..new_source(&own, &content)
        };
        s.knowledge.create(&source, &content, None).await.unwrap();
        assert!(s.knowledge.delete(other, source.id).await.unwrap());
    }
    assert_eq!(bot.tenant_id, mine);
    assert_eq!(everything(s, mine).await, seen);
}
