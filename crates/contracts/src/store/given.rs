//! What clauses start from: values that are valid, distinct, and the same length of a line to ask for.

use domain::bots::{Bot, BotRole, ChannelType, Personality};
use domain::conversations::{EndUserDetails, Incoming, NewConversationIds, Received, Reply};
use domain::jobs::NextRun;
use domain::keys::{ApiKey, ApiSecret, KeyHash, KeyKind};
use domain::knowledge::{
    ChunkDraft, CrawlPlan, Draft, Edition, KnowledgeSource, PREVIEW_LEN, Progress, ProgressUnit,
    SourceContent, SourceStatus, SourceType, Stage, Staged,
};
use domain::language::Language;
use domain::messages::Message;
use domain::paging::PageRequest;
use domain::plans::{Plan, PlanLimits};
use domain::tenants::Tenant;
use domain::text::preview;
use domain::websites::{CrawlScope, PageMark, WebPage};
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
    let secret = ApiSecret::new(KeyKind::Tenant, random);
    let key = ApiKey {
        id: id(),
        tenant_id: tenant,
        bot_id: None,
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
        evaluation_gate: false,
        connections: 0,
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
        contact: None,
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
        pages: Vec::new(),
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
        enabled: true,
        error: None,
        content_preview: preview(&content.text, PREVIEW_LEN).into(),
        file_name: None,
        url: None,
        crawl: None,
        pages: None,
        failures: Vec::new(),
        size_bytes: content.text.len() as u64,
        chunk_count: content.chunks.len() as u32,
        progress: None,
        synced_at: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A text source that is kept.
pub async fn source(s: &Ports, bot: &Bot) -> SourceId {
    let content = content(3);
    let source = new_source(bot, &content);
    s.knowledge.create(&source, &content, None).await.unwrap();
    source.id
}

/// A source whose file is still to be read, not kept yet.
pub fn new_upload(bot: &Bot, bytes: &[u8]) -> (KnowledgeSource, Staged) {
    let source = KnowledgeSource {
        source_type: SourceType::File,
        status: SourceStatus::Processing,
        file_name: Some("handbook.txt".into()),
        size_bytes: bytes.len() as u64,
        progress: Some(progress(ProgressUnit::Bytes, 0, bytes.len() as u64)),
        ..new_source(bot, &SourceContent::default())
    };
    let file = Staged {
        job_id: id(),
        file: Some(bytes.to_vec()),
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

/// Progress of a source that waits for its turn.
pub const fn progress(unit: ProgressUnit, done: u64, total: u64) -> Progress {
    Progress {
        stage: Stage::Waiting,
        unit,
        done,
        total,
    }
}

/// A page of `https://example.com` as it is at some time.
pub fn web_page(name: &str, words: &str) -> WebPage {
    WebPage {
        url: format!("https://example.com/{name}"),
        title: format!("Page {name}"),
        markdown: words.into(),
        mark: PageMark {
            etag: Some(format!("\"{words}\"")),
            last_modified: None,
            content_hash: format!("hash of {words}"),
        },
    }
}

/// A site that was read, of these pages and a chunk for each, not kept yet. It is read again only when asked.
pub fn new_site(bot: &Bot, pages: Vec<WebPage>) -> (KnowledgeSource, SourceContent) {
    let content = SourceContent {
        pages,
        ..content(2)
    };
    let source = KnowledgeSource {
        source_type: SourceType::Url,
        url: Some("https://example.com/".into()),
        crawl: Some(CrawlPlan {
            include_subpages: true,
            scope: CrawlScope::Domain,
            max_pages: 50,
            resync_hours: None,
        }),
        pages: Some(content.pages.len() as u32),
        synced_at: Some(NOON),
        ..new_source(bot, &content)
    };
    (source, content)
}

/// A site of the pages `a` and `b` that is kept, to be read again at some time or when asked.
pub async fn site(s: &Ports, bot: &Bot, next: Option<NextRun>) -> KnowledgeSource {
    let pages = vec![web_page("a", "One"), web_page("b", "Two")];
    let (source, content) = new_site(bot, pages);
    s.knowledge.create(&source, &content, next).await.unwrap();
    source
}

/// A run of a new job.
pub fn run_at(due: Timestamp) -> NextRun {
    NextRun { job_id: id(), due }
}

/// Begins a draft of a source that is there.
pub async fn begin(s: &Ports, tenant: TenantId, source: SourceId) -> Draft {
    s.knowledge.begin(tenant, source).await.unwrap().unwrap()
}

/// The edition that a draft of this content is.
pub fn edition(content: &SourceContent) -> Edition {
    Edition {
        text: Some(content.text.clone()),
        content_preview: preview(&content.text, PREVIEW_LEN).into(),
        size_bytes: None,
        chunk_count: content.chunks.len() as u32,
        pages: None,
        failures: Vec::new(),
    }
}

/// Reads a source from its beginning to its end. `false`: it is gone, or somebody else reads it.
pub async fn read(
    s: &Ports,
    tenant: TenantId,
    source: SourceId,
    content: &SourceContent,
    at: Timestamp,
) -> bool {
    let Some(draft) = s.knowledge.begin(tenant, source).await.unwrap() else {
        return false;
    };
    let kept = s.knowledge.append(draft, 0, &content.chunks, at).await;
    kept.unwrap()
        && s.knowledge
            .publish(draft, &edition(content), at)
            .await
            .unwrap()
}

/// The id of a bot that nobody has.
pub fn no_bot() -> BotId {
    id()
}
