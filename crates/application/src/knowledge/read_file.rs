use std::time::Duration;

use domain::documents::{FileKind, ReadError};
use domain::jobs::Job;
use domain::{Result, Timestamp};

use crate::App;

/// A reader that fails this often, rather than the file, fails for good.
const ATTEMPTS: u32 = 3;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// It is done, well or badly: the source says which.
    Done,
    /// It is to be tried again from then on.
    Retry(Timestamp),
}

/// Reads an uploaded file. Done twice, it does no harm: the source is written whole or not at all.
///
/// # Errors
/// As the ports; the job's lease then runs out, and it is tried again.
#[tracing::instrument(level = "debug", name = "knowledge.read_file", skip_all)]
pub async fn read_file(app: &App, job: &Job) -> Result<JobEnd> {
    let (tenant, source) = (job.tenant_id, job.source_id);
    // Read before the bytes are looked at: a job leased this often without an end has ended its process.
    if job.attempts > ATTEMPTS {
        let error = "The file could not be read: reading it failed again and again.";
        app.knowledge
            .fail(tenant, source, error, app.clock.now())
            .await?;
        return Ok(JobEnd::Done);
    }
    let (Some(named), Some(bytes)) = (
        app.knowledge.find(tenant, source).await?,
        app.knowledge.file(tenant, source).await?,
    ) else {
        return Ok(JobEnd::Done);
    };
    let kind = named
        .source
        .file_name
        .as_deref()
        .and_then(FileKind::of_name)
        .unwrap_or(FileKind::Txt);
    match app.reader.read(kind, bytes).await {
        Ok(document) => {
            let content = super::content(app, document);
            app.knowledge
                .finish(tenant, source, &content, app.clock.now())
                .await?;
        }
        Err(ReadError::Unreadable(why)) => {
            app.knowledge
                .fail(tenant, source, &why, app.clock.now())
                .await?;
        }
        Err(ReadError::Failed(why)) => {
            tracing::warn!(source_id = %source, attempt = job.attempts, why, "the reader failed");
            let pause = Duration::from_secs(1 << job.attempts.min(5));
            return Ok(JobEnd::Retry(app.clock.now() + pause));
        }
    }
    Ok(JobEnd::Done)
}
