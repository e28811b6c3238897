//! What every retriever promises, over any store of knowledge.
//!
//! An adapter's tests call [`retriever_contract!`](crate::retriever_contract) with a function that opens a
//! retriever over a store.

mod bench;
pub mod curated;
pub mod embedder;
pub mod follow_ups;
pub mod hostile;
pub mod knowledge;
pub mod meaning;
pub mod quotes;
pub mod ranking;
mod shelf;
pub mod together;
pub mod words;

use std::sync::Arc;

use domain::embeddings::Embedder;
use domain::knowledge::KnowledgeIndex;
use domain::retrieval::Retriever;

pub use bench::{ask, draft, owner, shop};
pub use embedder::Synonyms;
pub use shelf::Shelf;

/// Opens the retriever under test over a store, with embedders of questions.
pub type Open<'a> =
    &'a (dyn Fn(Arc<dyn KnowledgeIndex>, Vec<Arc<dyn Embedder>>) -> Box<dyn Retriever> + Sync);

/// One test per promise of [`Retriever`]. `open` is a
/// `fn(Arc<dyn KnowledgeIndex>, Vec<Arc<dyn Embedder>>) -> impl Retriever`.
#[macro_export]
macro_rules! retriever_contract {
    ($open:expr) => {
        $crate::retriever_contract!($open;
            words::finds_by_stem_in_every_language,
            words::finds_codes_prices_and_addresses,
            words::finds_by_heading_and_by_the_name_of_the_source,
            words::finds_nothing_where_nothing_is_in_common,
            follow_ups::follows_up_on_the_question_before,
            follow_ups::answers_follow_ups_in_every_language,
            follow_ups::words_asked_before_answer_nothing_else,
            follow_ups::a_whole_question_stands_by_itself,
            knowledge::finds_what_was_added_at_once,
            knowledge::never_finds_what_was_deleted,
            knowledge::keeps_tenants_and_bots_apart,
            ranking::keeps_to_the_limit,
            ranking::ranks_the_best_first,
            ranking::ranks_the_same_every_time,
            ranking::tells_answers_from_chance,
            together::a_list_that_goes_on_is_found_together,
            together::what_has_ended_brings_no_neighbours,
            together::near_doubles_are_left_out,
            together::what_says_something_else_is_no_double,
            quotes::quotes_the_chunk,
            quotes::quotes_answers_and_rows_with_what_they_are_about,
            curated::a_pair_wins_however_it_is_asked_for,
            curated::a_pair_wins_in_every_language,
            curated::a_pair_is_quoted_whole_and_alone,
            curated::the_best_of_near_pairs_wins,
            curated::a_pair_of_stop_words_wins,
            curated::a_pair_wins_a_follow_up,
            curated::a_pair_that_shares_a_word_wins_nothing,
            curated::a_pair_that_does_not_win_is_found_by_its_words,
            curated::other_knowledge_is_found_as_without_pairs,
            curated::text_that_looks_like_a_pair_is_none,
            curated::pairs_are_the_bots_own,
            hostile::survives_hostile_input,
            hostile::poisoned_knowledge_is_text,
            meaning::finds_what_says_the_same_in_other_words,
            meaning::a_follow_up_means_what_was_asked_before,
            meaning::an_embedder_that_fails_costs_meaning_alone,
            meaning::what_is_not_embedded_is_found,
            meaning::vectors_of_another_model_are_not_used,
            meaning::embeddings_are_the_bots_own,
            meaning::another_model_finds_other_chunks_and_words_stay,
        );
    };
    ($open:expr; $($thought:ident::$clause:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $clause() {
            $crate::retrieval::$thought::$clause(&|store, embedders| Box::new($open(store, embedders))).await;
        }
    )+};
}
