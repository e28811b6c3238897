//! Closed lists of words, as the OpenAPI document shows them: from the domain's own lists.

use domain::bots::{BotRole, ChannelType, Personality};
use domain::conversations::ConversationStatus;
use domain::knowledge::{ProgressUnit, SourceStatus, SourceType, Stage};
use domain::language::Language;
use domain::plans::Plan;
use domain::websites::CrawlScope;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

fn schema<'a>(words: impl Iterator<Item = &'a str>, types: &[Type]) -> Schema {
    let null = types.contains(&Type::Null).then_some(Value::Null);
    let words = words.map(Value::from).chain(null);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter(types.iter().cloned()))
        .enum_values(Some(words))
        .into()
}

macro_rules! words {
    ($($name:ident: $list:ty),+ ; $types:expr) => {$(
        /// The words of the domain's list.
        pub fn $name() -> Schema {
            schema(<$list>::ALL.iter().map(|word| word.as_str()), $types)
        }
    )+};
}

words! {
    channel_type: ChannelType,
    language: Language,
    status: ConversationStatus,
    source_type: SourceType,
    source_status: SourceStatus,
    stage: Stage,
    progress_unit: ProgressUnit,
    crawl_scope: CrawlScope,
    plan: Plan;
    &[Type::String]
}

/// The lists where null may stand as well.
pub mod or_null {
    use super::*;

    words! {
        channel_type: ChannelType,
        personality: Personality,
        bot_role: BotRole,
        language: Language;
        &[Type::String, Type::Null]
    }
}
