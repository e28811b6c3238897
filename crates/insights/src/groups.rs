//! Questions of one meaning, put together one after the other.
//!
//! A question joins the group that has the question nearest to it, where that is near enough. Near is: the same rare
//! words, and where questions are embedded, the same meaning.

use std::collections::HashMap;

use domain::embeddings::Embedding;
use domain::insights::{AskedQuestion, EXEMPLARS_MAX, Exemplar, QuestionGroup, QuestionGrouping};
use domain::language::Language;
use domain::text::preview;
use rust_stemmers::Stemmer;

use crate::words::{fold, hash, stem, stemmer, stop_words, words};

/// A question of longer text is told by its beginning, in characters.
const TEXT_MAX: usize = 500;
/// How near a question must be to a group to join it, from 0 to 1.
const NEAR: f32 = 0.4;
/// From here on it is one of the group's questions in other words, and need not be kept to compare with.
const SAME: f32 = 0.9;
/// How many groups a question is compared with by its words.
const COMPARED_MAX: usize = 64;
/// How many entries of the index are looked at to find them, rare words first.
const VISITED_MAX: usize = 1_024;
/// How many groups a question is compared with by what it means: the first ones, which are mostly the largest.
const BY_MEANING_MAX: usize = 1_024;
/// How many of these are looked at closely.
const NEAREST_MAX: usize = 16;
/// Among fewer groups chance can't be told from meaning, and words alone decide.
const CHANCE_MIN: usize = 16;
/// What a standard deviation above the average group's nearness in meaning counts, and what a question's words count
/// beside it. Cosines of different models can't be compared as they are.
const MEANING: f32 = 0.13;
const WORDS: f32 = 0.2;

/// Questions of one bot in their groups.
pub(crate) struct Groups {
    language: Language,
    stemmer: Stemmer,
    groups: Vec<QuestionGroup>,
    /// For each group the terms of its exemplars, each in order.
    terms: Vec<Vec<Box<[u64]>>>,
    /// The groups that have a term, in order.
    index: HashMap<u64, Vec<u32>>,
    /// How many questions have a term, and how many questions there are.
    frequencies: HashMap<u64, u32>,
    questions: u32,
}

impl Groups {
    pub(crate) fn new(language: Language, kept: Vec<QuestionGroup>) -> Self {
        let mut this = Self {
            language,
            stemmer: stemmer(language),
            groups: Vec::with_capacity(kept.len()),
            terms: Vec::with_capacity(kept.len()),
            index: HashMap::new(),
            frequencies: HashMap::new(),
            questions: 0,
        };
        for group in kept {
            this.terms.push(Vec::new());
            let place = this.groups.len();
            for exemplar in &group.exemplars {
                let terms = this.terms_of(&exemplar.text);
                // What was counted with its nearest exemplar had much the same words.
                let times = u32::try_from(exemplar.count).unwrap_or(u32::MAX);
                this.count(&terms, times);
                this.enter(place, terms);
            }
            this.groups.push(group);
        }
        this
    }

    /// The stems of a question, each once, in order; its stop words only where it has nothing else.
    fn terms_of(&self, text: &str) -> Box<[u64]> {
        let (mut terms, mut little) = (Vec::new(), Vec::new());
        let mut folded = String::new();
        for word in words(self.language, preview(text, TEXT_MAX)) {
            fold(self.language, word.text, &mut folded);
            let term = stem(&self.stemmer, &folded);
            if stop_words(self.language).contains(&hash(&folded)) {
                little.push(term);
            } else {
                terms.push(term);
            }
        }
        if terms.is_empty() {
            terms = little;
        }
        terms.sort_unstable();
        terms.dedup();
        terms.into()
    }

    fn count(&mut self, terms: &[u64], times: u32) {
        self.questions = self.questions.saturating_add(times);
        for term in terms {
            let frequency = self.frequencies.entry(*term).or_default();
            *frequency = frequency.saturating_add(times);
        }
    }

    /// Makes an exemplar findable.
    fn enter(&mut self, place: usize, terms: Box<[u64]>) {
        for term in &terms {
            let entries = self.index.entry(*term).or_default();
            if let Err(at) = entries.binary_search(&(place as u32)) {
                entries.insert(at, place as u32);
            }
        }
        if let Some(exemplars) = self.terms.get_mut(place) {
            exemplars.push(terms);
        }
    }

    /// How much a term says: the rarer, the more.
    fn weight(&self, term: u64) -> f32 {
        let frequency = self.frequencies.get(&term).copied().unwrap_or_default();
        (1.0 + (self.questions as f32 + 1.0) / (frequency as f32 + 1.0)).ln()
    }

    /// The groups to compare with: those that share most of what the question's words say.
    fn candidates(&self, terms: &[u64]) -> Vec<usize> {
        let mut rare: Vec<_> = terms
            .iter()
            .filter_map(|term| Some((self.index.get(term)?, self.weight(*term))))
            .collect();
        rare.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let mut shares: HashMap<u32, f32> = HashMap::new();
        let mut visited = 0;
        for (entries, weight) in rare {
            for place in entries.iter().take(VISITED_MAX - visited) {
                *shares.entry(*place).or_default() += weight;
                visited += 1;
            }
        }
        let mut best: Vec<_> = shares.into_iter().collect();
        best.sort_by(|(place, one), (other_place, other)| {
            other.total_cmp(one).then(place.cmp(other_place))
        });
        best.truncate(COMPARED_MAX);
        best.into_iter().map(|(place, _)| place as usize).collect()
    }

    /// How much of what two questions say is shared: the cosine of their terms, each by its weight.
    fn overlap(&self, one: &[u64], other: &[u64]) -> f32 {
        let square = |term: &u64| self.weight(*term).powi(2);
        let shared: f32 = one
            .iter()
            .filter(|term| other.binary_search(term).is_ok())
            .map(square)
            .sum();
        let length = |terms: &[u64]| terms.iter().map(square).sum::<f32>();
        shared / (length(one) * length(other)).sqrt().max(f32::MIN_POSITIVE)
    }

    /// The groups that come nearest in meaning, by the first question of each, and what is nearness by chance.
    fn by_meaning(&self, meaning: &Embedding) -> Option<(Vec<usize>, Chance)> {
        let mut near: Vec<(usize, f32)> = self
            .groups
            .iter()
            .take(BY_MEANING_MAX)
            .enumerate()
            .filter_map(|(place, group)| {
                let first = group.exemplars.first()?.meaning.as_ref()?;
                Some((place, cosine(meaning, first)?))
            })
            .collect();
        if near.len() < CHANCE_MIN {
            return None;
        }
        let count = near.len() as f32;
        let mean = near.iter().map(|(_, n)| n).sum::<f32>() / count;
        let variance = near.iter().map(|(_, n)| (n - mean).powi(2)).sum::<f32>() / count;
        let chance = Chance {
            mean,
            deviation: variance.sqrt().max(f32::EPSILON),
        };
        near.sort_by(|(place, one), (other_place, other)| {
            other.total_cmp(one).then(place.cmp(other_place))
        });
        near.truncate(NEAREST_MAX);
        Some((near.into_iter().map(|(place, _)| place).collect(), chance))
    }

    /// How near a question is to a group.
    fn nearness(
        &self,
        place: usize,
        terms: &[u64],
        meaning: Option<(&Embedding, &Chance)>,
    ) -> Nearness {
        let words = self.terms.get(place).map_or(&[][..], Vec::as_slice);
        let kept = self.groups.get(place).map_or(&[][..], |g| &g.exemplars);
        let near = words.iter().zip(kept).map(|(words, exemplar)| {
            let words = self.overlap(terms, words);
            let above = meaning.and_then(|(meaning, chance)| {
                let cosine = cosine(meaning, exemplar.meaning.as_ref()?)?;
                Some((cosine - chance.mean) / chance.deviation)
            });
            match above {
                // The same words mean the same, whatever a model says.
                Some(above) if words < SAME => WORDS * words + MEANING * above,
                _ => words,
            }
        });
        let mut near: Vec<(usize, f32)> = near.enumerate().collect();
        near.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let (exemplar, nearest) = near.first().copied().unwrap_or_default();
        let same = nearest >= SAME;
        Nearness {
            exemplar,
            same,
            near: match near.get(1) {
                Some((_, second)) if !same => f32::midpoint(nearest, *second),
                _ => nearest,
            },
        }
    }
}

/// How near a question is to a group.
struct Nearness {
    /// The exemplar that is nearest.
    exemplar: usize,
    /// Whether it is that question in much the same words.
    same: bool,
    /// The average over the two nearest exemplars, for one alone may be near by chance.
    near: f32,
}

/// How near questions that have nothing to do with each other come in meaning.
struct Chance {
    mean: f32,
    deviation: f32,
}

/// The cosine of two embeddings; `None`: they are of different models.
fn cosine(one: &Embedding, other: &Embedding) -> Option<f32> {
    if one.dimensions() != other.dimensions() {
        return None;
    }
    let values = one.values().iter().zip(other.values());
    let product: i32 = values.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    Some(product as f32 * one.scale() * other.scale())
}

impl QuestionGrouping for Groups {
    fn place(&mut self, question: AskedQuestion) -> usize {
        let terms = self.terms_of(&question.text);
        self.count(&terms, 1);
        let meaning = question.meaning.as_ref();
        let (mut compared, mut chance) = (self.candidates(&terms), None);
        if let Some((near, by_chance)) = meaning.and_then(|meaning| self.by_meaning(meaning)) {
            compared.extend(near);
            chance = Some(by_chance);
        }
        let best = compared
            .into_iter()
            .map(|place| {
                (
                    place,
                    self.nearness(place, &terms, meaning.zip(chance.as_ref())),
                )
            })
            .filter(|(_, nearness)| nearness.near >= NEAR)
            .reduce(|best, next| {
                if next.1.near > best.1.near {
                    next
                } else {
                    best
                }
            });
        let exemplar = Exemplar {
            text: question.text,
            count: 1,
            meaning: question.meaning,
        };
        let unanswered = u64::from(!question.answered);
        match best {
            Some((place, nearness)) => {
                let group = &mut self.groups[place];
                group.count += 1;
                group.unanswered += unanswered;
                if !nearness.same && group.exemplars.len() < EXEMPLARS_MAX {
                    group.exemplars.push(exemplar);
                    self.enter(place, terms);
                } else if let Some(nearest) = group.exemplars.get_mut(nearness.exemplar) {
                    nearest.count += 1;
                }
                place
            }
            None => {
                self.groups.push(QuestionGroup {
                    exemplars: vec![exemplar],
                    count: 1,
                    unanswered,
                });
                self.terms.push(Vec::new());
                self.enter(self.groups.len() - 1, terms);
                self.groups.len() - 1
            }
        }
    }

    fn groups(&self) -> &[QuestionGroup] {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> AskedQuestion {
        AskedQuestion {
            text: text.to_owned(),
            answered: true,
            meaning: None,
        }
    }

    /// Questions about things that share no word with each other.
    fn others(count: usize) -> impl Iterator<Item = AskedQuestion> {
        (0..count).map(|i| asked(&format!("thing{i} matter{i}")))
    }

    #[test]
    fn questions_of_the_same_words_are_one_group() {
        for (language, one, other, different) in [
            (
                Language::En,
                "Do you ship to Canada?",
                "hi, are you shipping to canada",
                "How do I reset my password?",
            ),
            (
                Language::Es,
                "¿Cuánto cuestan los envíos?",
                "hola, cuánto cuesta el envío",
                "¿Tienen tienda física?",
            ),
            (
                Language::De,
                "Wann kommt meine Bestellung?",
                "bitte, wann kommt die bestellung an",
                "Habt ihr am Sonntag geöffnet?",
            ),
        ] {
            let mut groups = Groups::new(language, Vec::new());
            others(50).for_each(|q| _ = groups.place(q));
            let first = groups.place(asked(one));
            assert_ne!(groups.place(asked(different)), first, "{different}");
            let unanswered = AskedQuestion {
                answered: false,
                ..asked(other)
            };
            assert_eq!(groups.place(unanswered), first, "{other}");
            let group = &groups.groups()[first];
            assert_eq!((group.count, group.unanswered), (2, 1));
            assert_eq!(group.representative(), one);
        }
    }

    #[test]
    fn groups_that_were_kept_are_gone_on_with() {
        let mut groups = Groups::new(Language::En, Vec::new());
        others(30).for_each(|q| _ = groups.place(q));
        let place = groups.place(asked("Can I pay with PayPal?"));
        for _ in 0..20 {
            assert_eq!(groups.place(asked("can i pay with paypal")), place);
        }
        let kept = groups.groups().to_vec();
        assert_eq!(kept[place].count, 21);
        let counted: u64 = kept[place].exemplars.iter().map(|e| e.count).sum();
        assert_eq!(counted, 21);
        let mut again = Groups::new(Language::En, kept.clone());
        assert_eq!(again.groups(), kept);
        assert_eq!(again.place(asked("Is PayPal a way to pay?")), place);
        assert_eq!(again.place(asked("something else")), kept.len());
    }

    #[test]
    fn questions_of_one_meaning_are_one_group_in_other_words() {
        let toward = |dimension: usize, other: usize| {
            let mut vector = [0.01_f32; 64];
            vector[dimension] = 1.0;
            vector[other] += 0.2;
            Embedding::of(&vector)
        };
        let mut groups = Groups::new(Language::En, Vec::new());
        for (i, question) in others(40).enumerate() {
            let meaning = toward(i, 63);
            groups.place(AskedQuestion {
                meaning,
                ..question
            });
        }
        let reset = |text, meaning| AskedQuestion {
            meaning,
            ..asked(text)
        };
        let first = groups.place(reset("I lost my password", toward(50, 51)));
        assert_eq!(
            groups.place(reset("forgot credentials", toward(50, 52))),
            first
        );
        assert_ne!(
            groups.place(reset("forgot umbrella", toward(53, 54))),
            first
        );
        // Of another model: told by its words alone.
        let other = Embedding::of(&[1.0, 0.0]);
        assert_eq!(groups.place(reset("lost my password!", other)), first);
    }

    #[test]
    fn what_is_kept_of_a_group_is_bounded() {
        let mut groups = Groups::new(Language::En, Vec::new());
        for i in 0..500 {
            groups.place(asked(&format!("warranty duration lamp aurora w{i}")));
        }
        for group in groups.groups() {
            assert!(group.exemplars.len() <= EXEMPLARS_MAX);
        }
        let counted: u64 = groups.groups().iter().map(|g| g.count).sum();
        assert_eq!(counted, 500);
    }

    #[test]
    fn hostile_questions_have_a_group() {
        for language in Language::ALL {
            let mut groups = Groups::new(*language, Vec::new());
            for text in [
                "",
                "?",
                "😀",
                "the the",
                &"x".repeat(8_000),
                &"a ".repeat(4_000),
                "你好 ок",
            ] {
                groups.place(asked(text));
                groups.place(asked(text));
            }
            let counted: u64 = groups.groups().iter().map(|g| g.count).sum();
            assert_eq!(counted, 14);
        }
    }
}
