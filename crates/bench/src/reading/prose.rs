//! Words by the thousand, of a vocabulary as large as people's documents have.

/// So many different words.
const VOCABULARY: u64 = 5_000;
const SYLLABLES: [&str; 16] = [
    "ba", "cor", "del", "fin", "gra", "hol", "jun", "kel", "lim", "mar", "nor", "pel", "qui",
    "ros", "sun", "tav",
];

/// `count` words in sentences, always the same ones for a `seed`.
pub fn words(seed: usize, count: usize) -> String {
    let mut state = seed as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut text = String::with_capacity(count * 8);
    for place in 0..count {
        // An LCG (Knuth, MMIX): chance is not what this is about.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let spread = (state >> 33) % VOCABULARY;
        // Squared, so that some words are common and most are rare.
        let mut word = spread * spread / VOCABULARY;
        for _ in 0..3 {
            text += SYLLABLES[(word % 16) as usize];
            word /= 16;
        }
        text += if place % 12 == 11 { ". " } else { " " };
    }
    text.truncate(text.trim_end().len());
    text
}
