//! The readers of messages keep the promises of their ports.
#![allow(missing_docs, reason = "tests have no public items")]

mod sentiment {
    contracts::sentiment_contract!(insights::LexiconSentiment);
}

mod patterns {
    contracts::intent_contract!(insights::PatternIntents);
}

mod classifier {
    contracts::intent_contract!(insights::IntentClassifier::train(
        domain::language::Language::En,
        [("Thank you", "thanks"), ("That is terrible", "complaint")]
    ));
}

mod reader {
    contracts::message_reader_contract!(insights::WordReader);
}
