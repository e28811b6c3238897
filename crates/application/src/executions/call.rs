//! Calling a tool for a model.

use std::time::Duration;

use domain::conversations::Post;
use domain::executions::{Execution, Step};
use domain::retrieval::{Query, passages};
use domain::text::{MESSAGE_MAX, no_nul};
use domain::tools::{HttpCall, HttpTool, Tool, clipped};
use domain::{Clash, ConversationId, Error, Result, StepId};
use serde_json::{Value, json};

use crate::App;
use crate::agent_loops::secrets;

/// Passages that a search brings.
const PASSAGES: usize = 6;

/// Calls a tool. The outer error is one of ours; the inner one is told to the model.
pub(super) async fn call(
    app: &App,
    execution: &Execution,
    step: &Step,
    tool: &Tool,
    arguments: &Value,
    within: Duration,
) -> Result<Result<String, String>> {
    match tool {
        Tool::Http(http) => request(app, execution, step.id, http, arguments, within).await,
        Tool::KnowledgeSearch => match words(arguments, "query") {
            Ok(query) => search(app, execution, query).await.map(Ok),
            Err(problem) => Ok(Err(problem)),
        },
        Tool::SendMessage => {
            let fields = words(arguments, "conversation_id")
                .and_then(|id| Ok((id, words(arguments, "text")?)));
            match fields {
                Ok((conversation, text)) => send(app, execution, step.id, conversation, text).await,
                Err(problem) => Ok(Err(problem)),
            }
        }
    }
}

/// An argument of a tool that is built in.
fn words<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, String> {
    let words = arguments[name].as_str().unwrap_or_default();
    let length = words.chars().count() as u64;
    if words.trim().is_empty() || length > MESSAGE_MAX || no_nul(words).is_err() {
        return Err(format!(
            "The argument '{name}' must be a string of 1 to 8000 characters."
        ));
    }
    Ok(words)
}

async fn request(
    app: &App,
    execution: &Execution,
    step: StepId,
    tool: &HttpTool,
    arguments: &Value,
    within: Duration,
) -> Result<Result<String, String>> {
    let secrets = secrets(app, execution.tenant_id, execution.loop_id, tool)?;
    let call = HttpCall {
        tool,
        secrets: &secrets,
        arguments,
        step,
        within,
    };
    Ok(app.tool_caller.call(call).await)
}

async fn search(app: &App, execution: &Execution, query: &str) -> Result<String> {
    let (tenant, bot) = (execution.tenant_id, execution.bot_id);
    let not_found = || Error::NotFound(domain::Resource::Bot);
    let bot = app.bots.find(tenant, bot).await?.ok_or_else(not_found)?;
    let knowledge = app.index.state(tenant, bot.id).await?;
    let query = Query {
        tenant_id: tenant,
        bot_id: bot.id,
        knowledge: knowledge.ok_or_else(not_found)?,
        language: bot.language,
        text: query.to_owned(),
        history: Vec::new(),
        limit: PASSAGES,
    };
    let findings = app.retriever.search(&query).await?;
    let found = passages(&findings.hits);
    let found = found.iter().map(|passage| {
        json!({ "source": passage.source_name, "heading": passage.heading, "text": passage.text })
    });
    let found: Vec<_> = found.collect();
    Ok(clipped(&Value::from(found).to_string()))
}

/// Sends a message under the step's own id: sent again after a process died, it is there once.
async fn send(
    app: &App,
    execution: &Execution,
    step: StepId,
    conversation: &str,
    text: &str,
) -> Result<Result<String, String>> {
    let unknown = || Ok(Err("The bot has no such conversation.".to_owned()));
    let tenant = execution.tenant_id;
    let Some(id) = ConversationId::parse(conversation) else {
        return unknown();
    };
    let found = app.conversations.find_by_id(tenant, id).await?;
    let is_own = found.is_some_and(|found| found.bot_id == execution.bot_id);
    let owner = app.tenants.find(tenant).await?;
    let (true, Some(owner)) = (is_own, owner) else {
        return unknown();
    };
    let post = Post {
        conversation_id: id,
        message_id: step.0.into(),
        text: text.to_owned(),
        metadata: json!({ "agent_loop_id": execution.loop_id.0, "execution_id": execution.id.0 }),
        limits: app.plans.limits(owner.plan),
        at: app.clock.now(),
    };
    match app.conversations.post(tenant, &post).await {
        Ok(None) => unknown(),
        Ok(Some(_)) | Err(Error::Conflict(Clash::AlreadyExists)) => {
            app.inbox_bell.ring();
            Ok(Ok("Sent.".to_owned()))
        }
        Err(Error::Invalid { problem, .. }) => Ok(Err(format!("Not sent: {problem}"))),
        Err(Error::LimitReached(_)) => Ok(Err(
            "Not sent: the plan allows no more messages this month.".to_owned(),
        )),
        Err(error) => Err(error),
    }
}
