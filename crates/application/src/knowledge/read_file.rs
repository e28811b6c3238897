use domain::Result;
use domain::documents::{FileKind, ReadError};
use domain::jobs::Job;
use domain::knowledge::{ProgressUnit, Stage};

use super::publishing::{Teller, publish_document};
use crate::App;
use crate::jobs::{ATTEMPTS, JobEnd};

/// Reads an uploaded file.
#[tracing::instrument(level = "debug", name = "knowledge.read_file", skip_all)]
pub(crate) async fn read_file(app: &App, job: &Job) -> Result<JobEnd> {
    let (tenant, source) = (job.tenant_id, job.source());
    let fail = async |why: &str| {
        app.knowledge
            .fail(tenant, source, why, app.clock.now())
            .await
            .map(|_| JobEnd::DONE)
    };
    // Read before the bytes are looked at: a job leased this often without an end has ended its process.
    if job.attempts > ATTEMPTS {
        return fail("The file could not be read: reading it failed again and again.").await;
    }
    let (Some(named), Some(draft), Some(bytes)) = (
        app.knowledge.find(tenant, source).await?,
        app.knowledge.begin(tenant, source).await?,
        app.knowledge.file(tenant, source).await?,
    ) else {
        return Ok(JobEnd::DONE);
    };
    let size = named.source.size_bytes;
    Teller::new(app, draft, Stage::Reading, ProgressUnit::Bytes)
        .tell(0, size)
        .await?;
    let kind = named
        .source
        .file_name
        .as_deref()
        .and_then(FileKind::of_name)
        .unwrap_or(FileKind::Txt);
    match app.reader.read(kind, bytes).await {
        Ok(document) => {
            publish_document(app, draft, document, None, Some(ProgressUnit::Chunks)).await?;
            Ok(JobEnd::DONE)
        }
        Err(ReadError::Unreadable(why)) => fail(&why).await,
        Err(ReadError::Failed(why)) => {
            tracing::warn!(source_id = %source, attempt = job.attempts, why, "the reader failed");
            Ok(JobEnd::later(app, job))
        }
    }
}
