//! The tables, as the migrations of both engines make them. What they mean is said there.

macro_rules! tables {
    ($($table:ident ($($key:ident),+) { $($column:ident -> $type:ty,)+ })+) => {
        $(diesel::table! {
            use diesel::sql_types::*;
            use crate::types::{DbJson, DbTime, DbUuid};

            $table ($($key),+) { $($column -> $type,)+ }
        })+
        diesel::allow_tables_to_appear_in_same_query!($($table),+);
        /// Every table with its columns, for the test that asks each engine for them.
        #[cfg(test)]
        pub(crate) const TABLES: &[(&str, &[&str])] =
            &[$((stringify!($table), &[$(stringify!($column)),+])),+];
    };
}

tables! {
    tenants (id) {
        id -> DbUuid,
        name -> Text,
        plan -> Text,
        is_active -> Bool,
        bot_count -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
    api_keys (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> Nullable<DbUuid>,
        hash -> Binary,
        prefix -> Text,
        name -> Text,
        created_at -> DbTime,
        last_used_at -> Nullable<DbTime>,
        revoked_at -> Nullable<DbTime>,
    }
    bots (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        name -> Text,
        channel_type -> Text,
        description -> Nullable<Text>,
        welcome_message -> Nullable<Text>,
        system_prompt -> Nullable<Text>,
        language -> Text,
        personality -> Nullable<Text>,
        bot_role -> Nullable<Text>,
        is_active -> Bool,
        is_default -> Bool,
        knowledge_version -> BigInt,
        embedding_model -> Nullable<Text>,
        embedding_previous -> Nullable<Text>,
        embedding_held -> Bool,
        evaluation_gate -> Bool,
        connection_count -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
    usage_counters (tenant_id, month, shard) {
        tenant_id -> DbUuid,
        month -> Integer,
        shard -> Integer,
        conversations -> BigInt,
        messages -> BigInt,
        reserved -> BigInt,
        reserved_at -> Nullable<DbTime>,
    }
    end_users (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        channel -> Text,
        identifier -> Nullable<Text>,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        created_at -> DbTime,
        same_as -> Nullable<DbUuid>,
        unmerged -> Bool,
    }
    conversations (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        session_id -> Text,
        channel -> Text,
        status -> Text,
        end_user_id -> DbUuid,
        tags -> DbJson,
        last_seq -> BigInt,
        last_author -> Text,
        last_message_at -> DbTime,
        usage_shard -> Integer,
        started_at -> DbTime,
        ended_at -> Nullable<DbTime>,
        created_at -> DbTime,
        sentiment -> Nullable<Text>,
        purchased -> Bool,
        learned_seq -> BigInt,
        learn_due -> Nullable<DbTime>,
    }
    bot_learning (tenant_id, bot_id) {
        tenant_id -> DbUuid,
        bot_id -> DbUuid,
        version -> BigInt,
        products -> DbJson,
        again_after -> Nullable<DbUuid>,
    }
    learned_messages (tenant_id, conversation_id, seq) {
        tenant_id -> DbUuid,
        conversation_id -> DbUuid,
        seq -> BigInt,
        bot_id -> DbUuid,
        day -> Integer,
        sentiment -> Text,
        score -> Double,
        intent -> Nullable<Text>,
        intent_score -> Nullable<Double>,
    }
    learned_mentions (tenant_id, conversation_id, seq, product) {
        tenant_id -> DbUuid,
        conversation_id -> DbUuid,
        seq -> BigInt,
        product -> Text,
        product_id -> Nullable<Text>,
        name -> Text,
        bot_id -> DbUuid,
        day -> Integer,
        sentiment -> Text,
        score -> Double,
    }
    learned_questions (tenant_id, conversation_id, seq) {
        tenant_id -> DbUuid,
        conversation_id -> DbUuid,
        seq -> BigInt,
        bot_id -> DbUuid,
        day -> Integer,
        group_id -> DbUuid,
        answered -> Bool,
        exemplar_count -> Nullable<BigInt>,
    }
    conversation_products (tenant_id, conversation_id, product) {
        tenant_id -> DbUuid,
        conversation_id -> DbUuid,
        product -> Text,
        name -> Text,
    }
    messages (tenant_id, conversation_id, seq) {
        tenant_id -> DbUuid,
        conversation_id -> DbUuid,
        seq -> BigInt,
        id -> DbUuid,
        author -> Text,
        message_type -> Text,
        payload -> DbJson,
        text -> Text,
        metadata -> DbJson,
        reply_to -> Nullable<DbUuid>,
        created_at -> DbTime,
        feedback -> Nullable<Text>,
    }
    leads (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        end_user_id -> DbUuid,
        conversation_id -> DbUuid,
        email -> Text,
        name -> Nullable<Text>,
        origin -> Text,
        consent -> Nullable<Bool>,
        created_at -> DbTime,
    }
    visitor_events (tenant_id, bot_id, event_id) {
        tenant_id -> DbUuid,
        bot_id -> DbUuid,
        event_id -> Text,
        kind -> Text,
        day -> Integer,
        occurred_at -> DbTime,
        conversation_id -> Nullable<DbUuid>,
        customer -> Nullable<Text>,
        product -> Nullable<Text>,
    }
    orders (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        external_id -> Text,
        amount -> BigInt,
        currency -> Text,
        customer_id -> Nullable<Text>,
        customer_email -> Nullable<Text>,
        customer_name -> Nullable<Text>,
        conversation_id -> Nullable<DbUuid>,
        day -> Integer,
        ordered_at -> DbTime,
        created_at -> DbTime,
    }
    conversation_stats (tenant_id, bot_id, day, channel, status, shard) {
        tenant_id -> DbUuid,
        bot_id -> DbUuid,
        day -> Integer,
        channel -> Text,
        status -> Text,
        shard -> Integer,
        count -> Integer,
    }
    message_stats (tenant_id, bot_id, day, shard) {
        tenant_id -> DbUuid,
        bot_id -> DbUuid,
        day -> Integer,
        shard -> Integer,
        count -> Integer,
    }
    knowledge_sources (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        name -> Text,
        source_type -> Text,
        status -> Text,
        error -> Nullable<Text>,
        content_preview -> Text,
        file_name -> Nullable<Text>,
        url -> Nullable<Text>,
        pages -> Nullable<BigInt>,
        failures -> DbJson,
        size_bytes -> BigInt,
        chunk_count -> BigInt,
        revision -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
        enabled -> Bool,
        crawl -> Nullable<DbJson>,
        progress -> Nullable<DbJson>,
        synced_at -> Nullable<DbTime>,
        generation -> BigInt,
        draft -> Nullable<BigInt>,
        drafts -> BigInt,
    }
    knowledge_contents (tenant_id, source_id) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        content -> Text,
    }
    knowledge_files (tenant_id, source_id) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        bytes -> Binary,
    }
    knowledge_chunks (tenant_id, source_id, generation, chunk_index) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        generation -> BigInt,
        chunk_index -> BigInt,
        id -> DbUuid,
        bot_id -> DbUuid,
        content -> Text,
        heading -> Nullable<Text>,
        page -> Nullable<BigInt>,
        url -> Nullable<Text>,
        created_at -> DbTime,
    }
    knowledge_pages (tenant_id, source_id, url) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        url -> Text,
        position -> BigInt,
        added -> BigInt,
        seen -> BigInt,
        changed -> BigInt,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        content_hash -> Text,
        title -> Text,
        markdown -> Text,
    }
    embedding_runs (tenant_id, source_id, model) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        model -> Text,
        generation -> BigInt,
        done -> BigInt,
        finished -> BigInt,
        error -> Nullable<Text>,
    }
    embeddings (tenant_id, source_id, model, hash) {
        tenant_id -> DbUuid,
        source_id -> DbUuid,
        model -> Text,
        hash -> Binary,
        generation -> BigInt,
        vector -> Binary,
    }
    connections (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        name -> Text,
        kind -> Text,
        base_url -> Nullable<Text>,
        model -> Nullable<Text>,
        credential -> Nullable<Binary>,
        enabled -> Bool,
        failures -> BigInt,
        error -> Nullable<Text>,
        failed_at -> Nullable<DbTime>,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
    evaluations (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        status -> Text,
        case_count -> BigInt,
        score -> DbJson,
        error -> Nullable<Text>,
        change -> Nullable<DbJson>,
        published -> Nullable<Bool>,
        created_at -> DbTime,
        finished_at -> Nullable<DbTime>,
    }
    evaluation_cases (tenant_id, evaluation_id, position) {
        tenant_id -> DbUuid,
        evaluation_id -> DbUuid,
        position -> BigInt,
        question -> Text,
        expected -> DbJson,
        result -> Nullable<DbJson>,
    }
    jobs (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        kind -> Text,
        source_id -> Nullable<DbUuid>,
        evaluation_id -> Nullable<DbUuid>,
        execution_id -> Nullable<DbUuid>,
        attempts -> Integer,
        due_at -> DbTime,
        lease_until -> Nullable<DbTime>,
    }
    agent_loops (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        name -> Text,
        description -> Nullable<Text>,
        program -> DbJson,
        cron -> Nullable<Text>,
        events -> DbJson,
        listens -> Bool,
        enabled -> Bool,
        next_run_at -> Nullable<DbTime>,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
    executions (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        loop_id -> DbUuid,
        bot_id -> DbUuid,
        subject -> Nullable<DbUuid>,
        started_by -> Text,
        status -> Text,
        input -> DbJson,
        program -> DbJson,
        result -> Nullable<Text>,
        error -> Nullable<Text>,
        step_count -> BigInt,
        input_tokens -> BigInt,
        output_tokens -> BigInt,
        created_at -> DbTime,
        started_at -> Nullable<DbTime>,
        ended_at -> Nullable<DbTime>,
    }
    execution_steps (tenant_id, execution_id, number) {
        tenant_id -> DbUuid,
        execution_id -> DbUuid,
        number -> BigInt,
        id -> DbUuid,
        kind -> Text,
        status -> Text,
        call -> Nullable<DbJson>,
        text -> Text,
        model -> Nullable<Text>,
        tokens -> Nullable<DbJson>,
        attempts -> BigInt,
        started_at -> Nullable<DbTime>,
        ended_at -> Nullable<DbTime>,
    }
    webhook_endpoints (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        url -> Text,
        events -> DbJson,
        description -> Nullable<Text>,
        disabled_reason -> Nullable<Text>,
        disabled_at -> Nullable<DbTime>,
        failed_rounds -> BigInt,
        failing_since -> Nullable<DbTime>,
        paused_until -> Nullable<DbTime>,
        signing_key -> Binary,
        previous_key -> Nullable<Binary>,
        previous_until -> Nullable<DbTime>,
        leases -> BigInt,
        leased_at -> DbTime,
        lease_until -> Nullable<DbTime>,
        created_at -> DbTime,
    }
    webhook_events (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> Nullable<DbUuid>,
        kind -> Text,
        subject -> DbUuid,
        data -> DbJson,
        created_at -> DbTime,
    }
    webhook_deliveries (tenant_id, endpoint_id, event_id) {
        tenant_id -> DbUuid,
        seq -> BigInt,
        endpoint_id -> DbUuid,
        event_id -> DbUuid,
        subject -> DbUuid,
        status -> Text,
        attempts -> Integer,
        due_at -> Nullable<DbTime>,
        last_status -> Nullable<Integer>,
        last_error -> Nullable<Text>,
        last_attempt_at -> Nullable<DbTime>,
    }
    erasures (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        person -> DbJson,
        created_at -> DbTime,
    }
    channels (tenant_id, id) {
        tenant_id -> DbUuid,
        id -> DbUuid,
        bot_id -> DbUuid,
        kind -> Text,
        name -> Text,
        settings -> DbJson,
        credentials -> Binary,
        status -> Text,
        reason -> Nullable<Text>,
        account -> Nullable<Text>,
        version -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
    channel_conversations (tenant_id, channel_id, session_id) {
        tenant_id -> DbUuid,
        channel_id -> DbUuid,
        session_id -> Text,
        due_at -> Nullable<DbTime>,
        leases -> BigInt,
        lease_until -> Nullable<DbTime>,
        last_received_at -> DbTime,
        reply -> Nullable<DbJson>,
    }
    channel_messages (tenant_id, channel_id, platform_id) {
        tenant_id -> DbUuid,
        seq -> BigInt,
        channel_id -> DbUuid,
        session_id -> Text,
        id -> DbUuid,
        platform_id -> Text,
        is_own -> Bool,
        content -> Nullable<DbJson>,
        attempts -> Integer,
        parts -> Integer,
        error -> Nullable<Text>,
        received_at -> DbTime,
    }
    idempotency_keys (tenant_id, key) {
        tenant_id -> DbUuid,
        key -> Text,
        fingerprint -> Binary,
        operation_id -> DbUuid,
        begun_at -> DbTime,
        under_way -> Bool,
        status -> Nullable<Integer>,
        content_type -> Nullable<Text>,
        body -> Nullable<Binary>,
    }
}

/// Functions that both engines have and diesel does not name.
pub(crate) mod functions {
    use diesel::sql_types::{BigInt, Nullable, SingleValue, SqlType};

    diesel::define_sql_function! {
        /// The first of the two that is not null.
        fn coalesce<T: SqlType + SingleValue>(a: Nullable<T>, b: T) -> T;
    }

    diesel::define_sql_function! {
        /// The first of the two that is not null, if there is one.
        #[sql_name = "coalesce"]
        fn coalesce_null<T: SqlType + SingleValue>(a: Nullable<T>, b: Nullable<T>) -> Nullable<T>;
    }

    diesel::define_sql_function! {
        /// In lower case; of letters beyond ASCII, as far as the engine goes.
        fn lower(x: Nullable<diesel::sql_types::Text>) -> Nullable<diesel::sql_types::Text>;
    }

    diesel::define_sql_function! {
        /// So many characters, from a place that is counted from 1.
        fn substr(
            text: diesel::sql_types::Text,
            from: diesel::sql_types::Integer,
            count: diesel::sql_types::Integer,
        ) -> diesel::sql_types::Text;
    }

    diesel::define_sql_function! {
        /// The sum, for comparisons within SQL only: PostgreSQL's has another type than it is given here.
        #[aggregate]
        #[sql_name = "sum"]
        fn sum_of(x: BigInt) -> Nullable<BigInt>;
    }
}
