//! `/messages`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use application::conversations;
use domain::conversations::Exchange;
use domain::receipts::{Citation, Receipt};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope;
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::http::params;
use crate::state::State;

/// How a bot's answer came to be.
#[derive(Serialize, ToSchema)]
pub struct ReceiptView {
    message_id: Uuid,
    #[schema(example = "session-123")]
    session_id: String,
    bot_id: Uuid,
    /// The visitor's message that it answers.
    question: QuestionView,
    answer: String,
    /// The provider that answered.
    #[schema(example = "extractive")]
    provider: String,
    model: Option<String>,
    /// Whether another provider had been asked before, and failed.
    fallback: bool,
    failed_providers: Vec<String>,
    /// Whether the knowledge has the answer.
    grounded: bool,
    /// How sure retrieval was, 0 to 1, that what it found answers the question.
    answerable: f32,
    /// The chunks that it was made from, best first.
    citations: Vec<CitationView>,
    /// SHA-256 of all that the provider was asked with: two answers with the same hash had the same to go by.
    prompt_hash: String,
    knowledge_version: i64,
    /// The model that the question was embedded by; null: it was looked for by its words alone.
    embedding_model: Option<String>,
    /// Tokens, where the provider counts them.
    tokens: Option<TokensView>,
    took_ms: u64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// What was asked.
#[derive(Serialize, ToSchema)]
struct QuestionView {
    id: Uuid,
    message: String,
}

/// A chunk that an answer was made from, as it was then.
#[derive(Serialize, ToSchema)]
struct CitationView {
    source_id: Uuid,
    source_name: String,
    chunk_id: Uuid,
    chunk_index: u32,
    heading: Option<String>,
    page: Option<u32>,
    url: Option<String>,
    score: f32,
}

/// Tokens, as the provider counts them.
#[derive(Serialize, ToSchema)]
struct TokensView {
    input: u64,
    output: u64,
}

impl From<Citation> for CitationView {
    fn from(citation: Citation) -> Self {
        Self {
            source_id: citation.source_id.0,
            source_name: citation.source_name,
            chunk_id: citation.chunk_id.0,
            chunk_index: citation.chunk_index,
            heading: citation.heading,
            page: citation.page,
            url: citation.url,
            score: citation.score,
        }
    }
}

impl From<(Exchange, Receipt)> for ReceiptView {
    fn from((exchange, receipt): (Exchange, Receipt)) -> Self {
        let Exchange {
            conversation,
            question,
            answer,
        } = exchange;
        Self {
            message_id: answer.id.0,
            session_id: conversation.session_id,
            bot_id: conversation.bot_id.0,
            question: QuestionView {
                id: question.id.0,
                message: question.text,
            },
            answer: answer.text,
            provider: receipt.provider,
            model: receipt.model,
            fallback: receipt.fallback,
            failed_providers: receipt.failed_providers,
            grounded: receipt.grounded,
            answerable: receipt.answerable,
            citations: receipt
                .citations
                .into_iter()
                .map(CitationView::from)
                .collect(),
            prompt_hash: receipt.prompt_hash,
            knowledge_version: receipt.knowledge_version,
            embedding_model: receipt.embedding_model,
            tokens: receipt.tokens.map(|tokens| TokensView {
                input: tokens.input,
                output: tokens.output,
            }),
            took_ms: receipt.took_ms,
            created_at: answer.created_at,
        }
    }
}

/// Get receipt
///
/// How a bot's answer came to be: from which chunks, by which provider and model, and how long it took.
#[utoipa::path(tag = "Tenant API: Conversations", params(("message_id" = String, Path, description = "Unique identifier of the bot's message")), responses((status = 200, body = envelope::Data<ReceiptView>)))]
#[get("/messages/{message_id}/receipt")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    message_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let id = params::message_id(&message_id)?;
    let receipt = conversations::receipt(&state.app, &caller.0, id).await?;
    Ok(envelope::data(StatusCode::OK, ReceiptView::from(receipt)))
}
