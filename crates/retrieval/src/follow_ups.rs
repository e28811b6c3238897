//! Which questions lean on the one before them: "and on Sundays?", "how much is that?".

use domain::language::Language;

use crate::words::Analyzer;

/// Who has more words of its own says what it is about.
const WORDS_MAX: usize = 2;
/// In words of every kind: "for my children?" is no sentence, "When are you open?" is one.
const FRAGMENT_MAX: usize = 3;

/// Whether a text asks something: "How much?" has no word to look for and yet does; "hi" and "thanks" do not. `own`:
/// how many words to look for it has.
pub(crate) fn asks(text: &str, own: usize) -> bool {
    own > 0 || (text.contains('?') && text.contains(char::is_alphabetic))
}

/// Whether what it asks is only told by what was asked before.
pub(crate) fn leans(analyzer: &Analyzer, text: &str, own: usize) -> bool {
    if own > WORDS_MAX || !asks(text, own) {
        return false;
    }
    let Marks {
        goes_on,
        points_back,
        of_us,
    } = marks(analyzer.language());
    let words = analyzer.folded(text);
    let has = |list: &str| {
        words
            .iter()
            .any(|word| list.split_whitespace().any(|mark| mark == word))
    };
    if own == 0 {
        // Nothing but little words: it is about what was just said, or about the two who talk ("who are you?").
        return has(points_back) || !has(of_us);
    }
    let goes_on = |word: &String| goes_on.split_whitespace().any(|mark| mark == word);
    words.len() <= FRAGMENT_MAX || words.first().is_some_and(goes_on) || has(points_back)
}

/// Words of a language by which questions lean, folded.
struct Marks {
    /// A question that begins with one goes on with the one before.
    goes_on: &'static str,
    /// Stand for what was named before. Those that are articles or verbs as well are not among them.
    points_back: &'static str,
    /// Mean the visitor or the bot.
    of_us: &'static str,
}

const fn marks(language: Language) -> Marks {
    match language {
        Language::En => Marks {
            goes_on: "and or but so then also",
            points_back: "it its that this these those they them their there one ones else about",
            of_us: "you your i me my am",
        },
        Language::Es => Marks {
            goes_on: "y e o pero entonces tambien",
            points_back: "eso esto ese esa esos esas ello aquello alli ahi",
            of_us: "tu usted ustedes eres yo soy mi me te ti",
        },
        Language::Fr => Marks {
            goes_on: "et mais alors donc aussi",
            points_back: "ca cela ceci celui celle ceux celles",
            of_us: "vous tu es etes je suis moi toi me te votre ton",
        },
        Language::De => Marks {
            goes_on: "und oder aber dann auch",
            points_back: "dies dieser dieses davon dafur damit dazu dort dabei",
            of_us: "du sie ihr bist ich bin mir mich dir dich",
        },
        Language::It => Marks {
            goes_on: "e ed o ma allora anche",
            points_back: "questo questa questi queste quello quella quelli quelle cio",
            of_us: "tu lei sei voi siete io sono mi ti te",
        },
        Language::Pt => Marks {
            goes_on: "e ou mas entao tambem",
            points_back: "isso isto aquilo disso nisso esse essa esses essas ele ela eles elas",
            of_us: "voce voces tu eu sou es me te mim",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Question;

    fn leaning(language: Language, text: &str) -> bool {
        let analyzer = Analyzer::new(language);
        leans(&analyzer, text, Question::of(&analyzer, text).words())
    }

    #[test]
    fn fragments_and_what_points_back_lean() {
        for (language, text) in [
            (Language::En, "On Sundays?"),
            (Language::En, "And on Sundays and holidays?"),
            (Language::En, "How long does it take?"),
            (Language::En, "How much is that?"),
            (Language::En, "Can you do that?"),
            (Language::De, "Und wie viel ist das?"),
            (Language::De, "Für Kinder?"),
            (Language::Fr, "Et pour les enfants ?"),
            (Language::Es, "¿Y los domingos?"),
            (Language::It, "Quanto?"),
            (Language::Pt, "E para crianças?"),
        ] {
            assert!(leaning(language, text), "{text}");
        }
    }

    #[test]
    fn whole_questions_and_courtesies_stand() {
        for (language, text) in [
            (Language::En, "When are you open?"),
            (Language::En, "What is the weather like on Mars?"),
            (Language::En, "What can you do for me?"),
            (Language::En, "Thanks!"),
            (Language::En, "?"),
            (Language::De, "Wer bist du?"),
            (Language::De, "Wie ist das Wetter auf dem Mars?"),
            (Language::Es, "¿Quién eres?"),
            (Language::Fr, "Quel temps fait-il sur Mars ?"),
            (Language::It, "Chi sei?"),
            (Language::Pt, "Como está o tempo em Marte?"),
        ] {
            assert!(!leaning(language, text), "{text}");
        }
    }
}
