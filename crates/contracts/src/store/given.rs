//! What clauses start from: values that are valid, distinct, and the same length of a line to ask for.

use domain::bots::{Bot, BotRole, ChannelType, Personality};
use domain::conversations::{EndUserDetails, Incoming, NewConversationIds, Received, Reply};
use domain::keys::{ApiKey, ApiSecret, KeyHash};
use domain::knowledge::{
    ChunkDraft, KnowledgeSource, SourceContent, SourceStatus, SourceType, StagedFile,
};
use domain::language::Language;
use domain::messages::Message;
use domain::paging::PageRequest;
use domain::plans::{Plan, PlanLimits};
use domain::tenants::Tenant;
use domain::{BotId, SourceId, TenantId, Timestamp};
use serde_json::json;
use time::{Duration, macros::datetime};
use uuid::Uuid;

use super::Ports;

/// No limits at all.
pub const UNLIMITED: PlanLimits = PlanLimits {
    bots: None,
    conversations_per_month: None,
    messages_per_month: None,
    requests_per_minute: None,
};

/// A moment far from the ends of its day and month, with microseconds.
pub const NOON: Timestamp = datetime!(2026-03-10 12:00:00.123457 UTC);

/// So many seconds after [`NOON`].
pub fn after(seconds: i64) -> Timestamp {
    NOON + Duration::seconds(seconds)
}

/// A new id of any type. Ids made one after the other sort in that order.
#[allow(
    clippy::disallowed_methods,
    reason = "clauses need ids that are distinct, and never look at their values"
)]
pub fn id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// A page of a list.
pub fn page(number: u32, size: u32) -> PageRequest {
    PageRequest::new(Some(number), Some(size)).unwrap()
}

/// The first page, as large as it gets.
pub fn all() -> PageRequest {
    page(1, PageRequest::MAX_PER_PAGE)
}

/// A tenant that is not kept yet.
pub fn new_tenant() -> Tenant {
    Tenant {
        id: id(),
        name: "Acme".into(),
        plan: Plan::Enterprise,
        is_active: true,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A tenant that is kept.
pub async fn tenant(s: &Ports) -> TenantId {
    let tenant = new_tenant();
    s.tenants.create(&tenant).await.unwrap();
    tenant.id
}

/// A tenant with a bot.
pub async fn tenant_with_bot(s: &Ports) -> (TenantId, Bot) {
    let tenant = tenant(s).await;
    (tenant, bot(s, tenant).await)
}

/// A key that is not kept yet, and the hash of its secret.
pub fn new_key(tenant: TenantId, number: u8) -> (ApiKey, KeyHash) {
    let mut random = [number; 32];
    random[..16].copy_from_slice(id::<Uuid>().as_bytes());
    let secret = ApiSecret::tenant(random);
    let key = ApiKey {
        id: id(),
        tenant_id: tenant,
        name: format!("Key {number}"),
        prefix: secret.visible_prefix().to_owned(),
        created_at: after(number.into()),
        last_used_at: None,
        revoked_at: None,
    };
    (key, secret.hash())
}

/// A bot with every field set, that is not kept yet.
pub fn new_bot(tenant: TenantId) -> Bot {
    Bot {
        id: id(),
        tenant_id: tenant,
        name: "Ada".into(),
        channel_type: ChannelType::Webchat,
        description: Some("Answers questions".into()),
        welcome_message: None,
        system_prompt: Some("You are Ada.".into()),
        language: Language::De,
        personality: Some(Personality::Expert),
        bot_role: Some(BotRole::Sales),
        is_active: true,
        is_default: false,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A bot that is kept.
pub async fn bot(s: &Ports, tenant: TenantId) -> Bot {
    s.bots.create(&new_bot(tenant), None).await.unwrap()
}

/// A bot that is kept, and welcomes.
pub async fn welcoming_bot(s: &Ports, tenant: TenantId, welcome: &str) -> Bot {
    let bot = Bot {
        welcome_message: Some(welcome.into()),
        ..new_bot(tenant)
    };
    s.bots.create(&bot, None).await.unwrap()
}

/// A visitor's message at [`NOON`], with all ids new and no limits.
pub fn incoming(session_id: &str, text: &str) -> Incoming {
    Incoming {
        session_id: session_id.into(),
        bot_id: None,
        channel: None,
        end_user: EndUserDetails::default(),
        text: text.into(),
        message_id: id(),
        new_ids: NewConversationIds {
            conversation: id(),
            end_user: id(),
            welcome: id(),
        },
        history: 20,
        limits: UNLIMITED,
        at: NOON,
    }
}

/// Limits on a month's messages alone.
pub fn messages_limit(most: u64) -> PlanLimits {
    PlanLimits {
        messages_per_month: Some(most),
        ..UNLIMITED
    }
}

/// Limits on a month's conversations alone.
pub fn conversations_limit(most: u64) -> PlanLimits {
    PlanLimits {
        conversations_per_month: Some(most),
        ..UNLIMITED
    }
}

/// An answer to a message, at the message's own time.
pub fn reply(received: &Received, text: &str) -> Reply {
    Reply {
        conversation_id: received.message.conversation_id,
        message_id: id(),
        reply_to: received.message.id,
        text: text.into(),
        metadata: json!({"provider": "extractive"}),
        received_at: received.message.created_at,
        at: received.message.created_at,
    }
}

/// A visitor's message that is kept.
pub async fn received(s: &Ports, tenant: TenantId, incoming: &Incoming) -> Received {
    s.conversations.receive(tenant, incoming).await.unwrap()
}

/// A whole turn at a moment: a question, and an answer.
pub async fn turn(s: &Ports, tenant: TenantId, session_id: &str, at: Timestamp) -> [Message; 2] {
    turn_of(
        s,
        tenant,
        &Incoming {
            at,
            ..incoming(session_id, "Question?")
        },
    )
    .await
}

/// A whole turn that begins with a message.
pub async fn turn_of(s: &Ports, tenant: TenantId, incoming: &Incoming) -> [Message; 2] {
    let received = received(s, tenant, incoming).await;
    let answer = s
        .conversations
        .reply(tenant, &reply(&received, "Answer."))
        .await
        .unwrap();
    [received.message, answer]
}

/// Content of so many chunks.
pub fn content(chunks: usize) -> SourceContent {
    let drafts: Vec<_> = (0..chunks)
        .map(|number| ChunkDraft {
            content: format!("Chunk {number} of many.\n"),
            heading: (number % 2 == 0).then(|| format!("Top > Part {number}")),
            page: (number % 3 == 0).then_some(number as u32 + 1),
            url: (number % 5 == 0).then(|| format!("https://example.com/{number}")),
        })
        .collect();
    SourceContent {
        text: drafts.iter().map(|draft| draft.content.as_str()).collect(),
        chunks: drafts.into_iter().map(|draft| (id(), draft)).collect(),
    }
}

/// A source that fits its content and has been read, not kept yet.
pub fn new_source(bot: &Bot, content: &SourceContent) -> KnowledgeSource {
    KnowledgeSource {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        name: "Handbook".into(),
        source_type: SourceType::Text,
        status: SourceStatus::Ready,
        error: None,
        content_preview: domain::text::preview(&content.text, domain::knowledge::PREVIEW_LEN)
            .into(),
        file_name: None,
        url: None,
        pages: None,
        failures: Vec::new(),
        size_bytes: content.text.len() as u64,
        chunk_count: content.chunks.len() as u32,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A text source that is kept.
pub async fn source(s: &Ports, bot: &Bot) -> SourceId {
    let content = content(3);
    let source = new_source(bot, &content);
    s.knowledge.create(&source, &content).await.unwrap();
    source.id
}

/// A source whose file is still to be read, not kept yet.
pub fn new_upload(bot: &Bot, bytes: &[u8]) -> (KnowledgeSource, StagedFile) {
    let source = KnowledgeSource {
        source_type: SourceType::File,
        status: SourceStatus::Processing,
        file_name: Some("handbook.txt".into()),
        size_bytes: bytes.len() as u64,
        ..new_source(bot, &SourceContent::default())
    };
    let file = StagedFile {
        bytes: bytes.to_vec(),
        job_id: id(),
    };
    (source, file)
}

/// A source whose file is kept and still to be read.
pub async fn upload(s: &Ports, bot: &Bot, at: Timestamp) -> SourceId {
    let (mut source, file) = new_upload(bot, b"Words.");
    (source.created_at, source.updated_at) = (at, at);
    s.knowledge.stage(&source, &file).await.unwrap();
    source.id
}

/// The id of a bot that nobody has.
pub fn no_bot() -> BotId {
    id()
}
