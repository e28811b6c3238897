//! What paragraphs are by their styles.

use std::collections::HashMap;

use domain::documents::ReadError;

use super::package::{Token, Xml, attribute, value};

/// More styles than Word allows, which is 4,079.
const STYLES_MAX: usize = 10_000;
/// Styles stand on others, in chains that may be made to be endless.
const CHAIN_MAX: usize = 20;
/// Outline levels below are those of body text (ECMA-376, part 1, 17.3.1.20).
const BODY_LEVEL: u8 = 9;

/// The styles of a document by their ids.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

/// What a style, or a paragraph itself, says of a paragraph.
#[derive(Debug, Default, Clone)]
pub(super) struct Style {
    /// The style that this one stands on.
    pub(super) based_on: Option<String>,
    /// From 1, or 0 for body text.
    pub(super) heading: Option<u8>,
    /// The list it belongs to; "0" for none.
    pub(super) list: Option<String>,
    /// How many lists that one is nested in.
    pub(super) depth: Option<usize>,
}

impl Style {
    /// Takes what one of the elements within `w:pPr` says.
    pub(super) fn take(&mut self, name: &str, value: Option<String>) {
        match name {
            "pStyle" | "basedOn" => self.based_on = value,
            "outlineLvl" => {
                let level = value.and_then(|level| level.parse::<u8>().ok());
                self.heading = level.map(|level| if level < BODY_LEVEL { level + 1 } else { 0 });
            }
            "numId" => self.list = value,
            "ilvl" => self.depth = value.and_then(|depth| depth.parse().ok()),
            _ => {}
        }
    }

    /// Fills in what another says and this one leaves open.
    fn inherit(&mut self, other: &Self) {
        self.heading = self.heading.or(other.heading);
        if self.list.is_none() {
            self.list.clone_from(&other.list);
        }
        self.depth = self.depth.or(other.depth);
    }
}

impl Styles {
    /// Reads the part of the styles (ECMA-376, part 1, 17.7).
    pub(super) fn read(xml: &mut Xml<'_, '_>) -> Result<Self, ReadError> {
        let mut styles = HashMap::new();
        let mut open: Option<(String, Style)> = None;
        while let Some(token) = xml.next()? {
            match token {
                Token::Open(element) => match (element.local_name().into_inner(), &mut open) {
                    ("style", _) => {
                        let id = attribute(&element, "styleId").unwrap_or_default();
                        open = Some((id, Style::default()));
                    }
                    ("name", Some((_, style))) => {
                        style.heading = value(&element)
                            .as_deref()
                            .and_then(heading)
                            .or(style.heading);
                    }
                    // A name says more than an outline level, and comes first.
                    ("outlineLvl", Some((_, style))) if style.heading.is_some() => {}
                    (name, Some((_, style))) => style.take(name, value(&element)),
                    (_, None) => {}
                },
                Token::Close(element) if element.local_name().into_inner() == "style" => {
                    styles.extend(open.take().filter(|_| styles.len() < STYLES_MAX));
                }
                _ => {}
            }
        }
        Ok(Self(styles))
    }

    /// What a paragraph is by what it says itself and by the styles it stands on.
    pub(super) fn resolve(&self, mut paragraph: Style) -> Style {
        let mut next = paragraph.based_on.clone();
        for _ in 0..CHAIN_MAX {
            let Some(id) = &next else { break };
            let Some(style) = self.0.get(id) else {
                // Programs that write no styles still use the ids of Word's.
                paragraph.heading = paragraph.heading.or_else(|| heading(id));
                break;
            };
            paragraph.inherit(style);
            next.clone_from(&style.based_on);
        }
        paragraph
    }
}

/// The level of a heading by the name of its style, which Word writes in English whatever it shows.
fn heading(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(1);
    }
    let level = name.strip_prefix("heading")?.trim().parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}
