//! Promises of [`domain::knowledge::KnowledgeSources`]: the pages of websites, which are read again and again.

use domain::knowledge::{Draft, DraftPage, Edition, SourceStatus, Staged};
use domain::websites::{KnownPage, PageMark, WebPage};
use domain::{SourceId, TenantId};

use super::Ports;
use super::given::{
    NOON, after, begin, content, edition, id, new_site, site, source, tenant_with_bot, web_page,
};

fn known(page: &WebPage) -> KnownPage {
    KnownPage {
        url: page.url.clone(),
        mark: page.mark.clone(),
    }
}

/// Puts pages into a draft, in this order; those without words are as they were.
async fn put(s: &Ports, draft: Draft, pages: &[(&str, Option<&str>)]) {
    let before = s
        .knowledge
        .known_pages(draft.tenant_id, draft.source_id)
        .await
        .unwrap();
    for (position, (name, words)) in (0..).zip(pages) {
        let page = match words {
            Some(words) => DraftPage::Read(web_page(name, words)),
            None => {
                let url = web_page(name, "").url;
                let known = before.iter().find(|page| page.url == url);
                DraftPage::Same(known.expect("the page is known").clone())
            }
        };
        assert!(s.knowledge.put_page(draft, position, &page).await.unwrap());
    }
}

/// The names of the pages that are known, in order.
async fn names(s: &Ports, tenant: TenantId, source: SourceId) -> String {
    let known = s.knowledge.known_pages(tenant, source).await.unwrap();
    let last = |page: &KnownPage| page.url.rsplit('/').next().unwrap_or_default().to_owned();
    known.iter().map(last).collect()
}

async fn publish(s: &Ports, draft: Draft) {
    let edition = Edition {
        text: None,
        pages: Some(2),
        ..edition(&content(0))
    };
    assert!(
        s.knowledge
            .publish(draft, &edition, after(9))
            .await
            .unwrap()
    );
}

/// The pages that a site came with are known, in their order; other sources have none.
pub async fn the_pages_of_a_site_are_known(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let pages: Vec<_> = ["z", "a", "m"]
        .map(|name| WebPage {
            mark: PageMark {
                etag: None,
                last_modified: Some("Mon, 02 Mar 2026 10:00:00 GMT".into()),
                content_hash: name.into(),
            },
            ..web_page(name, "Words")
        })
        .into();
    let (source, content) = new_site(&bot, pages.clone());
    s.knowledge.create(&source, &content, None).await.unwrap();
    site(s, &bot, None).await;
    let found = s.knowledge.known_pages(tenant, source.id).await.unwrap();
    let expected: Vec<_> = pages.iter().map(known).collect();
    assert_eq!(found, expected);
    let text = super::given::source(s, &bot).await;
    for none in [text, id()] {
        let found = s.knowledge.known_pages(tenant, none).await.unwrap();
        assert!(found.is_empty());
    }
}

/// The pages of a draft come in order and in parts, each once: those read, and those that are as they were.
pub async fn the_pages_of_a_draft_come_in_parts(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    let draft = begin(s, tenant, source).await;
    let names: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    let mut given: Vec<_> = names.iter().map(|name| (&**name, Some("New"))).collect();
    given.insert(4, ("b", None));
    put(s, draft, &given).await;
    let expected: Vec<_> = (0..)
        .zip(&given)
        .map(|(position, (name, words))| (position, web_page(name, words.unwrap_or("Two"))))
        .collect();
    let mut found = Vec::new();
    loop {
        let from = found.last().map_or(0, |(position, _)| position + 1);
        let part = s.knowledge.pages(draft, from, 4).await.unwrap();
        assert!(part.len() <= 4);
        if part.is_empty() {
            break;
        }
        found.extend(part);
    }
    assert_eq!(found, expected);
    // Put again it is there once, at its new place.
    let page = DraftPage::Read(web_page("0", "Newer"));
    assert!(s.knowledge.put_page(draft, 11, &page).await.unwrap());
    let found = s.knowledge.pages(draft, 0, 100).await.unwrap();
    assert_eq!(found.len(), 11);
    assert_eq!(found[10], (11, web_page("0", "Newer")));
}

/// What a reading that died had fetched is known to the next one, which need not fetch it again.
pub async fn the_pages_of_a_draft_that_died_are_known(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    let died = begin(s, tenant, source).await;
    put(s, died, &[("a", Some("Changed")), ("c", Some("New"))]).await;
    let draft = begin(s, tenant, source).await;
    let found = s.knowledge.known_pages(tenant, source).await.unwrap();
    for page in [
        web_page("a", "Changed"),
        web_page("b", "Two"),
        web_page("c", "New"),
    ] {
        assert!(found.contains(&known(&page)), "{found:?}");
    }
    put(s, draft, &[("a", None), ("b", None), ("c", None)]).await;
    let pages = s.knowledge.pages(draft, 0, 9).await.unwrap();
    assert_eq!(pages[0].1, web_page("a", "Changed"));
    assert_eq!(pages[2].1, web_page("c", "New"));
    assert!(s.knowledge.has_changed(draft).await.unwrap());
}

/// A draft has changed if a page has, came, or vanished, since the source's edition, not since its last reading;
/// the order alone is no change.
pub async fn a_draft_knows_whether_it_has_changed(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    type Pages = &'static [(&'static str, Option<&'static str>)];
    let cases: [(&str, &[Pages], bool); 10] = [
        ("the same", &[&[("a", None), ("b", None)]], false),
        ("another order", &[&[("b", None), ("a", None)]], false),
        ("one changed", &[&[("a", None), ("b", Some("2"))]], true),
        (
            "one came",
            &[&[("a", None), ("b", None), ("c", Some("3"))]],
            true,
        ),
        ("one vanished", &[&[("a", None)]], true),
        ("all vanished", &[&[]], true),
        (
            "one changed before",
            &[&[("a", Some("1"))], &[("a", None), ("b", None)]],
            true,
        ),
        (
            "one came before",
            &[
                &[("c", Some("3"))],
                &[("a", None), ("b", None), ("c", None)],
            ],
            true,
        ),
        (
            "one vanished before",
            &[&[("a", None)], &[("a", None), ("b", None)]],
            false,
        ),
        (
            "one came before and vanished again",
            &[&[("c", Some("3"))], &[("a", None), ("b", None)]],
            false,
        ),
    ];
    for was_published in [false, true] {
        for (name, drafts, expected) in cases {
            let source = site(s, &bot, None).await.id;
            if was_published {
                let draft = begin(s, tenant, source).await;
                let pages = [("x", Some("0")), ("b", Some("Two")), ("a", Some("One"))];
                put(s, draft, &pages).await;
                publish(s, draft).await;
                let draft = begin(s, tenant, source).await;
                put(s, draft, &[("a", None), ("b", None)]).await;
                assert!(s.knowledge.has_changed(draft).await.unwrap());
                publish(s, draft).await;
            }
            let mut changed = None;
            for pages in drafts {
                let draft = begin(s, tenant, source).await;
                put(s, draft, pages).await;
                changed = Some(s.knowledge.has_changed(draft).await.unwrap());
            }
            assert_eq!(changed, Some(expected), "{name}, {was_published}");
        }
    }
}

/// The first reading of a site is a change, whatever it finds.
pub async fn a_first_reading_is_a_change(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (mut new, _) = new_site(&bot, Vec::new());
    new.status = SourceStatus::Processing;
    let staged = Staged {
        job_id: id(),
        file: None,
    };
    s.knowledge.stage(&new, &staged).await.unwrap();
    let draft = begin(s, tenant, new.id).await;
    assert!(s.knowledge.has_changed(draft).await.unwrap());
    put(s, draft, &[("a", Some("One"))]).await;
    let again = begin(s, tenant, new.id).await;
    put(s, again, &[("a", None)]).await;
    assert!(!s.knowledge.has_changed(draft).await.unwrap());
    assert!(s.knowledge.has_changed(again).await.unwrap());
    publish(s, again).await;
    let last = begin(s, tenant, new.id).await;
    put(s, last, &[("a", None)]).await;
    assert!(!s.knowledge.has_changed(last).await.unwrap());
}

/// Publishing forgets pages that the site no longer has, at once, and sweeping deletes them; discarding forgets
/// none that the source is answered from.
pub async fn pages_that_vanished_are_forgotten(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    let draft = begin(s, tenant, source).await;
    put(s, draft, &[("c", Some("3")), ("b", None)]).await;
    assert!(s.knowledge.discard(draft, &[], after(1)).await.unwrap());
    let all = names(s, tenant, source).await;
    assert!(all.contains('a') && all.contains('b'), "{all}");

    let draft = begin(s, tenant, source).await;
    put(s, draft, &[("c", Some("3")), ("b", None)]).await;
    publish(s, draft).await;
    assert_eq!(names(s, tenant, source).await, "cb");
    let job = super::jobs::lease(s, super::jobs::READING, 60).await;
    assert_eq!(job.unwrap().source(), source);
    assert!(s.knowledge.sweep(tenant, source).await.unwrap());
    while s.knowledge.sweep(tenant, source).await.unwrap() {}
    assert_eq!(names(s, tenant, source).await, "cb");

    // One that comes back is new, whether it was swept or not.
    for is_swept in [true, false] {
        let draft = begin(s, tenant, source).await;
        put(s, draft, &[("c", None), ("b", None), ("a", Some("One"))]).await;
        assert!(s.knowledge.has_changed(draft).await.unwrap());
        let draft = begin(s, tenant, source).await;
        put(s, draft, &[("c", None), ("b", None)]).await;
        assert!(!s.knowledge.has_changed(draft).await.unwrap(), "{is_swept}");
        publish(s, draft).await;
    }
    assert_eq!(names(s, tenant, source).await, "cb");
}

/// A page that is as it was keeps its words, and takes the marks that its server gives it now.
pub async fn an_unchanged_page_takes_its_new_marks(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = site(s, &bot, None).await.id;
    let draft = begin(s, tenant, source).await;
    let mut page = web_page("a", "One");
    page.mark.etag = None;
    page.mark.last_modified = Some("Tue, 03 Mar 2026 10:00:00 GMT".into());
    let same = DraftPage::Same(known(&page));
    assert!(s.knowledge.put_page(draft, 3, &same).await.unwrap());
    let found = s.knowledge.pages(draft, 0, 9).await.unwrap();
    assert_eq!(found, [(3, page.clone())]);
    let pages = s.knowledge.known_pages(tenant, source).await.unwrap();
    assert!(pages.contains(&known(&page)));
}

/// A page that nobody read before can't be as it was.
pub async fn an_unknown_page_is_not_as_it_was(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let source = source(s, &bot).await;
    let draft = begin(s, tenant, source).await;
    let page = DraftPage::Same(known(&web_page("a", "One")));
    assert!(s.knowledge.put_page(draft, 0, &page).await.is_err());
    assert!(s.knowledge.pages(draft, 0, 9).await.unwrap().is_empty());
}

/// A published site shows when it was last compared, how many pages it has and what could not be read.
pub async fn a_published_site_shows_what_was_read(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let before = site(s, &bot, None).await;
    let draft = begin(s, tenant, before.id).await;
    put(s, draft, &[("a", Some("1"))]).await;
    let content = content(3);
    s.knowledge
        .append(draft, 0, &content.chunks, after(1))
        .await
        .unwrap();
    let edition = Edition {
        text: None,
        content_preview: "1".into(),
        size_bytes: Some(7),
        chunk_count: 3,
        pages: Some(1),
        failures: vec![domain::knowledge::PageFailure {
            url: "https://example.com/b".into(),
            reason: "The page answered 404.".into(),
        }],
    };
    assert!(
        s.knowledge
            .publish(draft, &edition, after(2))
            .await
            .unwrap()
    );
    let expected = domain::knowledge::KnowledgeSource {
        content_preview: "1".into(),
        size_bytes: 7,
        chunk_count: 3,
        pages: Some(1),
        failures: edition.failures,
        synced_at: Some(after(2)),
        updated_at: after(2),
        created_at: NOON,
        ..before
    };
    let found = s.knowledge.find(tenant, expected.id).await.unwrap();
    assert_eq!(found.unwrap().source, expected);
}
