//! Standing back behind visitors: whoever writes much writes a little, and then lets others write.

use std::time::Duration;

use domain::Result;

use crate::App;

/// How many times as long as a write took is waited before the next. A slow disk, or a busy one, so slows the reading
/// of a book, and not the answers.
const REST: u32 = 3;
/// The longest wait.
const LONGEST: Duration = Duration::from_millis(100);

/// Does a write of the background, and then waits a while.
pub(crate) async fn paced<T>(app: &App, write: impl Future<Output = Result<T>>) -> Result<T> {
    let began = app.clock.now();
    let written = write.await?;
    let took = (app.clock.now() - began).unsigned_abs();
    app.clock.sleep((took * REST).min(LONGEST)).await;
    Ok(written)
}
