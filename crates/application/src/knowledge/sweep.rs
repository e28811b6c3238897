use domain::Result;
use domain::jobs::Job;

use super::pacing::paced;
use crate::App;
use crate::jobs::JobEnd;

/// Deletes what earlier readings of a source left.
pub(crate) async fn sweep(app: &App, job: &Job) -> Result<JobEnd> {
    while paced(app, app.knowledge.sweep(job.tenant_id, job.source())).await? {}
    Ok(JobEnd::DONE)
}
