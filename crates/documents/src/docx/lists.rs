//! What lists look like (ECMA-376, part 1, 17.9).

use domain::documents::ReadError;

use super::package::{Token, Xml, attribute};
use crate::numbering::{Format, Numbering};

/// Reads the part of the numbering.
pub(super) fn read(xml: &mut Xml<'_, '_>) -> Result<Numbering, ReadError> {
    let mut numbering = Numbering::default();
    let (mut kind, mut list, mut depth) = (String::new(), String::new(), 0);
    while let Some(token) = xml.next()? {
        let Token::Open(element) = token else {
            continue;
        };
        let says = |name| attribute(&element, name).unwrap_or_default();
        let name = element.local_name().into_inner();
        match name {
            "abstractNum" => kind = says("abstractNumId"),
            "num" => list = says("numId"),
            "lvl" | "lvlOverride" => depth = says("ilvl").parse().unwrap_or(usize::MAX),
            "abstractNumId" => numbering.list(&list, says("val")),
            "startOverride" => numbering.start(&list, depth, says("val").parse().unwrap_or(1)),
            // Within a list, they are for that list alone: rare, and most often the same.
            "start" | "numFmt" | "lvlText" if list.is_empty() => {
                let Some(level) = numbering.level(&kind, depth) else {
                    continue;
                };
                match name {
                    "start" => level.start = says("val").parse().unwrap_or(1),
                    "numFmt" => level.format = format(&says("val")),
                    _ => level.pattern = says("val"),
                }
            }
            _ => {}
        }
    }
    Ok(numbering)
}

fn format(name: &str) -> Format {
    match name {
        "bullet" | "none" => Format::Bullet,
        "lowerLetter" => Format::Letters { upper: false },
        "upperLetter" => Format::Letters { upper: true },
        "lowerRoman" => Format::Roman { upper: false },
        "upperRoman" => Format::Roman { upper: true },
        // Scripts of the world, ordinals, words: the number is what they say.
        _ => Format::Decimal,
    }
}
