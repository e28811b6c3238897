//! Whose knowledge is found, and as of when.

use super::Open;
use super::bench::{Bench, ask, ask_of, contents, draft, owner};

/// What was added is found by the next search.
pub async fn finds_what_was_added_at_once(open: Open<'_>) {
    let bench = Bench::new(open);
    assert!(bench.search("giraffes").await.hits.is_empty());
    for number in 0..3 {
        bench.shelf.put(
            owner(1),
            "zoo",
            vec![draft(&format!("Giraffes eat leaf {number}."))],
        );
        assert_eq!(bench.search("giraffe").await.hits.len(), number + 1);
    }
}

/// What was deleted is found no more, whatever version of the knowledge the caller read before.
pub async fn never_finds_what_was_deleted(open: Open<'_>) {
    let bench = Bench::new(open);
    let gone = bench.shelf.put(owner(1), "a", vec![draft("Zebras run.")]);
    bench.shelf.put(owner(1), "b", vec![draft("Zebras sleep.")]);
    let before = ask(&bench.shelf, "zebras").await;
    assert_eq!(bench.retriever.search(&before).await.unwrap().hits.len(), 2);
    bench.shelf.remove(owner(1), gone);
    let late = bench.retriever.search(&before).await.unwrap();
    assert_eq!(contents(&late), ["Zebras sleep."]);
    assert_eq!(contents(&bench.search("zebras").await), ["Zebras sleep."]);
}

/// Nobody finds what is another tenant's or another bot's.
pub async fn keeps_tenants_and_bots_apart(open: Open<'_>) {
    let bench = Bench::with(open, vec![draft("The secret is blue.")]);
    let (tenant, bot) = owner(1);
    let (stranger, other_bot) = owner(2);
    bench.shelf.put(
        (tenant, other_bot),
        "other bot",
        vec![draft("The secret is red.")],
    );
    bench.shelf.put(
        (stranger, bot),
        "stranger",
        vec![draft("The secret is green.")],
    );
    for (owner, content) in [
        ((tenant, bot), Some("The secret is blue.")),
        ((tenant, other_bot), Some("The secret is red.")),
        ((stranger, bot), Some("The secret is green.")),
        ((stranger, other_bot), None),
    ] {
        let query = ask_of(&bench.shelf, owner, "secret").await;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(contents(&findings), Vec::from_iter(content));
    }
}
