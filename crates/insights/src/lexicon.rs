//! The words that carry sentiment, and those that turn it round or make it stronger.
//!
//! A file of `data/sentiment` has rows of a score, from -4 to 4 in halves, and the words that have it; `_` joins the
//! words of a phrase, and a phrase comes before its words. The first row that has a word decides.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::language::Language;
use rust_stemmers::Stemmer;

use crate::words::{fold, hash, stem, stemmer};

/// The longest phrase, in words.
pub(crate) const PHRASE_MAX: usize = 6;

/// What a word does to those beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Turns it round: not, never, without.
    Negator,
    /// Makes it stronger, or (below 0) weaker.
    Booster(f32),
    /// What comes after it weighs more than what came before: but.
    Contrast,
}

/// The words of one language.
pub(crate) struct Lexicon {
    stemmer: Stemmer,
    /// Scores in halves, by the hash of a word or phrase, in order of the hashes.
    exact: Box<[(u64, i8)]>,
    /// The same for stems.
    stems: Box<[(u64, i8)]>,
    roles: HashMap<u64, Role>,
}

impl Lexicon {
    pub(crate) fn of(language: Language) -> &'static Self {
        static ALL: [LazyLock<Lexicon>; 6] = [
            LazyLock::new(|| Lexicon::read(Language::En)),
            LazyLock::new(|| Lexicon::read(Language::Es)),
            LazyLock::new(|| Lexicon::read(Language::Fr)),
            LazyLock::new(|| Lexicon::read(Language::De)),
            LazyLock::new(|| Lexicon::read(Language::It)),
            LazyLock::new(|| Lexicon::read(Language::Pt)),
        ];
        &ALL[language as usize]
    }

    fn read(language: Language) -> Self {
        let stemmer = stemmer(language);
        let mut folded = String::new();
        let (mut exact, mut stems) = (HashMap::new(), HashMap::new());
        for (score, entry) in rows(file(language)) {
            let mut parts = 0;
            let phrase = entry.split('_').fold(PHRASE_SEED, |phrase, word| {
                parts += 1;
                fold(language, word, &mut folded);
                joined(phrase, hash(&folded))
            });
            exact.entry(phrase).or_insert(score);
            if parts == 1 && language != Language::En {
                stems.entry(stem(&stemmer, &folded)).or_insert(score);
            }
        }
        let roles = roles(language)
            .into_iter()
            .flat_map(|(role, words)| words.split_whitespace().map(move |word| (word, role)))
            .map(|(word, role)| {
                fold(language, word, &mut folded);
                (hash(&folded), role)
            })
            .collect();
        Self {
            stemmer,
            exact: sorted(exact),
            stems: sorted(stems),
            roles,
        }
    }

    /// The score of a word: as it is written, or by its stem.
    pub(crate) fn word(&self, folded: &str) -> Option<f32> {
        score(&self.exact, joined(PHRASE_SEED, hash(folded)))
            .or_else(|| score(&self.stems, stem(&self.stemmer, folded)))
    }

    /// The score of the longest phrase that the words, given by their hashes, begin with, and its length.
    pub(crate) fn phrase(&self, words: impl Iterator<Item = u64>) -> Option<(f32, usize)> {
        let mut phrase = PHRASE_SEED;
        let mut found = None;
        for (i, word) in words.take(PHRASE_MAX).enumerate() {
            phrase = joined(phrase, word);
            if i > 0
                && let Some(score) = score(&self.exact, phrase)
            {
                found = Some((score, i + 1));
            }
        }
        found
    }

    pub(crate) fn role(&self, word: u64) -> Option<Role> {
        self.roles.get(&word).copied()
    }
}

/// The score of an emoji or an emoticon.
pub(crate) fn emoji(written: &str) -> Option<f32> {
    static ALL: LazyLock<HashMap<&str, i8>> = LazyLock::new(|| {
        rows(include_str!("../data/sentiment/emoji.txt"))
            .map(|(score, emoji)| (emoji, score))
            .collect()
    });
    ALL.get(written).map(|half| f32::from(*half) / 2.0)
}

const PHRASE_SEED: u64 = 0;

const fn joined(phrase: u64, word: u64) -> u64 {
    phrase.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word
}

fn sorted(scores: HashMap<u64, i8>) -> Box<[(u64, i8)]> {
    let mut scores: Vec<_> = scores.into_iter().collect();
    scores.sort_unstable();
    scores.into()
}

fn score(scores: &[(u64, i8)], key: u64) -> Option<f32> {
    let at = scores.binary_search_by_key(&key, |(key, _)| *key).ok()?;
    scores.get(at).map(|(_, half)| f32::from(*half) / 2.0)
}

/// The entries of a file, with their scores in halves.
fn rows(file: &'static str) -> impl Iterator<Item = (i8, &'static str)> {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(score, entries)| Some(((score.parse::<f32>().ok()? * 2.0) as i8, entries)))
        .flat_map(|(score, entries)| entries.split(' ').map(move |entry| (score, entry)))
}

const fn file(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("../data/sentiment/en.txt"),
        Language::Es => include_str!("../data/sentiment/es.txt"),
        Language::Fr => include_str!("../data/sentiment/fr.txt"),
        Language::De => include_str!("../data/sentiment/de.txt"),
        Language::It => include_str!("../data/sentiment/it.txt"),
        Language::Pt => include_str!("../data/sentiment/pt.txt"),
    }
}

/// How much a booster adds to a score or takes from it; the amount is that of VADER (Hutto and Gilbert, 2014).
const BOOST: f32 = 0.293;

const fn roles(language: Language) -> [(Role, &'static str); 4] {
    let (negators, more, less, contrasts) = match language {
        Language::En => (
            "not no never none nobody nothing neither nor cannot cant wont dont doesnt didnt isnt arent wasnt werent \
             hasnt havent hadnt couldnt wouldnt shouldnt mustnt neednt aint without hardly barely rarely seldom \
             scarcely nowhere lack lacks",
            "very really so too extremely absolutely totally completely incredibly highly truly super especially \
             particularly deeply entirely fully hugely remarkably thoroughly utterly exceptionally awfully most more \
             fucking freaking such damn insanely enormously",
            "slightly somewhat bit little kinda sorta partly almost fairly marginally occasionally less",
            "but however though although yet",
        ),
        Language::Es => (
            "no nunca jamás ni nadie nada ningún ninguno ninguna tampoco sin apenas",
            "muy mucho mucha muchos muchas tan tanto tanta demasiado bastante súper super realmente totalmente \
             completamente absolutamente extremadamente increíblemente más re sumamente verdaderamente",
            "poco algo ligeramente casi menos medio",
            "pero sino aunque",
        ),
        Language::Fr => (
            "ne n pas jamais rien aucun aucune sans ni personne guère",
            "très trop vraiment tellement si super hyper extrêmement totalement complètement absolument \
             particulièrement énormément fort bien tout ultra vachement grave",
            "peu légèrement presque moins assez plutôt",
            "mais cependant pourtant toutefois",
        ),
        Language::De => (
            "nicht nich nix kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder kaum",
            "sehr so zu wirklich echt total absolut extrem besonders äußerst völlig unglaublich mega ganz richtig \
             verdammt super ultra höchst ziemlich wahnsinnig voll viel immer",
            "etwas bisschen wenig leicht fast kaum relativ teilweise",
            "aber jedoch doch allerdings sondern trotzdem",
        ),
        Language::It => (
            "non mai nessuno nessuna niente nulla né neanche nemmeno neppure senza mica",
            "molto molta molti molte così tanto tanta troppo davvero veramente proprio assai super estremamente \
             assolutamente totalmente completamente incredibilmente particolarmente più",
            "poco leggermente quasi meno abbastanza piuttosto",
            "ma però tuttavia invece bensì",
        ),
        Language::Pt => (
            "não nao nunca jamais nem ninguém nada nenhum nenhuma sem tampouco n",
            "muito muita muitos muitas tão demais super realmente bastante totalmente completamente absolutamente \
             extremamente incrivelmente mais mt mto",
            "pouco levemente quase menos meio",
            "mas porém contudo todavia entretanto",
        ),
    };
    [
        (Role::Negator, negators),
        (Role::Booster(BOOST), more),
        (Role::Booster(-BOOST), less),
        (Role::Contrast, contrasts),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn every_file_is_read_whole() {
        for language in Language::ALL {
            let lines = file(*language).lines().filter(|l| !l.starts_with('#'));
            for line in lines {
                let score: f32 = line.split(' ').next().unwrap().parse().unwrap();
                assert!(score.abs() <= 4.0 && (score * 2.0).fract() == 0.0, "{line}");
            }
            for (_, entry) in rows(file(*language)) {
                assert!(entry.split('_').count() <= PHRASE_MAX, "{entry}");
                let whole = entry.replace('_', " ");
                // What is no word of a text could never be found.
                let found = words(*language, &whole).count();
                assert_eq!(found, entry.split('_').count(), "{language} {entry}");
            }
            let lexicon = Lexicon::of(*language);
            assert!(lexicon.exact.len() > 600, "{language}");
        }
        assert!(rows(include_str!("../data/sentiment/emoji.txt")).count() > 150);
    }

    #[test]
    fn phrases_come_before_their_words_and_own_rows_before_foreign_ones() {
        let lexicon = Lexicon::of(Language::En);
        let phrase = |text: &str| lexicon.phrase(text.split(' ').map(hash));
        assert_eq!(phrase("no problem at all"), Some((2.0, 2)));
        assert_eq!(phrase("no idea"), None);
        assert_eq!(lexicon.word("help"), Some(0.0));
        assert_eq!(lexicon.word("zebra"), None);
        assert_eq!(Lexicon::of(Language::Es).word("decepcionados"), Some(-2.5));
    }
}
