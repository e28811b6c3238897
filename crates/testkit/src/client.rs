//! A client of the Tenant API, with types for what it answers.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A client of one tenant.
#[derive(Clone)]
pub struct Client {
    base: String,
    key: Option<String>,
    http: reqwest::Client,
}

/// Why a call did not give what it should have.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached, or broke off.
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    /// The server refused.
    #[error("{status}: {error}: {message}")]
    Refused {
        /// Status code.
        status: u16,
        /// The short phrase.
        error: String,
        /// The sentence.
        message: String,
    },
    /// The answer is not of the documented shape.
    #[error("the answer can't be read: {0}")]
    Shape(#[from] serde_json::Error),
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body, null where it is not JSON.
    pub body: Value,
    /// The body in words.
    pub text: String,
}

impl Answer {
    /// A header in words; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn data<T: DeserializeOwned>(mut self) -> Result<T, ClientError> {
        if !StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success()) {
            let word = |name: &str| self.body[name].as_str().unwrap_or_default().to_owned();
            return Err(ClientError::Refused {
                status: self.status,
                error: word("error"),
                message: word("message"),
            });
        }
        Ok(serde_json::from_value(self.body["data"].take())?)
    }
}

/// A bot to be made; what is `None` takes the API's default.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are the API's")]
pub struct NewBot {
    pub name: String,
    pub channel_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl NewBot {
    /// A web chat bot of this name, without a welcome message.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            channel_type: "webchat".to_owned(),
            description: None,
            welcome_message: None,
            system_prompt: None,
            is_active: None,
            language: None,
        }
    }
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[expect(missing_docs, reason = "the fields are the API's")]
        pub struct $name { $(pub $field: $type),+ }
    )+};
}

answers! {
    /// A bot.
    Bot { id: String, name: String, channel_type: String, description: Option<String>, welcome_message: Option<String>,
          system_prompt: String, is_active: bool, language: String, personality: Option<String>, bot_role: Option<String> }
    /// A visitor's message and the bot's answer.
    Turn { user_message: Sent, bot_response: Sent }
    /// A message that was just stored.
    Sent { id: String, message: String, created_at: String }
    /// A conversation.
    Conversation { id: String, session_id: String, bot_id: String, bot_name: String, user_identifier: Option<String>,
                   user_name: Option<String>, user_email: Option<String>, channel: String, status: String,
                   started_at: String, ended_at: Option<String>, created_at: String }
    /// A conversation with its messages.
    ConversationDetails { session: Conversation, messages: Vec<Message> }
    /// A message in its conversation.
    Message { id: String, sender: String, message: String, message_type: String, created_at: String }
    /// Where a page stands.
    Pagination { page: u32, per_page: u32, total: u64, pages: u64, has_prev: bool, has_next: bool }
    /// What is known of a knowledge source.
    Source { id: String, bot_id: String, bot_name: String, name: String, source_type: String, file_path: Option<String>,
             status: String, created_at: String }
    /// A knowledge source with its content and chunks.
    SourceDetails { source: Value, chunks: Vec<Value> }
    /// What retrieval finds.
    SearchResults { answerable: f32, results: Vec<Value> }
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// The page's items.
    pub data: Vec<T>,
    /// Where it stands.
    pub pagination: Pagination,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Client {
    /// A client of the server at `base` (`http://host:port`).
    pub fn new(base: &str, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::without_key(base)
        }
    }

    /// A client that shows no key, or one that each request brings itself.
    pub fn without_key(base: &str) -> Self {
        crate::choose_cryptography();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's client speaks to the test's own server"
        )]
        let http = reqwest::Client::new();
        Self {
            base: base.to_owned(),
            key: None,
            http,
        }
    }

    /// A request with the key, to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_outside(method, &format!("/api/v1{path}"))
    }

    /// A request with the key, to any path of the server.
    pub fn request_outside(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        }
    }

    /// Sends a request and reads the answer, whatever it is.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn answer(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }

    /// GET, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// POST of JSON, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, ClientError> {
        self.answer(self.request(Method::POST, path).json(body))
            .await
    }

    /// PUT of JSON, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Result<Answer, ClientError> {
        self.answer(self.request(Method::PUT, path).json(body))
            .await
    }

    /// PATCH, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Answer, ClientError> {
        self.answer(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// DELETE, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn delete(&self, path: &str) -> Result<Answer, ClientError> {
        self.answer(self.request(Method::DELETE, path)).await
    }

    /// Makes a bot.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_bot(&self, bot: &NewBot) -> Result<Bot, ClientError> {
        self.post("/bots", bot).await?.data()
    }

    /// One bot.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn bot(&self, id: &str) -> Result<Bot, ClientError> {
        self.get(&format!("/bots/{id}")).await?.data()
    }

    /// Sends a message to the conversation of this name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, session_id: &str, message: &str) -> Result<Turn, ClientError> {
        self.post(
            &format!("/conversations/{}/messages", encode(session_id)),
            &json!({ "message": message }),
        )
        .await?
        .data()
    }

    /// A conversation with its messages.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn conversation(&self, session_id: &str) -> Result<ConversationDetails, ClientError> {
        self.get(&format!("/conversations/{}", encode(session_id)))
            .await?
            .data()
    }

    /// Adds words to a bot's knowledge; answers the source's id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_text(
        &self,
        bot_id: &str,
        name: &str,
        content: &str,
    ) -> Result<String, ClientError> {
        let body =
            json!({ "bot_id": bot_id, "name": name, "source_type": "text", "content": content });
        self.post("/knowledge/sources", &body)
            .await?
            .data::<Made>()
            .map(|made| made.id)
    }

    /// Uploads a file, whatever comes.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn upload(
        &self,
        bot_id: &str,
        file_name: &str,
        bytes: Vec<u8>,
    ) -> Result<Answer, ClientError> {
        let form = Form::new()
            .text("bot_id", bot_id.to_owned())
            .part("file", Part::bytes(bytes).file_name(file_name.to_owned()));
        self.answer(
            self.request(Method::POST, "/knowledge/upload")
                .multipart(form),
        )
        .await
    }

    /// A knowledge source with its content and chunks.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn source(&self, id: &str) -> Result<SourceDetails, ClientError> {
        self.get(&format!("/knowledge/sources/{id}")).await?.data()
    }

    /// What retrieval finds for a question.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn search(&self, bot_id: &str, query: &str) -> Result<SearchResults, ClientError> {
        self.post(
            "/knowledge/search",
            &json!({ "bot_id": bot_id, "query": query }),
        )
        .await?
        .data()
    }

    /// A page of a list, such as `/bots?page=2`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Page<T>, ClientError> {
        let answer = self.get(path).await?;
        if answer.status != 200 {
            return Err(answer
                .data::<Value>()
                .err()
                .unwrap_or(ClientError::Refused {
                    status: 0,
                    error: String::new(),
                    message: String::new(),
                }));
        }
        Ok(serde_json::from_value(answer.body)?)
    }
}

/// Percent-encodes a path segment. (`.` and `..` can't be sent by this client: URLs take them for steps between
/// folders, however they are encoded.)
pub fn encode(segment: &str) -> String {
    segment
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
