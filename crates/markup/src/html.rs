//! HTML to a tree of bounded size and depth.

use std::time::{Duration, Instant};

use dom_query::{Document, NodeRef};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};

const TOO_DEEP: &str = "The page is nested too deeply to be read.";
/// The deepest nesting of a page; real pages stay below fifty.
const MAX_DEPTH: usize = 200;
/// The most signs of one text that are escaped in HTML.
const MAX_ESCAPES: usize = 50_000;
/// How much is parsed between two looks at the tree, in bytes. A few unclosed tags can make the parser build
/// hundreds of elements for each further one, so the step is small.
const STEP: usize = 4096;
/// What takes longer was made to: the parser compares each attribute of a tag with all before it. The largest
/// pages take a second.
const WITHIN: Duration = Duration::from_secs(5);

/// A page as a tree.
pub(crate) struct Parsed {
    pub(crate) document: Document,
    /// Whether all of the page is in it.
    pub(crate) is_whole: bool,
}

/// Parses a page step by step, and stops as soon as the tree has so many nodes: what works on the tree
/// afterwards may recurse, and takes longer than in proportion to its size.
///
/// # Errors
/// A sentence on what makes it impossible.
pub(crate) fn parse(html: &str, max_nodes: usize) -> Result<Parsed, &'static str> {
    let began = Instant::now();
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut parser = parse_document(Document::default(), options);
    let mut rest = html;
    while !rest.is_empty() && parser.tokenizer.sink.sink.tree.len() < max_nodes {
        let (step, after) = rest.split_at(rest.floor_char_boundary(STEP));
        parser.process(StrTendril::from(step));
        rest = after;
        let tree = &parser.tokenizer.sink.sink.tree;
        // What is being opened hangs on the last branch.
        let last = std::iter::successors(Some(tree.root()), |node| node.last_child());
        if last.take(MAX_DEPTH + 2).count() > MAX_DEPTH + 1 {
            return Err(TOO_DEEP);
        }
        if began.elapsed() > WITHIN {
            return Err("The page takes too long to be read.");
        }
    }
    let document = parser.finish();
    if depth(&document) > MAX_DEPTH {
        return Err(TOO_DEEP);
    }
    if document
        .root()
        .descendants_it()
        .any(|node| is_all_escapes(&node))
    {
        return Err("The page holds a text of signs only.");
    }
    let is_whole = rest.is_empty();
    Ok(Parsed { document, is_whole })
}

/// Whether it is a text that takes the library's serializer too long: it looks through the whole rest of a text for
/// each sign that it escapes.
fn is_all_escapes(node: &NodeRef<'_>) -> bool {
    let is_escaped = |c: &char| matches!(c, '&' | '<' | '>' | '\u{a0}');
    node.is_text()
        && node
            .text()
            .chars()
            .filter(is_escaped)
            .nth(MAX_ESCAPES)
            .is_some()
}

/// The longest way from the root to a leaf.
fn depth(document: &Document) -> usize {
    let mut deepest = 0;
    let mut open = vec![(document.root(), 0)];
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(node.children_it(false).map(|child| (child, depth + 1)));
    }
    deepest
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{TOO_DEEP, WITHIN, parse};

    const NODES: usize = 100_000;

    #[test]
    fn a_page_of_usual_size_is_parsed_whole() {
        let html = format!(
            "<main>{}</main>",
            "<p>One <b>two</b> three.</p>".repeat(5000)
        );
        let parsed = parse(&html, NODES).unwrap();
        assert_eq!(parsed.document.select("main > p").length(), 5000);
        assert!(parsed.is_whole && !parse(&html, 1000).unwrap().is_whole);
    }

    #[test]
    fn bombs_of_nesting_are_given_up_at_once() {
        let divs = "<div>".repeat(100_000);
        let closed = format!("{}x{}", "<i><b>".repeat(50_000), "</b></i>".repeat(50_000));
        let lists = "<ul><li>".repeat(100_000);
        for html in [divs, closed, lists] {
            assert_eq!(parse(&html, NODES).err(), Some(TOO_DEEP));
        }
    }

    #[test]
    fn elements_that_breed_are_cut_off() {
        let open: String = (0..100).map(|i| format!("<b id={i}>")).collect();
        let breeding = format!("{open}{}", "<p>x".repeat(200_000));
        for html in [breeding, "<br>".repeat(1_000_000)] {
            let nodes = parse(&html, NODES).map_or(0, |parsed| parsed.document.tree.len());
            assert!(nodes < NODES * 3, "{nodes}");
        }
    }

    #[test]
    fn attributes_without_end_are_given_up() {
        let attributes: String = (0..2_000_000).map(|at| format!(" a{at}")).collect();
        let began = Instant::now();
        assert!(parse(&format!("<p{attributes}>"), NODES).is_err());
        assert!(began.elapsed() < 2 * WITHIN, "{:?}", began.elapsed());
    }
}
