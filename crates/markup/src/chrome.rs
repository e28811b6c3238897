//! What stands around a page's content: menus, headers, footers, cookie banners, forms, scripts.

use std::collections::HashSet;

use dom_query::{Document, NodeId, NodeRef, Selection};

/// Never content, wherever they stand.
const MACHINERY: &str = "script, style, noscript, template, svg, canvas, iframe, object, embed, audio, video, \
    img, picture, map, input, select, textarea, option, dialog, nav, menu, link, meta, form, \
    [role=navigation], [role=search], [role=dialog], [role=alertdialog], [role=menu], [role=menubar], \
    [role=tablist], [role=toolbar], [aria-modal=true]";

/// Content inside an article, surroundings outside of one.
const SURROUNDINGS: &str =
    "header, footer, aside, [role=banner], [role=contentinfo], [role=complementary]";

/// Where the author says that the content is.
pub(crate) const CONTENT: &str = "main, article, [role=main], [itemprop=articleBody]";

/// Words of a class or id that name lists of links. What is called so and holds mostly other text is content: a
/// restaurant's menu, a box with opening hours in the sidebar.
const LINK_LISTS: [&str; 31] = [
    "backtotop",
    "breadcrumb",
    "breadcrumbs",
    "drawer",
    "footer",
    "hamburger",
    "header",
    "headerlink",
    "masthead",
    "megamenu",
    "menu",
    "menubar",
    "nav",
    "navbar",
    "navigation",
    "navmenu",
    "offcanvas",
    "pager",
    "pagination",
    "searchbox",
    "share",
    "sharing",
    "sidebar",
    "sidenav",
    "skip",
    "skiplink",
    "social",
    "tags",
    "toc",
    "topbar",
    "topnav",
];

/// Words of a class or id that name what lies over the content, and makers of cookie banners.
const OVERLAYS: [&str; 23] = [
    "ad",
    "ads",
    "advert",
    "advertisement",
    "borlabs",
    "cky",
    "cmp",
    "cmplz",
    "consent",
    "didomi",
    "gdpr",
    "iubenda",
    "klaro",
    "modal",
    "newsletter",
    "offscreen",
    "onetrust",
    "osano",
    "popup",
    "termly",
    "trustarc",
    "truste",
    "usercentrics",
];

/// Text of links that lead to the heading they stand in.
const PERMALINKS: [&str; 6] = ["¶", "#", "§", "🔗", "⚓", "\u{f0c1}"];

/// Takes the surroundings out of the tree.
pub(crate) fn remove(document: &Document) {
    let headings = Within::new(&document.select("h1, h2, h3, h4, h5, h6, dt, summary"));
    for node in document.select("button").nodes() {
        // Questions of an FAQ are often buttons in headings; all others are controls.
        if !headings.holds(node) {
            node.remove_from_parent();
        }
    }
    document.select(MACHINERY).remove();
    let content = Within::new(&document.select(CONTENT));
    for node in document.select(SURROUNDINGS).nodes() {
        if !content.holds(node) && !holds_content(node) {
            node.remove_from_parent();
        }
    }
    remove_named(document, &content);
    remove_permalinks(document);
}

fn remove_named(document: &Document, content: &Within) {
    let Some(body) = document.body() else { return };
    let whole = body.normalized_char_count();
    for node in document.select("body [class], body [id]").nodes() {
        let names = [node.class(), node.id_attr()].into_iter().flatten();
        let names = names
            .map(|names| names.to_ascii_lowercase())
            .collect::<Vec<_>>()
            .join(" ");
        let named = |words: &[&str]| {
            names
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| words.contains(&word))
        };
        // Their names have this in them in a hundred ways: `cookieBar`, `CybotCookiebotDialog`.
        let overlay = named(&OVERLAYS) || names.contains("cookie");
        let links = named(&LINK_LISTS);
        // A heading's id is made of its words.
        if (!links && !overlay) || is_heading(node) || holds_content(node) {
            continue;
        }
        // A page about cookies may call its content so: what holds most of the text lies over nothing.
        let size = node.normalized_char_count();
        let overlay = overlay && size * 2 < whole && !content.holds(node);
        if overlay || (links && link_text(node) * 2 >= size) {
            node.remove_from_parent();
        }
    }
}

fn link_text(node: &NodeRef<'_>) -> usize {
    let links = node.descendants_it().filter(|inner| inner.has_name("a"));
    links.map(|link| link.normalized_char_count()).sum()
}

fn is_heading(node: &NodeRef<'_>) -> bool {
    node.is("h1, h2, h3, h4, h5, h6")
}

fn remove_permalinks(document: &Document) {
    for link in document.select("a").nodes() {
        if PERMALINKS.contains(&link.text().trim()) {
            link.remove_from_parent();
        }
    }
}

/// Answers whether a node stands within one of a selection.
pub(crate) struct Within(HashSet<NodeId>);

impl Within {
    pub(crate) fn new(selection: &Selection<'_>) -> Self {
        Self(selection.nodes().iter().map(|node| node.id).collect())
    }

    pub(crate) fn holds(&self, node: &NodeRef<'_>) -> bool {
        node.ancestors_it(None)
            .any(|ancestor| self.0.contains(&ancestor.id))
    }
}

/// Whether something in it says that it is the content. A heading of the first level does, too: the header of
/// many a shop holds the page's name and its first sentences.
fn holds_content(node: &NodeRef<'_>) -> bool {
    node.is(CONTENT)
        || node.descendants_it().any(|inner| {
            inner.has_name("main") || inner.has_name("article") || inner.has_name("h1")
        })
}
