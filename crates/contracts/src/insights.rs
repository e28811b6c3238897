//! What every reader of messages promises: one clause, one function, named after its promise.

use domain::insights::{
    AskedQuestion, EXEMPLARS_MAX, IntentModel, MessageReader, Product, SentimentModel,
};
use domain::language::Language;

/// Runs the clauses on a [`SentimentModel`].
#[macro_export]
macro_rules! sentiment_contract {
    ($model:expr) => {
        $crate::sentiment_contract!(@each $model,
            each_text_has_its_score_in_order
            any_text_has_a_score
        );
    };
    (@each $model:expr, $($promise:ident)+) => {$(
        #[tokio::test]
        async fn $promise() {
            $crate::insights::$promise(&$model).await;
        }
    )+};
}

/// Runs the clauses on an [`IntentModel`].
#[macro_export]
macro_rules! intent_contract {
    ($model:expr) => {
        #[tokio::test]
        async fn each_text_has_its_intent_in_order() {
            $crate::insights::each_text_has_its_intent_in_order(&$model).await;
        }
    };
}

/// Runs the clauses on a [`MessageReader`].
#[macro_export]
macro_rules! message_reader_contract {
    ($reader:expr) => {
        $crate::message_reader_contract!(@each $reader,
            a_product_is_mentioned_once_in_order
            the_same_questions_make_the_same_groups
            places_of_groups_never_change
            kept_groups_are_gone_on_with
        );
    };
    (@each $reader:expr, $($promise:ident)+) => {$(
        #[test]
        fn $promise() {
            $crate::insights::$promise(&$reader);
        }
    )+};
}

/// Texts of every kind: plain, empty, long, of no language.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "Thank you!",
        "",
        "That is terrible.",
        "\u{200d}",
        "你好 مرحبا",
    ]
    .map(str::to_owned)
    .into();
    texts.push("😀".repeat(8_000));
    texts.push("word ".repeat(1_600));
    texts
}

/// One score for each text, in their order; none for none.
pub async fn each_text_has_its_score_in_order(model: &impl SentimentModel) {
    assert!(model.sentiment(Language::En, &[]).await.unwrap().is_empty());
    let mut texts = texts();
    let scores = model.sentiment(Language::En, &texts).await.unwrap();
    texts.reverse();
    let mut reversed = model.sentiment(Language::En, &texts).await.unwrap();
    reversed.reverse();
    assert_eq!(scores, reversed);
    assert_eq!(scores.len(), texts.len());
    assert!(scores[0].score() > scores[2].score());
}

/// Whatever a visitor writes, in every language.
pub async fn any_text_has_a_score(model: &impl SentimentModel) {
    for language in Language::ALL {
        for score in model.sentiment(*language, &texts()).await.unwrap() {
            assert!((-1.0..=1.0).contains(&score.score()));
        }
    }
}

/// One intent, or none, for each text, in their order.
pub async fn each_text_has_its_intent_in_order(model: &impl IntentModel) {
    for language in Language::ALL {
        let mut texts = texts();
        let intents = model.intents(*language, &texts).await.unwrap();
        assert_eq!(intents.len(), texts.len());
        texts.reverse();
        let mut reversed = model.intents(*language, &texts).await.unwrap();
        reversed.reverse();
        assert_eq!(intents, reversed);
        for intent in intents.into_iter().flatten() {
            assert!(!intent.intent.is_empty() && (0.0..=1.0).contains(&intent.score));
        }
    }
}

/// However often a message names it.
pub fn a_product_is_mentioned_once_in_order(reader: &impl MessageReader) {
    let product = |id: &str, name: &str| Product {
        id: id.to_owned(),
        name: name.to_owned(),
        aliases: Vec::new(),
    };
    let products = [product("1", "Zebu"), product("2", "Quoll")];
    let finder = reader.finder(Language::En, &products);
    let found = finder.mentions("A quoll, a Zebu, a QUOLL and a zebu");
    let ids: Vec<_> = found.iter().map(|m| m.product_id.as_deref()).collect();
    assert_eq!(ids, [Some("2"), Some("1")]);
    for text in texts() {
        assert!(finder.mentions(&text).is_empty());
    }
}

fn asked(text: String, answered: bool) -> AskedQuestion {
    AskedQuestion {
        text,
        answered,
        meaning: None,
    }
}

/// Twenty questions, each put in two ways, and every third unanswered.
fn questions() -> Vec<AskedQuestion> {
    (0..40)
        .map(|i| {
            let (thing, polite) = (i % 20, if i < 20 { "" } else { "please, " });
            asked(
                format!("{polite}where is alpha{thing} beta{thing}?"),
                i % 3 > 0,
            )
        })
        .collect()
}

/// The same questions in the same order.
pub fn the_same_questions_make_the_same_groups(reader: &impl MessageReader) {
    let groups = || {
        let mut grouping = reader.grouping(Language::En, Vec::new());
        questions().into_iter().for_each(|q| _ = grouping.place(q));
        grouping.groups().to_vec()
    };
    let once = groups();
    assert_eq!(once, groups());
    assert_eq!(once.len(), 20);
    assert_eq!(once.iter().map(|g| g.count).sum::<u64>(), 40);
    assert_eq!(once.iter().map(|g| g.unanswered).sum::<u64>(), 14);
    for group in once {
        assert!(!group.representative().is_empty());
        assert!(group.exemplars.len() <= EXEMPLARS_MAX);
        assert_eq!(
            group.exemplars.iter().map(|e| e.count).sum::<u64>(),
            group.count
        );
    }
}

/// A place that was said is the group's place for good.
pub fn places_of_groups_never_change(reader: &impl MessageReader) {
    let mut grouping = reader.grouping(Language::En, Vec::new());
    for question in questions() {
        let before = grouping.groups().len();
        let place = grouping.place(question.clone());
        assert!(place < before || (place == before && grouping.groups().len() == before + 1));
        assert_eq!(grouping.place(question), place);
    }
}

/// What was kept goes on as if it had never been put away.
pub fn kept_groups_are_gone_on_with(reader: &impl MessageReader) {
    let mut grouping = reader.grouping(Language::En, Vec::new());
    let places: Vec<_> = questions().into_iter().map(|q| grouping.place(q)).collect();
    let mut again = reader.grouping(Language::En, grouping.groups().to_vec());
    assert_eq!(again.groups(), grouping.groups());
    for (question, place) in questions().into_iter().zip(places) {
        assert_eq!(again.place(question), place);
    }
}
