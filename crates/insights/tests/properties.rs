//! What holds for every text: it is read without a fault, and always the same way.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "tests have no public items, and a panic is how they fail"
)]

use domain::insights::{AskedQuestion, MessageReader, Product};
use domain::language::Language;
use insights::{IntentClassifier, LexiconSentiment, PatternIntents, WordReader};
use proptest::prelude::*;

fn language() -> impl Strategy<Value = Language> {
    proptest::sample::select(Language::ALL)
}

/// Any text, and text made of what the rules look at.
fn text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "not ",
        "no ",
        "GOOD",
        "bad",
        "but ",
        "!",
        "?",
        ".",
        ",",
        "'",
        "’",
        "l'",
        ":)",
        "😡",
        "👍🏽",
        "\u{301}",
        "\u{200d}",
        "ß",
        "Aurora ",
        "lamp",
        "lamps ",
        "RX",
        "-",
        "200",
        "\"",
        "“",
        "”",
        " ",
        "\n",
        "@",
        "://",
        "ﬁ",
        "İ",
        "ẞ",
        "नि",
        "order ",
        "where ",
        "is ",
        "my ",
        "a\u{308}e",
        "oo",
    ]);
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #[test]
    fn every_text_is_read(language in language(), text in text(), name in text()) {
        let score = LexiconSentiment::score(language, &text);
        prop_assert!(score.score().abs() <= 1.0);
        prop_assert_eq!(score, LexiconSentiment::score(language, &text));

        let (_, sure) = PatternIntents::best(language, &text);
        prop_assert!((0.0..=1.0).contains(&sure));

        WordReader.is_question(language, &text);
        let candidates = WordReader.candidates(language, &text);
        prop_assert!(candidates.iter().all(|c| text.contains(&c.name)));

        let product = |id: &str, name: &str| Product {
            id: id.to_owned(),
            name: name.to_owned(),
            aliases: vec![text.clone()],
        };
        let finder = WordReader.finder(language, &[product("1", &name), product("2", "aurora lamp")]);
        prop_assert_eq!(finder.mentions(&text), finder.mentions(&text));
    }

    #[test]
    fn a_name_is_found_between_other_words(language in language(), name in "[a-zà-ü]{3,9}( [a-z0-9]{1,5})?") {
        let product = Product { id: "1".into(), name: name.clone(), aliases: Vec::new() };
        let finder = WordReader.finder(language, &[product]);
        let text = format!("Xyz {}, qwe", name.to_uppercase());
        prop_assert_eq!(finder.mentions(&text).len(), 1);
    }

    #[test]
    fn every_question_has_a_group(language in language(), texts in proptest::collection::vec(text(), 0..12)) {
        let group = || {
            let mut grouping = WordReader.grouping(language, Vec::new());
            let ask = |text: &String| AskedQuestion { text: text.clone(), answered: false, meaning: None };
            let places: Vec<_> = texts.iter().map(|text| grouping.place(ask(text))).collect();
            (places, grouping.groups().to_vec())
        };
        let (places, groups) = group();
        prop_assert!(places.iter().all(|place| *place < groups.len()));
        prop_assert_eq!(groups.iter().map(|g| g.unanswered).sum::<u64>(), texts.len() as u64);
        prop_assert_eq!((places, groups), group());
    }

    #[test]
    fn every_set_of_examples_can_be_learned(
        examples in proptest::collection::vec((text(), "[ab]"), 0..6),
        asked in text(),
    ) {
        let told = examples.iter().map(|(text, intent)| (text.as_str(), intent.as_str()));
        let model = IntentClassifier::train(Language::En, told);
        if let Some(intent) = model.classify(&asked) {
            prop_assert!((0.0..=1.0).contains(&intent.score));
        }
    }
}
