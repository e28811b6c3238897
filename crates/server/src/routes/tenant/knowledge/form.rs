//! Reading `multipart/form-data`: text fields and one file, bounded while they come in.

use std::collections::HashMap;

use actix_multipart::{Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use domain::Error;
use domain::knowledge::UPLOAD_MAX;
use domain::text::CONTENT_MAX;
use futures_util::StreamExt;
use utoipa::ToSchema;

use super::bodies::CreateSource;
use crate::http::body::{SizeLimit, refuse_larger};
use crate::http::error::{ApiError, ApiResult};
use crate::http::params;

/// A file, and what frames it: boundaries, part headers and the small fields beside it.
const LIMIT: SizeLimit = SizeLimit {
    bytes: UPLOAD_MAX + 64 * 1024,
    told: "10 MB",
};
/// Fields at most; the forms here have ten.
const FIELDS: usize = 32;

/// A file to upload.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form; reading it is by hand, so that its size is bounded"
)]
pub struct UploadForm {
    /// ID of the bot to add knowledge to
    bot_id: String,
    /// The file to upload: TXT, PDF, DOC, DOCX, MD, CSV or HTML, at most 10 MB
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// A source to be made, with its file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as UploadForm")]
pub struct SourceForm {
    /// ID of the bot to add knowledge to
    bot_id: String,
    /// Name of the knowledge source
    name: String,
    /// Type of source (file, url, text)
    source_type: String,
    /// The file, for the file type
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: Option<String>,
    /// The content, for the text type
    content: Option<String>,
    /// The address, for the url type
    url: Option<String>,
    /// For the url type
    include_subpages: Option<bool>,
    /// For the url type
    max_pages: Option<u32>,
    /// For the url type
    scope: Option<String>,
    /// For the url type
    resync_hours: Option<u32>,
    /// For the url type
    background: Option<bool>,
}

/// An uploaded file.
pub struct File {
    /// Its name as the client sent it.
    pub name: String,
    /// Its bytes, whole.
    pub bytes: Vec<u8>,
}

/// A form that was read.
#[derive(Default)]
pub struct Form {
    texts: HashMap<String, String>,
    /// The field `file`.
    pub file: Option<File>,
}

impl Form {
    /// Reads a form; a request that says it is larger than a file and its framing is refused unread.
    pub async fn read(request: &HttpRequest, payload: Payload) -> ApiResult<Self> {
        refuse_larger(request, LIMIT)?;
        let mut parts = Multipart::new(request.headers(), payload);
        let mut form = Self::default();
        let mut count = 0;
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(broken)?;
            count += 1;
            if count > FIELDS {
                return Err(ApiError::BadBody("The form has too many fields".to_owned()));
            }
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part
                .content_disposition()
                .and_then(|disposition| disposition.get_filename())
                .map(str::to_owned);
            // `file` without a file name is a file all the same, one that its client forgot to name.
            let is_file = name == "file";
            let limit = if is_file {
                UPLOAD_MAX
            } else {
                CONTENT_MAX as usize * 4
            };
            let mut bytes = Vec::new();
            while let Some(piece) = part.next().await {
                let piece = piece.map_err(broken)?;
                if bytes.len() + piece.len() > limit {
                    return Err(ApiError::TooLarge(LIMIT.told));
                }
                bytes.extend_from_slice(&piece);
            }
            if is_file {
                form.file = Some(File {
                    name: file_name.unwrap_or_default(),
                    bytes,
                });
            } else {
                let text = String::from_utf8(bytes).map_err(|_| {
                    ApiError::BadBody(format!(
                        "The form field '{}' is not UTF-8 text",
                        printable(&name)
                    ))
                })?;
                form.texts.insert(name, text);
            }
        }
        Ok(form)
    }

    /// A text field, if it is there.
    pub fn text(&self, name: &str) -> Option<String> {
        self.texts.get(name).cloned()
    }

    /// The form as the JSON body that it stands for.
    pub fn into_source(self) -> Result<(CreateSource, Option<File>), Error> {
        let given = |name: &str| self.text(name).filter(|text| !text.is_empty());
        let body = CreateSource {
            bot_id: self.text("bot_id"),
            name: self.text("name"),
            source_type: self.text("source_type"),
            content: self.text("content"),
            url: self.text("url"),
            include_subpages: params::truth(
                "include_subpages",
                given("include_subpages").as_deref(),
            )?,
            max_pages: params::number("max_pages", given("max_pages").as_deref())?,
            scope: given("scope"),
            resync_hours: params::number("resync_hours", given("resync_hours").as_deref())?,
            background: params::truth("background", given("background").as_deref())?,
            // A list has no place in a form.
            pairs: None,
        };
        Ok((body, self.file))
    }
}

fn broken(error: MultipartError) -> ApiError {
    tracing::debug!(%error, "a form could not be read");
    ApiError::BadBody("The form is broken: it is cut off, or its boundary is missing".to_owned())
}

fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
