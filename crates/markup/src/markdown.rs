//! A tree to Markdown: headings, lists, tables and code kept; links and emphasis as their text.

use dom_query::{Document, NodeRef};

/// The most columns of a table that is kept as one.
const MAX_COLUMNS: usize = 30;

/// The deepest indentation of a line of text.
const MAX_INDENT: usize = 40;

/// Blocks that the serializer would keep on one line with their neighbours.
const BLOCKS: &str = "dt, dd, summary, details, figure, figcaption, address, fieldset, legend, caption, main, header, \
    footer, aside, center, hgroup, search";

/// The Markdown of the whole document. Addresses of links are left out: the text is quoted to visitors and
/// compared with their questions, and reads as on the page.
pub(crate) fn of(document: &Document) -> String {
    flatten_layout_tables(document);
    square_tables(document);
    document.select(BLOCKS).rename("div");
    // The name of a code block's language is no word of the page.
    document.select("pre, code").remove_all_attrs();
    document
        .root()
        .strip_elements(&["a", "span", "font", "button", "label", "abbr", "u"]);
    document.normalize();
    tidy(&document.md(None))
}

/// Tables that hold tables lay out a page; only the inner ones are tables.
fn flatten_layout_tables(document: &Document) {
    for table in document.select("table").nodes() {
        if table.descendants_it().any(|inner| inner.has_name("table")) {
            for row in rows(table) {
                for cell in row.element_children() {
                    cell.rename("div");
                }
                row.rename("div");
            }
            for section in table.element_children() {
                section.rename("div");
            }
            table.rename("div");
        }
    }
}

/// Rows of one table have the same number of cells in Markdown.
fn square_tables(document: &Document) {
    for table in document.select("table").nodes() {
        if let Some(caption) = table
            .element_children()
            .into_iter()
            .find(|c| c.has_name("caption"))
        {
            table.insert_before(&caption);
        }
        let rows = rows(table);
        let columns = rows
            .iter()
            .map(|row| row.element_children().len())
            .max()
            .unwrap_or(0);
        for row in rows {
            let cells = row.element_children();
            if columns > MAX_COLUMNS {
                for cell in cells {
                    cell.rename("div");
                }
                continue;
            }
            for _ in cells.len()..columns {
                row.append_child(&table.tree.new_element("td"));
            }
        }
    }
}

fn rows<'a>(table: &NodeRef<'a>) -> Vec<NodeRef<'a>> {
    let mut rows = Vec::new();
    for child in table.element_children() {
        if child.has_name("tr") {
            rows.push(child);
        } else {
            rows.extend(
                child
                    .element_children()
                    .into_iter()
                    .filter(|row| row.has_name("tr")),
            );
        }
    }
    rows
}

/// Takes back escapes that CommonMark does not need, and empty lines in a row.
fn tidy(markdown: &str) -> String {
    let mut tidied = String::with_capacity(markdown.len());
    let mut fence: Option<&str> = None;
    let mut empty = 0;
    for line in markdown.lines() {
        let start = line.trim_start();
        let ticks = start.len() - start.trim_start_matches('`').len();
        let mark = start.get(..ticks).unwrap_or_default();
        let (was_code, is_fence) = (fence.is_some(), ticks >= 3);
        match fence {
            Some(open) if is_fence && ticks >= open.len() && start.trim_end() == mark => {
                fence = None
            }
            None if is_fence => fence = Some(mark),
            _ => {}
        }
        if !was_code && start.is_empty() {
            empty += 1;
            continue;
        }
        if !tidied.is_empty() {
            tidied.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        if was_code || is_fence {
            tidied.push_str(line);
        } else {
            // Lists in lists in lists would be more indentation than text.
            let indent = (line.len() - start.len()).min(MAX_INDENT);
            tidied.extend(std::iter::repeat_n(' ', indent));
            unescape(start.trim_end(), &mut tidied);
        }
    }
    tidied
}

/// `_` between letters and brackets that make no link mean nothing in CommonMark, nor does the dot of a
/// numbered heading: without their backslashes the text reads as on the page.
fn unescape(line: &str, out: &mut String) {
    let heading = line.starts_with('#');
    let mut code = false;
    let mut rest = line.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = rest.next() {
        code ^= c == '`' && before != '\\';
        let next = rest.peek().map_or(' ', |(_, next)| *next);
        let after = line
            .get(at + 2..)
            .and_then(|s| s.chars().next())
            .unwrap_or(' ');
        let needless = c == '\\'
            && !code
            && match next {
                '_' => before.is_alphanumeric() && after.is_alphanumeric(),
                '[' => true,
                ']' => !matches!(after, '(' | '[' | ':'),
                '.' => heading,
                '~' => after != '~' && before != '~',
                _ => false,
            };
        if needless {
            out.push(next);
            rest.next();
            before = next;
        } else {
            out.push(c);
            before = if c == '\\' && before == '\\' { ' ' } else { c };
        }
    }
}
