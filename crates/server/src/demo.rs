//! The demo: a tenant, a bot and its knowledge, made once, so that a new operator can ask a question at once.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use application::knowledge::{self, NewText};
use application::{App, bots, tenants};
use domain::actors::Actor;
use domain::bots::{BotRole, ChannelType, NewBot, Personality};
use domain::language::Language;
use domain::plans::Plan;

use crate::run::private_folder;

const KNOWLEDGE: &str = include_str!("../demo/knowledge.md");
/// Where the demo's key is kept, so that every start can print it. Only the demo's: others are never kept.
const KEY_FILE: &str = "demo-key";

/// What the demo has to show.
pub enum Demo {
    /// The key of the demo's tenant.
    Ready(String),
    /// The store holds something else: nothing was made.
    NotMade,
}

/// Makes the demo if the store is empty, or finds it again.
///
/// # Errors
/// Where the store or the data directory can't be written.
pub async fn prepare(app: &App, data_dir: &Path) -> anyhow::Result<Demo> {
    let key_file = data_dir.join(KEY_FILE);
    if !tenants::list(app).await?.is_empty() {
        return Ok(match std::fs::read_to_string(&key_file) {
            Ok(key) => Demo::Ready(key.trim().to_owned()),
            Err(_) => Demo::NotMade,
        });
    }
    let made = tenants::create(app, "Alpenglow Coffee", Plan::Enterprise).await?;
    let limits = app.plans.limits(made.tenant.plan);
    let actor = Actor {
        scope: domain::actors::Scope::Tenant,
        tenant: made.tenant,
        key_id: made.key.id,
        limits,
    };
    let bot = NewBot {
        name: "Alpenglow Assistant".to_owned(),
        channel_type: ChannelType::Webchat,
        description: Some("Answers questions about the coffee shop".to_owned()),
        welcome_message: Some(
            "Hi! Ask me about opening hours, orders, shipping or returns.".to_owned(),
        ),
        system_prompt: None,
        is_active: true,
        language: Language::En,
        personality: Some(Personality::Friendly),
        bot_role: Some(BotRole::CustomerSupport),
    };
    let bot = bots::create(app, &actor, app.ids.uuid().into(), bot).await?;
    let text = NewText {
        bot_id: bot.id,
        name: "Alpenglow handbook".to_owned(),
        content: KNOWLEDGE.to_owned(),
    };
    knowledge::create_text(app, &actor, app.ids.uuid().into(), text).await?;
    write_private(&key_file, made.secret.reveal())
        .with_context(|| format!("{} can't be written", key_file.display()))?;
    Ok(Demo::Ready(made.secret.reveal().to_owned()))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// What a new operator does next.
pub fn instructions(demo: &Demo, base: &str) -> String {
    match demo {
        Demo::Ready(key) => format!(
            "\nBotwright is ready. Ask the demo bot a question:\n\n  \
             curl -s {base}/api/v1/conversations/demo/messages \\\n    \
             -H 'X-API-Key: {key}' \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -d '{{\"message\": \"What are your opening hours?\"}}'\n\n\
             API key:  {key}\n\
             Pages:    {base}/docs  (the API, to read and to try)\n\
             Stop it with Ctrl-C; what was said is kept.\n"
        ),
        Demo::NotMade => format!(
            "\nBotwright is ready at {base}.\nThe store is not empty, so no demo was made. Make a key for a tenant of yours:\n\n  \
             botwright tenant list\n  botwright key create TENANT_ID\n"
        ),
    }
}
