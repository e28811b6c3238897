//! HTML to a tree of bounded size and depth.

use dom_query::Document;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};

/// The most nodes of a page; real pages have some thousands. What is beyond is cut off.
const MAX_NODES: usize = 100_000;
/// The deepest nesting of a page; real pages stay below fifty.
const MAX_DEPTH: usize = 200;
/// How much is parsed between two looks at the tree, in bytes. A few unclosed tags can make the parser build
/// hundreds of elements for each further one, so the step is small.
const STEP: usize = 4096;

/// A page that is nested too deeply to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Parses a page step by step, and stops as soon as the tree grows past its bounds: what works on the tree
/// afterwards may recurse, and takes longer than in proportion to its size.
pub(crate) fn parse(html: &str) -> Result<Document, TooDeep> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut parser = parse_document(Document::default(), options);
    let mut rest = html;
    while !rest.is_empty() && parser.tokenizer.sink.sink.tree.len() < MAX_NODES {
        let (step, after) = rest.split_at(rest.floor_char_boundary(STEP));
        parser.process(StrTendril::from(step));
        rest = after;
        let tree = &parser.tokenizer.sink.sink.tree;
        // What is being opened hangs on the last branch.
        let last = std::iter::successors(Some(tree.root()), |node| node.last_child());
        if last.take(MAX_DEPTH + 2).count() > MAX_DEPTH + 1 {
            return Err(TooDeep);
        }
    }
    let document = parser.finish();
    if depth(&document) > MAX_DEPTH {
        return Err(TooDeep);
    }
    Ok(document)
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
    use super::{MAX_NODES, TooDeep, parse};

    #[test]
    fn a_page_of_usual_size_is_parsed_whole() {
        let html = format!(
            "<main>{}</main>",
            "<p>One <b>two</b> three.</p>".repeat(5000)
        );
        let document = parse(&html).unwrap();
        assert_eq!(document.select("main > p").length(), 5000);
    }

    #[test]
    fn bombs_of_nesting_are_given_up_at_once() {
        let divs = "<div>".repeat(100_000);
        let closed = format!("{}x{}", "<i><b>".repeat(50_000), "</b></i>".repeat(50_000));
        let lists = "<ul><li>".repeat(100_000);
        for html in [divs, closed, lists] {
            assert_eq!(parse(&html).err(), Some(TooDeep));
        }
    }

    #[test]
    fn elements_that_breed_are_cut_off() {
        let open: String = (0..100).map(|i| format!("<b id={i}>")).collect();
        let breeding = format!("{open}{}", "<p>x".repeat(200_000));
        for html in [breeding, "<br>".repeat(1_000_000)] {
            let nodes = parse(&html).map_or(0, |document| document.tree.len());
            assert!(nodes < MAX_NODES * 3, "{nodes}");
        }
    }
}
