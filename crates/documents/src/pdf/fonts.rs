//! What the codes in a page's strings mean: letters, their widths, and whether they are bold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hayro_cmap::BfString;
use hayro_font::{CMapResolverFn, Font, FontCache, FontGlyph, FontQuery, FontResolverFn};
use hayro_syntax::object::dict::keys::{
    BASE_FONT, CID_TO_GID_MAP, DESCENDANT_FONTS, ENCODING, FLAGS, FONT_DESC, FONT_FILE, FONT_FILE2,
    FONT_FILE3, FONT_WEIGHT, SUBTYPE, TO_UNICODE, TRUE_TYPE,
};
use hayro_syntax::object::{Array, Dict, Name, Stream};

use super::streams::Budget;

/// So many fonts are kept while the pages are read; documents have few, and the pages of a book the same ones.
const FONTS_MAX: usize = 64;
/// The flag in a font's description that says that it is bold whatever its name.
const FORCE_BOLD: u32 = 1 << 18;

/// The fonts that were read.
pub(super) struct Fonts<'a> {
    cache: FontCache<'a>,
    known: HashMap<usize, Option<Rc<Face<'a>>>>,
    fonts: FontResolverFn,
    cmaps: CMapResolverFn,
}

impl<'a> Fonts<'a> {
    pub(super) fn new() -> Self {
        Self {
            cache: FontCache::new(),
            known: HashMap::new(),
            fonts: Arc::new(|query| match query {
                FontQuery::Standard(font) => Some(font.get_font_data()),
                FontQuery::Fallback(query) => Some(query.pick_standard_font().get_font_data()),
            }),
            cmaps: Arc::new(hayro_cmap::load_embedded),
        }
    }

    /// The font that a dictionary describes, if it can be read.
    pub(super) fn face(&mut self, dict: &Dict<'a>, budget: &mut Budget) -> Option<Rc<Face<'a>>> {
        // Where it stands in the file tells a dictionary from others, whether it has a number or not.
        let key = dict.data().as_ptr() as usize;
        if let Some(face) = self.known.get(&key) {
            return face.clone();
        }
        if self.known.len() == FONTS_MAX {
            self.known.clear();
            self.cache = FontCache::new();
        }
        let is_small = streams(dict).iter().all(|stream| budget.allows(stream));
        let font = is_small
            .then(|| self.cache.font(dict, &self.fonts, &self.cmaps))
            .flatten();
        let face = font.map(|font| Rc::new(Face::new(font, dict)));
        self.known.insert(key, face.clone());
        face
    }
}

/// What is unpacked to read a font.
fn streams<'a>(dict: &Dict<'a>) -> Vec<Stream<'a>> {
    let descendants = dict.get::<Array<'a>>(DESCENDANT_FONTS);
    let descendant = descendants.and_then(|fonts| fonts.iter::<Dict<'a>>().next());
    let dicts = [Some(dict.clone()), descendant];
    let keys: [&[u8]; 3] = [TO_UNICODE, ENCODING, CID_TO_GID_MAP];
    let programs: [&[u8]; 3] = [FONT_FILE, FONT_FILE2, FONT_FILE3];
    let mut streams = Vec::new();
    for dict in dicts.into_iter().flatten() {
        streams.extend(keys.iter().filter_map(|key| dict.get::<Stream<'a>>(key)));
        if let Some(described) = dict.get::<Dict<'a>>(FONT_DESC) {
            streams.extend(
                programs
                    .iter()
                    .filter_map(|key| described.get::<Stream<'a>>(key)),
            );
        }
    }
    streams
}

/// A font.
pub(super) struct Face<'a> {
    font: Font<'a>,
    pub(super) is_bold: bool,
    /// Codes stand for the letters of ASCII where nothing else is said.
    is_ascii: bool,
    letters: RefCell<HashMap<u32, Letter>>,
}

/// What a code stands for.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Empty where the font doesn't tell.
    pub(super) text: Rc<str>,
    /// How far the pen moves, as a part of the size of the font.
    pub(super) advance: f64,
}

impl<'a> Face<'a> {
    fn new(font: Font<'a>, dict: &Dict<'a>) -> Self {
        Self {
            font,
            is_bold: is_bold(dict),
            is_ascii: dict.get::<Name<'_>>(SUBTYPE).as_deref() == Some(TRUE_TYPE)
                && !dict.contains_key(ENCODING),
            letters: RefCell::default(),
        }
    }

    /// Whether its lines go from left to right, not from top to bottom.
    pub(super) fn is_horizontal(&self) -> bool {
        self.font.is_horizontal()
    }

    /// The codes of a string, and in how many bytes each was written.
    pub(super) fn codes(&self, string: &[u8]) -> impl Iterator<Item = (u32, usize)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (code, length) = (at < string.len()).then(|| self.font.read_code(string, at))?;
            at += length.max(1);
            Some((code, length))
        })
    }

    pub(super) fn letter(&self, code: u32) -> Letter {
        let mut letters = self.letters.borrow_mut();
        letters
            .entry(code)
            .or_insert_with(|| self.look_up(code))
            .clone()
    }

    fn look_up(&self, code: u32) -> Letter {
        let unicode = match self.font.glyph(self.font.map_code(code), code) {
            FontGlyph::Outline(glyph) => glyph.as_unicode(),
            FontGlyph::Type3(glyph) => glyph.as_unicode(),
        };
        let text = match unicode {
            Some(BfString::Char(c)) => c.to_string(),
            Some(BfString::String(text)) => text,
            None => self.ascii(code).map(String::from).unwrap_or_default(),
        };
        let advance = self.font.code_advance(code);
        Letter {
            text: text.into(),
            advance: (if self.is_horizontal() {
                advance.x
            } else {
                advance.y
            }) / 1000.0,
        }
    }

    fn ascii(&self, code: u32) -> Option<char> {
        char::from_u32(code).filter(|c| self.is_ascii && (' '..='~').contains(c))
    }
}

fn is_bold(dict: &Dict<'_>) -> bool {
    let name = dict
        .get::<Name<'_>>(BASE_FONT)
        .map(|name| name.as_str().to_lowercase());
    let description = dict.get::<Dict<'_>>(FONT_DESC);
    let weight = description
        .as_ref()
        .and_then(|font| font.get::<f32>(FONT_WEIGHT));
    let flags = description.as_ref().and_then(|font| font.get::<u32>(FLAGS));
    // The last two are Computer Modern's and Nimbus's names for it.
    const NAMES: [&str; 6] = ["bold", "black", "heavy", "demi", "cmbx", "-medi"];
    name.is_some_and(|name| NAMES.iter().any(|part| name.contains(part)))
        || weight.is_some_and(|weight| weight >= 600.0)
        || flags.is_some_and(|flags| flags & FORCE_BOLD > 0)
}
