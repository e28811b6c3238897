//! Promises of [`domain::trials::TrialIndexes`].

use std::sync::Arc;

use domain::knowledge::{KnowledgeIndex, SourceChange};
use domain::trials::Trial;
use domain::{BotId, SourceId, TenantId};

use super::Ports;
use super::embeddings::{MODEL, embed};
use super::given::{
    NOON, after, begin, content, new_source, source, tenant, tenant_with_bot, upload,
};
use super::seen::everything;

async fn sources(index: &Arc<dyn KnowledgeIndex>, tenant: TenantId, bot: BotId) -> Vec<SourceId> {
    let found = index.sources(tenant, bot).await.unwrap();
    let mut ids: Vec<_> = found.into_iter().map(|source| source.id).collect();
    ids.sort();
    ids
}

/// A draft is found as if it were published, of a first reading too, and nothing of what it would replace; in truth
/// nothing has changed.
pub async fn a_draft_is_tried_as_if_it_were_published(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let old = content(3);
    let edited = new_source(&bot, &old);
    s.knowledge.create(&edited, &old, None).await.unwrap();
    let first = upload(s, &bot, NOON).await;
    for (id, others) in [(edited.id, vec![]), (first, vec![edited.id])] {
        let new = content(5);
        let draft = begin(s, tenant, id).await;
        assert!(
            s.knowledge
                .append(draft, 0, &new.chunks, after(1))
                .await
                .unwrap()
        );
        let before = everything(s, tenant).await;
        let trial = s.trials.with(Trial {
            draft: Some(draft),
            ..Trial::default()
        });
        let mut expected = others;
        expected.push(id);
        expected.sort();
        assert_eq!(sources(&trial, tenant, bot.id).await, expected);
        let chunks = trial.chunks_of(tenant, id).await.unwrap();
        let wanted: Vec<_> = new.chunks.iter().map(|(id, _)| *id).collect();
        let found: Vec<_> = chunks.iter().map(|chunk| chunk.id).collect();
        assert_eq!(found, wanted);
        assert_eq!(trial.chunks(tenant, &wanted).await.unwrap().len(), 5);
        assert!(s.index.chunks(tenant, &wanted).await.unwrap().is_empty());
        assert_eq!(everything(s, tenant).await, before);
    }
    let untouched = s.index.chunks_of(tenant, edited.id).await.unwrap();
    assert_eq!(untouched.len(), 3);
}

/// A source that is off is found as if it were on.
pub async fn a_disabled_source_is_tried_as_if_it_were_enabled(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let off = source(s, &bot).await;
    let change = SourceChange {
        enabled: Some(false),
        ..SourceChange::default()
    };
    let at = after(1);
    s.knowledge
        .update(tenant, off, &change, None, at)
        .await
        .unwrap();
    assert!(sources(&s.index, tenant, bot.id).await.is_empty());
    let trial = s.trials.with(Trial {
        enabled: Some(off),
        ..Trial::default()
    });
    assert_eq!(sources(&trial, tenant, bot.id).await, [off]);
    let chunks = trial.chunks_of(tenant, off).await.unwrap();
    let ids: Vec<_> = chunks.iter().map(|chunk| chunk.id).collect();
    assert_eq!(trial.chunks(tenant, &ids).await.unwrap().len(), 3);
    assert!(s.index.chunks(tenant, &ids).await.unwrap().is_empty());
}

/// A model is tried as if the bot were searched by it, and so are words alone.
pub async fn another_model_is_tried_as_if_it_were_in_use(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let one = source(s, &bot).await;
    embed(s, tenant, one, MODEL).await;
    for (model, is_embedded) in [(Some("openai:two"), true), (None, false)] {
        embed(s, tenant, one, "openai:two").await;
        let model = model.map(str::to_owned);
        let switched = s.embeddings.switch(tenant, bot.id, Some(MODEL), true);
        assert!(switched.await.unwrap());
        let trial = s.trials.with(Trial {
            embedding_model: Some(model.clone()),
            ..Trial::default()
        });
        let state = trial.state(tenant, bot.id).await.unwrap().unwrap();
        assert_eq!(state.embedding_model, model);
        let found = trial.sources(tenant, bot.id).await.unwrap();
        assert_eq!(found[0].embedded > 0, is_embedded);
        let now = s.index.state(tenant, bot.id).await.unwrap().unwrap();
        assert_eq!(now.embedding_model.as_deref(), Some(MODEL));
    }
}

/// Another tenant's draft and source are not tried.
pub async fn tenants_try_their_own(s: &Ports) {
    let (owner, bot) = tenant_with_bot(s).await;
    let theirs = source(s, &bot).await;
    let draft = begin(s, owner, theirs).await;
    let new = content(2);
    let at = after(1);
    assert!(s.knowledge.append(draft, 0, &new.chunks, at).await.unwrap());
    let trial = s.trials.with(Trial {
        draft: Some(draft),
        enabled: Some(theirs),
        ..Trial::default()
    });
    let thief = tenant(s).await;
    assert!(sources(&trial, thief, bot.id).await.is_empty());
    assert!(trial.chunks_of(thief, theirs).await.unwrap().is_empty());
    let ids: Vec<_> = new.chunks.iter().map(|(id, _)| *id).collect();
    assert!(trial.chunks(thief, &ids).await.unwrap().is_empty());
}
