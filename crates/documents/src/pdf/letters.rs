//! Letters as fonts give them, and as text has them.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text of a letter: ligatures taken apart, white space made spaces, what is no text left out.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Ligatures and the shapes of Arabic letters.
            '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                plain.extend([c].into_iter().nfkc())
            }
            // Symbol's and Wingdings' bullets.
            '\u{f0b7}' | '\u{f0a7}' => plain.push('•'),
            '\u{ad}' => plain.push('-'),
            c if c.is_whitespace() || matches!(c, '\u{200b}' | '\t') => plain.push(' '),
            c if c.is_control()
                || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. | '\u{fffd}' | '\u{feff}' | '\u{200c}'..='\u{200f}') =>
                {}
            c => plain.push(c),
        }
    }
    plain
}

/// Accents put on their letters.
pub(super) fn composed(text: String) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text,
        _ => text.nfc().collect(),
    }
}

/// Puts an accent that stands alone on the letter that is drawn below it.
pub(super) fn put_accent(text: &mut String, letter: &str) -> bool {
    let accent = match text.chars().next_back() {
        Some('`') => '\u{300}',
        Some('´') => '\u{301}',
        Some('ˆ') => '\u{302}',
        Some('˜') => '\u{303}',
        Some('˘') => '\u{306}',
        Some('¨') => '\u{308}',
        Some('˚') => '\u{30a}',
        Some('ˇ') => '\u{30c}',
        Some('¸') => '\u{327}',
        _ => return false,
    };
    if letter.starts_with(char::is_alphabetic) {
        text.pop();
        // It is the dot that the accent replaces.
        text.push_str(&letter.replace('ı', "i"));
        text.push(accent);
    }
    letter.starts_with(char::is_alphabetic)
}

/// Whether it is read from right to left.
pub(super) const fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Whether it stands next to its like without a space.
const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// From how wide a gap two letters are in two words, as a part of their size.
pub(super) fn space(before: &str, after: &str) -> f32 {
    let is_close = before.chars().next_back().is_some_and(is_ideograph)
        && after.chars().next().is_some_and(is_ideograph);
    if is_close { 0.6 } else { 0.15 }
}

/// The marks of lists' items, besides those that Markdown and plain text have.
pub(super) fn is_bullet(c: char) -> bool {
    "•●○◦▪▫■□◆◇►▶➢➤✓✔❖‣⁃∙·".contains(c)
}
