//! Which clauses there are.

/// Runs every clause on a store of its own, each as a test that is named after its promise.
///
/// `open` is the path, from the root of the calling crate (`crate::...`), of an async function without arguments
/// that answers the [`Ports`](crate::store::Ports) of a fresh, empty store and a guard that keeps it.
#[macro_export]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store_contract!($open, tenants:
            a_tenant_is_found_as_it_was_created
            tenants_are_listed_newest_first
            a_tenant_is_suspended_and_resumed
            an_unknown_tenant_is_none
            deleting_a_tenant_deletes_all_it_has
            a_deleted_tenant_leaves_its_ids_free
        );
        $crate::store_contract!($open, keys:
            a_key_is_found_by_its_hash_with_its_tenant
            an_unknown_hash_finds_nothing
            a_key_needs_its_tenant
            a_suspended_tenants_key_is_found_with_its_state
            keys_are_listed_newest_first
            revoking_twice_keeps_the_first_time
            an_unknown_key_cannot_be_revoked
            a_key_of_a_bot_goes_with_it
            a_key_is_changed_by_its_own_tenant_only
            the_last_use_never_goes_back
        );
        $crate::store_contract!($open, bots:
            a_bot_is_found_as_it_was_created
            every_word_of_the_closed_lists_is_kept
            an_unknown_bot_is_none
            the_first_bot_is_the_default
            first_bots_at_once_make_one_default
            a_hundred_creations_at_once_stop_at_the_limit
            unlimited_bots_are_unlimited
            deleting_a_bot_frees_its_place
            a_lowered_limit_lets_no_more_bots_in
            a_taken_id_is_a_conflict_also_at_the_limit
            an_id_is_a_tenants_own
            the_oldest_remaining_bot_becomes_the_default
            there_is_always_one_default
            a_deleted_bot_is_gone_with_all_it_has
            a_bot_needs_its_tenant
        );
        $crate::store_contract!($open, bot_changes:
            an_update_writes_only_the_fields_given
            an_empty_update_changes_no_field
            updates_of_different_fields_at_once_both_hold
            bots_are_listed_newest_first_in_pages
            bots_are_filtered_by_channel_and_activity
        );
        $crate::store_contract!($open, conversations:
            a_first_message_makes_its_conversation
            a_conversation_takes_its_channel_from_its_bot
            later_messages_join_the_conversation
            an_answer_is_stored_as_it_was_given
            the_welcome_message_comes_first_and_once
            a_bot_welcomes_only_where_it_has_a_welcome_message
            first_messages_at_once_make_one_conversation
            fifty_messages_at_once_all_land_in_one_order
            messages_to_many_sessions_at_once_are_not_mixed_up
            a_message_id_is_stored_once
            the_same_message_at_once_is_stored_once
            an_answer_to_a_deleted_conversation_is_not_found
            the_same_answer_is_stored_once
        );
        $crate::store_contract!($open, opinions:
            what_a_person_thought_is_kept_and_taken_back
            only_a_bots_message_is_thought_of
            what_was_learned_is_found_by
            conversations_are_filtered_by_time_and_person
            a_conversation_is_found_by_its_id
        );
        $crate::store_contract!($open, leads:
            a_form_is_kept_in_its_bots_conversations_only
            an_address_is_kept_once_with_its_first_conversation
            an_address_comes_with_later_messages_too
            customers_are_listed_in_their_orders
            leads_are_listed_newest_first_and_go_with_their_bot
        );
        $crate::store_contract!($open, visits:
            a_visit_is_counted_once
            activity_is_a_bots_own_and_of_its_days
            visits_need_their_bot
        );
        $crate::store_contract!($open, learning:
            what_visitors_write_is_due_once_it_is_answered
            what_is_due_is_of_one_bot_and_bounded
            a_lesson_from_what_has_changed_is_not_kept
            what_was_learned_makes_its_conversation_and_goes_with_it
            names_count_from_three_conversations_on
            questions_are_told_by_group
            a_new_catalogue_is_looked_for_in_what_was_said_before
            what_was_learned_is_a_bots_own
        );
        $crate::store_contract!($open, erasures:
            a_person_is_all_who_have_their_names_and_addresses
            customers_who_turn_out_to_be_one_are_made_one
            a_person_is_erased_in_parts
            an_erasure_is_unfinished_until_its_last_part
        );
        $crate::store_contract!($open, orders:
            an_order_is_kept_once
            orders_told_at_once_are_kept_once
            an_order_goes_to_the_conversation_that_led_to_it
            a_conversation_too_long_ago_led_to_nothing
            an_order_needs_its_bot_and_conversation
            orders_are_listed_newest_first_and_summed_by_day
        );
        $crate::store_contract!($open, people:
            the_same_identifier_is_the_same_person
            one_person_at_once_is_one_person
            without_a_bot_named_it_is_the_default
            a_message_needs_a_bot_of_the_tenant
            an_inactive_bot_takes_no_message
            another_bot_for_a_conversation_is_invalid
        );
        $crate::store_contract!($open, histories:
            history_is_the_newest_before_this_message_oldest_first
            a_turn_is_found_by_its_message
            an_unknown_conversation_is_none
            conversations_are_listed_newest_first_in_pages
            conversations_are_filtered_by_bot_status_and_channel
            a_conversation_shows_its_bots_name_of_now
            a_long_conversation_is_read_whole
            an_answer_is_found_with_its_question
            the_newest_conversations_of_a_bot_are_read
        );
        $crate::store_contract!($open, endings:
            what_has_ended_keeps_its_time
            a_message_makes_an_ended_conversation_active
            an_answer_after_the_end_is_stored
            silence_after_a_bot_spoke_abandons
            abandoning_goes_in_batches
            an_abandoned_conversation_goes_on_or_ends
            counters_are_exact_after_ends_at_once
            a_deleted_conversation_leaves_the_figures
            messages_come_in_pages
        );
        $crate::store_contract!($open, limits:
            every_stored_message_counts
            room_for_the_answer_is_reserved
            the_welcome_message_needs_room
            giving_up_frees_the_room
            giving_up_nothing_makes_no_room
            reservations_lapse_after_ten_minutes
            a_late_answer_is_stored
            a_hundred_turns_at_once_stop_at_the_message_limit
            a_hundred_conversations_at_once_stop_at_the_limit
            conversations_go_on_at_their_limit
            deleting_gives_no_room_back
            a_limit_is_a_tenants_own
            months_are_calendar_months_in_utc
            an_answer_after_the_months_end_is_counted_once
            counters_are_exact_after_mixed_traffic
        );
        $crate::store_contract!($open, analytics:
            without_conversations_all_figures_are_zero
            conversations_are_counted_by_day_channel_status_and_bot
            a_conversation_keeps_the_day_it_began
            totals_are_of_the_days_asked_for
            days_are_days_in_utc
            deleted_bots_leave_the_figures
            figures_are_a_tenants_own
        );
        $crate::store_contract!($open, knowledge:
            sources_are_counted_by_their_status
            a_source_is_found_as_it_was_created
            large_content_comes_back_whole
            a_deleted_source_is_gone_with_all_of_it
            a_source_needs_a_bot_of_its_tenant
            a_taken_source_id_is_a_conflict
            the_same_source_at_once_is_there_once
            an_unknown_source_is_none
            sources_are_listed_newest_first_in_pages
            sources_are_filtered_by_bot_and_type
        );
        $crate::store_contract!($open, staging:
            a_large_file_comes_back_to_the_byte
            a_staged_file_is_read_well
            a_staged_file_is_read_badly
            a_file_read_twice_has_its_chunks_once
            a_deleted_source_stays_gone
            reading_and_deleting_at_once_leave_nothing
        );
        $crate::store_contract!($open, drafts:
            an_edition_is_seen_from_its_publication_on
            the_later_draft_wins
            drafts_at_once_leave_one_edition
            a_draft_that_died_leaves_the_edition
            a_source_that_fails_again_is_answered_from_as_before
            a_discarded_draft_leaves_the_edition
            progress_is_told_while_a_source_is_read
            an_edition_may_have_the_text_of_its_chunks
            a_failed_source_can_be_read_again
        );
        $crate::store_contract!($open, sweeping:
            sweeping_ends_and_takes_only_what_was_left
            a_draft_under_way_is_not_swept
            what_was_left_waits_to_be_swept
        );
        $crate::store_contract!($open, embeddings:
            what_can_be_answered_from_waits_to_be_embedded
            embeddings_are_found_by_source_and_model
            the_same_words_are_embedded_once
            a_new_reading_keeps_what_it_still_has
            a_run_that_was_overtaken_keeps_nothing
            a_bot_is_switched_when_all_is_embedded
            a_switch_is_undone_and_holds
            the_state_shows_how_far_a_model_has_come
            a_new_model_wants_every_source
            a_model_of_before_moves_no_bot_until_it_is_wanted_again
            tenants_have_their_own_embeddings
        );
        $crate::store_contract!($open, evaluations:
            an_evaluation_is_kept_with_its_cases
            results_are_kept_as_they_come
            evaluations_are_listed_and_go_with_their_bot
            what_an_evaluation_decides_on_is_kept
        );
        $crate::store_contract!($open, agent_loops:
            executions_that_name_somebody_are_theirs
            a_loop_is_kept
            a_bot_has_so_many_loops_and_no_more
            an_execution_is_kept_with_its_job
            a_loop_has_so_many_open_executions_and_no_more
            steps_are_kept_as_they_come
            an_execution_ends_once
            an_execution_that_waits_goes_on_once
            a_schedule_begins_one_at_a_time
            events_begin_loops_that_listen
            a_bot_speaks_of_its_own_accord
            tenants_have_their_own_loops
        );
        $crate::store_contract!($open, connections:
            a_connection_is_kept
            a_changed_connection_has_not_failed
            failures_in_a_row_are_counted
            a_bot_has_so_many_connections_and_no_more
            tenants_have_their_own_connections
        );
        $crate::store_contract!($open, channels:
            a_channel_is_found_as_it_was_created
            a_channel_is_changed_as_it_was_read
            a_bot_has_so_many_channels_and_no_more
            tenants_have_their_own_channels
        );
        $crate::store_contract!($open, inbox:
            a_message_is_kept_once
            a_channel_that_is_not_connected_stands_still
            a_conversation_is_answered_in_order
            a_conversation_is_leased_to_one_worker
            a_conversation_is_due_when_it_is_said
            old_messages_are_forgotten
        );
        $crate::store_contract!($open, trials:
            a_draft_is_tried_as_if_it_were_published
            a_disabled_source_is_tried_as_if_it_were_enabled
            another_model_is_tried_as_if_it_were_in_use
            tenants_try_their_own
        );
        $crate::store_contract!($open, sites:
            the_pages_of_a_site_are_known
            the_pages_of_a_draft_come_in_parts
            the_pages_of_a_draft_that_died_are_known
            a_draft_knows_whether_it_has_changed
            a_first_reading_is_a_change
            pages_that_vanished_are_forgotten
            an_unchanged_page_takes_its_new_marks
            an_unknown_page_is_not_as_it_was
            a_published_site_shows_what_was_read
        );
        $crate::store_contract!($open, settings:
            a_sources_update_writes_only_the_fields_given
            a_change_of_what_a_source_does_not_have_is_none
            changes_of_different_fields_at_once_all_hold
            the_next_reading_follows_its_hours
            a_reading_at_hand_is_left
            a_refreshed_source_waits_to_be_read
            a_refreshed_file_is_read_as_if_it_were_new
            a_reading_is_hurried_unless_it_is_at_work
            text_is_not_read_again
        );
        $crate::store_contract!($open, index:
            the_version_grows_with_every_change
            the_version_stays_while_nothing_changes
            changes_at_once_all_raise_the_version
            a_message_comes_with_the_version
            only_ready_sources_are_shown_with_their_revision
            curated_sources_are_told_apart
            a_disabled_source_is_not_found_until_it_is_enabled
            a_disabled_source_can_be_read_again
            chunks_are_found_by_their_ids
            an_unknown_bot_has_no_version
        );
        $crate::store_contract!($open, jobs:
            a_staged_file_waits_as_a_job
            jobs_are_leased_in_the_order_of_waiting
            a_job_is_leased_to_one_worker
            a_lease_that_ran_out_is_handed_out_again
            an_extended_lease_lasts_longer
            a_job_given_back_waits_until_it_is_due
            a_job_that_is_done_is_forgotten
            a_job_goes_with_its_source
            released_jobs_are_due_at_once
            a_staged_site_waits_as_a_job
            jobs_are_leased_by_their_kinds
            a_job_that_is_done_can_be_wanted_again
            a_lost_lease_wants_nothing_again
            a_source_has_one_job_of_a_kind
        );
        $crate::store_contract!($open, webhooks:
            an_endpoint_is_found_as_it_was_created
            a_tenants_endpoints_are_limited
            a_change_of_an_endpoint_writes_only_the_fields_given
            a_new_key_leaves_the_one_before_it_for_a_while
            endpoints_are_a_tenants_own
        );
        $crate::store_contract!($open, deliveries:
            a_message_is_told_to_the_endpoints_that_chose_it
            an_event_is_kept_once_and_only_if_somebody_wants_it
            messages_at_once_are_told_in_their_order
            events_of_a_subject_wait_for_the_one_before
            an_endpoint_is_leased_to_one_worker
            endpoints_take_turns
            what_is_paused_disabled_or_not_due_is_not_leased
            what_came_of_an_attempt_is_kept
            a_lost_lease_changes_no_endpoint
            a_delivery_is_sent_again_when_asked
            a_deleted_endpoint_does_not_disturb_messages
            events_go_with_their_bot
            old_events_are_forgotten
            deliveries_are_a_tenants_own
        );
        $crate::store_contract!($open, idempotency:
            a_request_under_way_is_not_done_twice
            a_key_is_not_reused_for_another_request
            a_request_that_was_done_is_answered_again
            a_stale_request_is_taken_over_with_its_operation
            of_requests_at_once_one_is_let_in
            an_abandoned_request_is_tried_again_with_its_operation
            old_requests_are_forgotten
            a_key_is_a_tenants_own
        );
        $crate::store_contract!($open, words:
            messages_are_kept_word_for_word
            session_ids_are_kept_word_for_word
            people_are_kept_word_for_word
            bots_are_kept_word_for_word
            empty_text_is_not_none
            knowledge_is_kept_word_for_word
            keyed_requests_are_kept_word_for_word
        );
        $crate::store_contract!($open, isolation:
            the_same_names_are_each_tenants_own
            another_tenant_sees_nothing
            another_tenant_changes_nothing
            another_tenants_ids_are_free
        );
        $crate::store_contract!($open, hangups:
            a_message_whose_sender_is_gone_is_whole_or_nothing
            an_answer_whose_caller_is_gone_is_whole_or_nothing
            changes_whose_callers_are_gone_are_whole_or_nothing
            many_callers_gone_at_once_do_not_use_the_store_up
        );
    };
    ($open:path, $noun:ident: $($clause:ident)+) => {
        mod $noun {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $clause() {
                    let (ports, _guard) = $open().await;
                    $crate::store::$noun::$clause(&ports).await;
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    /// A clause that is written but not listed would be a promise that nobody keeps.
    #[test]
    fn every_clause_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store");
        let list = include_str!("list.rs");
        let mut clauses = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let noun = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let (_, listed) = list
                .split_once(&format!("$open, {noun}:"))
                .unwrap_or_default();
            let listed = listed.split(')').next().unwrap_or_default();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let Some(rest) = line.strip_prefix("pub async fn ") else {
                    continue;
                };
                if let Some(clause) = rest.strip_suffix("(s: &Ports) {") {
                    clauses += 1;
                    let is_listed = listed.split_whitespace().any(|word| word == clause);
                    assert!(is_listed, "{noun}::{clause} is not listed");
                }
            }
        }
        assert!(clauses > 100, "only {clauses} clauses were found");
    }
}
