//! Characters of the fonts that hold symbols in the place of letters.

/// Where these fonts stand in Unicode's area for private use.
const PRIVATE: std::ops::RangeInclusive<u32> = 0xF000..=0xF0FF;
/// Signs of the fonts Wingdings and Symbol that people write with.
const WINGDINGS: [(u32, char); 12] = [
    (0x46, '☞'),
    (0x4A, '☺'),
    (0x6C, '●'),
    (0x6E, '■'),
    (0x6F, '☐'),
    (0xA7, '▪'),
    (0xA8, '☐'),
    (0xD8, '➢'),
    (0xE0, '→'),
    (0xFB, '✗'),
    (0xFC, '✓'),
    (0xFE, '☑'),
];
const SYMBOL: [(u32, char); 14] = [
    (0x61, 'α'),
    (0x62, 'β'),
    (0x6D, 'µ'),
    (0x70, 'π'),
    (0x57, 'Ω'),
    (0xA3, '≤'),
    (0xAE, '→'),
    (0xB0, '°'),
    (0xB1, '±'),
    (0xB3, '≥'),
    (0xB4, '×'),
    (0xB7, '•'),
    (0xB9, '≠'),
    (0xBB, '≈'),
];

/// The character that a font shows for a code, where it can be known.
pub(crate) fn symbol(font: &str, code: u32) -> Option<char> {
    if !PRIVATE.contains(&code) {
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    let signs: &[(u32, char)] = match font {
        "Symbol" => &SYMBOL,
        "Wingdings" => &WINGDINGS,
        _ => &[],
    };
    let sign = signs.iter().find(|(at, _)| *at == code & 0xFF);
    sign.map(|(_, sign)| *sign)
}
