use domain::actors::Actor;
use domain::documents::FileKind;
use domain::knowledge::{
    KnowledgeSource, Progress, ProgressUnit, SourceContent, SourceStatus, SourceType, Stage,
    Staged, UPLOAD_MAX,
};
use domain::{BotId, Error, Result, SourceId};

use crate::App;

/// A file to answer from.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// The bot that will answer from it.
    pub bot_id: BotId,
    /// The source's name, where it is not the file's.
    pub name: Option<String>,
    /// The file's name as the client sent it.
    pub file_name: String,
    /// The file, whole.
    pub bytes: Vec<u8>,
}

/// Keeps a file safely and has it read soon.
///
/// # Errors
/// [`Error::Invalid`] for a type that can't be read; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "knowledge.upload", skip_all)]
pub async fn upload(
    app: &App,
    actor: &Actor,
    id: SourceId,
    new: NewUpload,
) -> Result<KnowledgeSource> {
    let file_name = without_folders(&new.file_name);
    if file_name.is_empty() {
        return Err(Error::missing("file"));
    }
    if FileKind::of_name(&file_name).is_none() {
        let kinds: Vec<_> = FileKind::ALL
            .iter()
            .map(|kind| kind.as_str().to_uppercase())
            .collect();
        return Err(Error::invalid(
            "file",
            format!(
                "The file's type is not supported; these are: {}.",
                kinds.join(", ")
            ),
        ));
    }
    if new.bytes.len() > UPLOAD_MAX {
        return Err(Error::invalid("file", "The file is larger than 10 MB."));
    }
    super::check_bot(app, actor, new.bot_id).await?;
    let name = new
        .name
        .map_or_else(|| file_name.clone(), |name| super::fitting_name(&name));
    let source = KnowledgeSource {
        status: SourceStatus::Processing,
        size_bytes: new.bytes.len() as u64,
        progress: Some(Progress {
            stage: Stage::Waiting,
            unit: ProgressUnit::Bytes,
            done: 0,
            total: new.bytes.len() as u64,
        }),
        file_name: Some(file_name),
        ..super::ready(
            app,
            actor,
            id,
            new.bot_id,
            name,
            SourceType::File,
            &SourceContent::default(),
        )
    };
    let staged = Staged {
        job_id: app.ids.uuid().into(),
        file: Some(new.bytes),
    };
    super::stage(app, actor, source, staged).await
}

/// A file's own name: what stands behind the last slash of either kind, without control characters, cut to
/// what a name may have (its ending stays).
fn without_folders(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim();
    if clean.chars().count() <= domain::text::NAME_MAX as usize {
        return clean.to_owned();
    }
    let (stem, ending) = clean.rsplit_once('.').unwrap_or((clean, ""));
    let room = (domain::text::NAME_MAX as usize).saturating_sub(ending.chars().count() + 1);
    format!("{}.{ending}", domain::text::preview(stem, room))
}

#[cfg(test)]
mod tests {
    use super::without_folders;

    #[test]
    fn only_the_name_is_left() {
        for (given, kept) in [
            ("a.txt", "a.txt"),
            ("../../etc/a.txt", "a.txt"),
            ("C:\\docs\\a.txt", "a.txt"),
            ("a\u{0}b\n.txt", "ab.txt"),
            ("日本語.md", "日本語.md"),
            ("dir/", ""),
        ] {
            assert_eq!(without_folders(given), kept);
        }
        let long = without_folders(&format!("{}.txt", "x".repeat(300)));
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with(".txt"));
    }
}
