//! The document's words for what the domain calls otherwise, and how its parameters are read.

use domain::analytics::Days;
use domain::bots::ChannelType;
use domain::knowledge::SourceType;
use domain::messages::Feedback;
use domain::paging::{PageRequest, PageSizes};
use domain::{ConversationId, Error, Resource, Result, Timestamp};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::macros::{date, format_description};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::http::params::number;

/// The document's word for a channel.
pub fn source(channel: ChannelType) -> String {
    match channel {
        ChannelType::Webchat => "EMBED".to_owned(),
        ChannelType::Api => "PREVIEW".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

/// The document's word for what a source of knowledge is.
pub const fn knowledge(kind: SourceType) -> &'static str {
    match kind {
        SourceType::File => "DOCUMENT",
        SourceType::Qa => "QA",
        SourceType::Url => "LINK",
        SourceType::Text => "TEXT",
    }
}

/// The document's word for a feedback.
pub const fn feedback(feedback: Feedback) -> &'static str {
    match feedback {
        Feedback::Positive => "POSITIVE",
        Feedback::Negative => "NEGATIVE",
    }
}

/// The value of a closed list for a word of the document.
///
/// # Errors
/// [`Error::Invalid`], naming the accepted words.
pub fn read<T: Copy>(
    field: &'static str,
    word: &str,
    all: &[T],
    told: impl Fn(T) -> String,
) -> Result<T> {
    let found = all.iter().copied().find(|&value| told(value) == word);
    found.ok_or_else(|| {
        let all: Vec<_> = all.iter().map(|&value| told(value)).collect();
        let problem = format!("The '{field}' field must be one of: {}.", all.join(", "));
        Error::invalid(field, problem)
    })
}

/// The most items of a page.
const MOST: u32 = 250;

/// A page by `page` and `limit`: 20 items where the client does not say, 250 at most.
///
/// # Errors
/// [`Error::Invalid`].
pub fn page(page: Option<&str>, limit: Option<&str>) -> Result<PageRequest> {
    let (page, limit) = (number("page", page)?, number("limit", limit)?);
    PageRequest::sized(page, limit, sizes("limit"))
}

/// As [`page`], of a list that the document gives whole: as many items as there may be, where the client does not say.
///
/// # Errors
/// [`Error::Invalid`].
pub fn whole(page: Option<&str>, limit: Option<&str>) -> Result<PageRequest> {
    let most = MOST.to_string();
    self::page(page, limit.or(Some(&most)))
}

/// A page by `skip` and `take`, as large as [`page`]'s.
///
/// # Errors
/// [`Error::Invalid`].
pub fn part(skip: Option<&str>, take: Option<&str>) -> Result<PageRequest> {
    let skip = number("skip", skip)?.unwrap_or_default();
    PageRequest::skipping(skip, number("take", take)?, sizes("take"))
}

const fn sizes(name: &'static str) -> PageSizes {
    PageSizes {
        name,
        default: 20,
        max: MOST,
    }
}

/// A conversation's id.
///
/// # Errors
/// [`Error::NotFound`]: what is no id is nobody's conversation.
pub fn conversation_id(text: &str) -> Result<ConversationId> {
    ConversationId::parse(text).ok_or(Error::NotFound(Resource::Conversation))
}

const DAY: &[BorrowedFormatItem] = format_description!("[year]-[month]-[day]");

/// A moment, or a whole day.
enum When {
    Day(Date),
    Moment(Timestamp),
}

fn when(name: &'static str, text: &str) -> Result<When> {
    if let Ok(day) = Date::parse(text, DAY) {
        return Ok(When::Day(day));
    }
    let with_offset = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING))
        .map(|moment| moment.to_offset(UtcOffset::UTC));
    // Without an offset it is in UTC, as all times here are.
    let moment = with_offset
        .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(|at| at.assume_utc()));
    moment.map(When::Moment).map_err(|_| {
        let problem = format!(
            "The '{name}' parameter must be a date (2026-01-31) or a time (2026-01-31T12:00:00Z)."
        );
        Error::invalid(name, problem)
    })
}

fn midnight(day: Date) -> Timestamp {
    PrimitiveDateTime::new(day, Time::MIDNIGHT).assume_utc()
}

/// The moment that a period begins with.
///
/// # Errors
/// [`Error::Invalid`].
pub fn beginning(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let begins = |text| {
        Ok(match when(name, text)? {
            When::Day(day) => midnight(day),
            When::Moment(moment) => moment,
        })
    };
    text.map(begins).transpose()
}

/// The moment before which a period ends: a day that is named belongs to it, and so does a moment.
///
/// # Errors
/// [`Error::Invalid`].
pub fn end(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let ends = |text| {
        Ok(match when(name, text)? {
            When::Day(day) => midnight(day.next_day().unwrap_or(day)),
            When::Moment(moment) => {
                let next = moment.checked_add(time::Duration::MICROSECOND);
                next.unwrap_or(moment)
            }
        })
    };
    text.map(ends).transpose()
}

/// A moment that something happened at.
///
/// # Errors
/// [`Error::Invalid`] for anything but a time with its offset.
pub fn moment(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let read = |text| match when(name, text) {
        Ok(When::Moment(moment)) if YEARS.contains(&moment.year()) => {
            let micros = moment.nanosecond() / 1_000 * 1_000;
            Ok(moment.replace_nanosecond(micros).unwrap_or(moment))
        }
        _ => Err(Error::invalid(
            name,
            format!("The '{name}' field must be a time such as 2026-01-31T12:00:00Z."),
        )),
    };
    text.map(read).transpose()
}

/// When something that is told of can have happened.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// The days between two dates, both included; without them, all days that there are.
///
/// # Errors
/// [`Error::Invalid`], also where `to` is before `from`.
pub fn days(from: Option<&str>, to: Option<&str>) -> Result<Days> {
    let day = |name, text: Option<&str>| {
        let found = text.map(|text| when(name, text)).transpose()?;
        Ok::<_, Error>(found.map(|when| match when {
            When::Day(day) => day,
            When::Moment(moment) => moment.date(),
        }))
    };
    let days = Days {
        first: day("from", from)?.unwrap_or(date!(1970 - 01 - 01)),
        last: day("to", to)?.unwrap_or(date!(9998 - 12 - 31)),
    };
    if days.last < days.first {
        return Err(Error::invalid(
            "to",
            "The 'to' parameter must not be before 'from'.",
        ));
    }
    Ok(days)
}
