//! How a text was meant, by its words. The ideas are those of VADER (Hutto and Gilbert, 2014): words have scores;
//! negation turns them round, boosters, capitals and exclamation marks make them stronger, and what follows a "but"
//! weighs more.

use async_trait::async_trait;
use domain::answers::ProviderError;
use domain::insights::{SentimentModel, SentimentScore};
use domain::language::Language;
use unicode_segmentation::UnicodeSegmentation;

use crate::lexicon::{Lexicon, Role, emoji};
use crate::words::{fold, hash, words};

/// What is left of a score that is negated. "Not good" is less bad than "bad" is.
const NEGATED: f32 = -0.74;
/// A word in capitals among others that aren't.
const CAPITALS: f32 = 0.733;
/// An exclamation mark.
const EXCLAMATION: f32 = 0.292;
/// More exclamation marks say no more.
const EXCLAMATIONS_MAX: usize = 4;
/// How many words a negator or a booster reaches.
const REACH: usize = 3;
/// What is said before a "but", and after it.
const CONTRAST: (f32, f32) = (0.5, 1.5);
/// What is left of praise in a question: who asks for something good has not got it yet.
const ASKED: f32 = 0.5;
/// Makes a sum of scores a score: a sum of about this squared comes to 0.7.
const EVEN: f32 = 15.0;

/// What of a text may carry sentiment.
enum Token {
    /// A word, folded, its hash, and whether it is written in capitals.
    Word {
        folded: String,
        hash: u64,
        capitals: bool,
    },
    /// An emoji or an emoticon.
    Sign(f32),
    /// Ends what negators and boosters reach, and a sentence where it says whether that asks something.
    Stop { asked: Option<bool> },
}

/// Tells sentiment by lexica in six languages.
#[derive(Debug, Clone, Copy, Default)]
pub struct LexiconSentiment;

impl LexiconSentiment {
    /// The sentiment of one text.
    pub fn score(language: Language, text: &str) -> SentimentScore {
        let sum = sum(Lexicon::of(language), language, text);
        SentimentScore::of(sum / (sum * sum + EVEN).sqrt())
    }
}

#[async_trait]
impl SentimentModel for LexiconSentiment {
    async fn sentiment(
        &self,
        language: Language,
        texts: &[String],
    ) -> Result<Vec<SentimentScore>, ProviderError> {
        let score = |text: &String| Self::score(language, text);
        Ok(texts.iter().map(score).collect())
    }
}

fn sum(lexicon: &Lexicon, language: Language, text: &str) -> f32 {
    let tokens = tokens(language, text);
    let shouted = !tokens.iter().any(|token| {
        matches!(
            token,
            Token::Word {
                capitals: false,
                ..
            }
        )
    });
    let mut scores: Vec<(usize, f32)> = Vec::new();
    let mut contrast = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let mut length = 1;
        let score = match token {
            Token::Stop { .. } => None,
            Token::Sign(score) => Some(*score),
            Token::Word {
                folded,
                hash,
                capitals,
            } => {
                if lexicon.role(*hash) == Some(Role::Contrast) {
                    contrast = Some(at);
                }
                if let Some((score, words)) = lexicon.phrase(hashes(&tokens[at..])) {
                    length = words;
                    Some(score)
                } else {
                    word(lexicon, folded).map(|score| {
                        let louder = if *capitals && !shouted { CAPITALS } else { 0.0 };
                        let score = score + louder * sign(score);
                        in_context(lexicon, language, &tokens, at, score)
                    })
                }
            }
        };
        scores.extend(score.map(|score| (at, score)));
        at += length;
    }
    let asked = asked(&tokens);
    let mut sum: f32 = scores
        .iter()
        .map(|(at, score)| match contrast {
            Some(but) if *at < but => score * CONTRAST.0,
            Some(_) => score * CONTRAST.1,
            None if *score > 0.0 && asked[*at] => score * ASKED,
            None => *score,
        })
        .sum();
    let exclamations = text.bytes().filter(|b| *b == b'!').count();
    sum += sign(sum) * EXCLAMATION * exclamations.min(EXCLAMATIONS_MAX) as f32;
    sum
}

/// For each token, whether its sentence ends with a question mark.
fn asked(tokens: &[Token]) -> Vec<bool> {
    let mut asking = false;
    let mut all: Vec<bool> = tokens
        .iter()
        .rev()
        .map(|token| {
            if let Token::Stop { asked: Some(asked) } = token {
                asking = *asked;
            }
            asking
        })
        .collect();
    all.reverse();
    all
}

/// -1, 0 or 1; the sign of 0 is none.
fn sign(score: f32) -> f32 {
    if score == 0.0 { 0.0 } else { score.signum() }
}

/// The hashes of the words from here to where the sentence or clause ends.
fn hashes(tokens: &[Token]) -> impl Iterator<Item = u64> {
    tokens.iter().map_while(|token| match token {
        Token::Word { hash, .. } => Some(*hash),
        _ => None,
    })
}

/// The score of a word, also of one that is drawn out: `sooo gooood`.
fn word(lexicon: &Lexicon, folded: &str) -> Option<f32> {
    lexicon.word(folded).or_else(|| {
        let two = shortened(folded, 2)?;
        lexicon
            .word(&two)
            .or_else(|| lexicon.word(&shortened(folded, 1)?))
    })
}

/// The word with no letter more than `most` times on end; `None` where none stands three times.
fn shortened(word: &str, most: usize) -> Option<String> {
    let mut short = String::with_capacity(word.len());
    let (mut last, mut times, mut longest) = (None, 0, 0);
    for c in word.chars() {
        times = if last == Some(c) { times + 1 } else { 1 };
        longest = longest.max(times);
        last = Some(c);
        if times <= most {
            short.push(c);
        }
    }
    (longest > 2).then_some(short)
}

/// A word's score, with what the words around it do to it.
fn in_context(
    lexicon: &Lexicon,
    language: Language,
    tokens: &[Token],
    at: usize,
    mut score: f32,
) -> f32 {
    let mut negated = false;
    for (distance, word) in hashes_back(&tokens[..at]).take(REACH).enumerate() {
        match lexicon.role(word) {
            Some(Role::Negator) => negated = true,
            Some(Role::Booster(by)) => {
                score += sign(score) * by * (1.0 - 0.05 * distance as f32);
            }
            Some(Role::Contrast) | None => {}
        }
    }
    // German negates a verb from behind: "gefällt mir nicht".
    if language == Language::De && !negated {
        let after = tokens.get(at + 1..).unwrap_or_default();
        negated = hashes(after)
            .take(2)
            .any(|word| lexicon.role(word) == Some(Role::Negator));
    }
    if negated { score * NEGATED } else { score }
}

fn hashes_back(tokens: &[Token]) -> impl Iterator<Item = u64> {
    tokens.iter().rev().map_while(|token| match token {
        Token::Word { hash, .. } => Some(*hash),
        _ => None,
    })
}

fn tokens(language: Language, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for chunk in text.split_whitespace() {
        if let Some(score) = emoji(chunk) {
            tokens.push(Token::Sign(score));
            continue;
        }
        // Somebody's name, or an address.
        if chunk.starts_with('@') || chunk.contains("://") || chunk.starts_with("www.") {
            continue;
        }
        let end = chunk
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_alphanumeric())
            .map_or(0, |(at, c)| at + c.len_utf8());
        let (chunk, tail) = chunk.split_at(end);
        pieces(language, chunk, &mut tokens);
        match emoji(tail) {
            Some(score) => tokens.push(Token::Sign(score)),
            None => pieces(language, tail, &mut tokens),
        }
    }
    tokens
}

/// Words, emoji and punctuation, with no white space among them.
fn pieces(language: Language, chunk: &str, tokens: &mut Vec<Token>) {
    for piece in chunk.split_word_bounds() {
        if piece.chars().any(char::is_alphanumeric) {
            for word in words(language, piece) {
                let mut folded = String::new();
                fold(language, word.text, &mut folded);
                tokens.push(Token::Word {
                    hash: hash(&folded),
                    capitals: in_capitals(word.text),
                    folded,
                });
            }
        } else if let Some(score) = emoji(piece).or_else(|| emoji(plain_emoji(piece))) {
            tokens.push(Token::Sign(score));
        } else if piece.contains(['.', ',', ';', ':', '!', '?', '…', '(', ')']) {
            let asked = piece.contains('?').then_some(true);
            let told = piece.contains(['.', '!', '…']).then_some(false);
            tokens.push(Token::Stop {
                asked: asked.or(told),
            });
        }
    }
}

/// An emoji without its colour and variant.
fn plain_emoji(written: &str) -> &str {
    let end = written.chars().next().map_or(0, char::len_utf8);
    written.get(..end).unwrap_or_default()
}

fn in_capitals(word: &str) -> bool {
    word.chars().nth(1).is_some() && word.chars().all(|c| !c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::insights::Sentiment::{self, Negative, Neutral, Positive};

    fn label(language: Language, text: &str) -> Sentiment {
        LexiconSentiment::score(language, text).label()
    }

    #[test]
    fn what_visitors_write_in_six_languages() {
        for (language, text, expected) in [
            (Language::En, "Thank you so much, that was great!", Positive),
            (Language::En, "This does not work", Negative),
            (Language::En, "I am not happy with the lamp", Negative),
            (Language::En, "Not bad at all", Positive),
            (Language::En, "Where is my order?", Neutral),
            (Language::En, "Hello, please help me with my order", Neutral),
            (Language::En, "sooo baaad", Negative),
            (Language::Es, "Estoy encantada, muchas gracias", Positive),
            (Language::Es, "No funciona, qué decepción", Negative),
            (Language::Es, "No me gusta nada", Negative),
            (Language::Es, "¿Cuándo llega mi pedido?", Neutral),
            (Language::Fr, "Merci beaucoup, c'est parfait", Positive),
            (Language::Fr, "Ça ne marche pas, c'est nul", Negative),
            (Language::Fr, "Je ne suis pas content", Negative),
            (Language::Fr, "Bonjour, où est ma commande ?", Neutral),
            (Language::De, "Vielen Dank, das ist super!", Positive),
            (Language::De, "Das gefällt mir nicht", Negative),
            (Language::De, "Die Lampe ist kaputt", Negative),
            (Language::De, "Guten Tag, wo ist meine Bestellung?", Neutral),
            (Language::It, "Ottimo servizio, grazie mille", Positive),
            (Language::It, "Non funziona, che schifo", Negative),
            (Language::It, "Non è buono", Negative),
            (Language::It, "Quanto costa la spedizione?", Neutral),
            (Language::Pt, "Adorei, muito obrigada!", Positive),
            (Language::Pt, "Péssimo atendimento, não funciona", Negative),
            (Language::Pt, "Não gostei do produto", Negative),
            (Language::Pt, "Quando chega meu pedido?", Neutral),
        ] {
            assert_eq!(label(language, text), expected, "{language} {text}");
        }
    }

    #[test]
    fn emoji_count_in_every_language() {
        for language in Language::ALL {
            for (text, expected) in [
                ("👍🏽", Positive),
                ("❤️", Positive),
                ("xyz 😡", Negative),
                ("xyz:(", Negative),
                ("xyz :-)", Positive),
                ("🚲", Neutral),
            ] {
                assert_eq!(label(*language, text), expected, "{language} {text}");
            }
        }
    }

    #[test]
    fn louder_is_stronger_and_but_weighs() {
        let score = |text| LexiconSentiment::score(Language::En, text).score();
        assert!(score("It is good!!!") > score("It is good"));
        assert!(score("It is GOOD") > score("It is good"));
        assert!(score("It is very good") > score("It is good"));
        assert!(score("It is slightly good") < score("It is good"));
        assert!(score("It is good, but late and broken") < 0.0);
        assert!(score("It is late, but excellent and lovely") > 0.0);
        // The whole in capitals is no louder than itself.
        assert_eq!(score("IT IS GOOD"), score("it is good"));
    }

    #[test]
    fn hostile_texts_have_a_score() {
        for language in Language::ALL {
            for text in [
                "",
                "\u{200d}",
                "'",
                "’’’",
                "@",
                "!!!!!!!!",
                "नमस्ते привет 你好 مرحبا good",
                &"😡".repeat(8_000),
                &"ñ".repeat(8_000),
                &"not ".repeat(2_000),
                &":(".repeat(4_000),
            ] {
                let score = LexiconSentiment::score(*language, text).score();
                assert!(score.abs() <= 1.0);
                assert_eq!(score, LexiconSentiment::score(*language, text).score());
            }
        }
    }
}
