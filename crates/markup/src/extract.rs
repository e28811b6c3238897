//! A page's HTML to its main content, title and links.

use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};
use url::Url;

use crate::chrome::{self, Within};
use crate::html::{self, Parsed};
use crate::markdown;

/// The most nodes of a page; real pages have some thousands. What is beyond is cut off.
const PAGE_NODES: usize = 100_000;
/// The most nodes of a file, which may be a whole book.
const FILE_NODES: usize = 600_000;
/// Readability compares every element with its neighbours; a page with more nodes is pruned only.
const READABILITY_NODES: usize = 30_000;
/// How much of the pruned page's text readability must keep to be believed, in percent.
const READABILITY_KEEPS: usize = 60;
/// A page of scripts with fewer characters than this shows its text with JavaScript only.
const JAVASCRIPT_TEXT: usize = 40;
/// The most links of a page that are looked at.
const MAX_LINKS: usize = 5_000;
/// A refresh later than this is a page that reloads itself, in seconds.
const REFRESH_WITHIN: f32 = 10.0;

/// What a page of HTML is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extracted {
    /// A page with content.
    Page(Content),
    /// A page that only leads to another.
    Refresh(Url),
}

/// The content of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it calls itself.
    pub title: Option<String>,
    /// Its main content: no menus, footers or cookie banners.
    pub markdown: String,
    /// Where its links lead, in the order of the document; those that robots should not follow are left out.
    pub links: Vec<Url>,
    /// What the page says is its proper address.
    pub canonical: Option<Url>,
    /// What the page says to robots: `noindex, nofollow` and the like, as written.
    pub robots: String,
    /// Whether all of the page was read, or only its beginning.
    pub is_whole: bool,
}

/// Reads a page of HTML that came from `url`.
///
/// # Errors
/// A sentence, where it can't be read or holds no text.
pub fn html(html: &str, url: &Url) -> Result<Extracted, &'static str> {
    extract(html, url, PAGE_NODES)
}

/// Reads a file of HTML, which may be much longer than a page. `url` is what its links are relative to.
///
/// # Errors
/// As [`html`].
pub fn file(html: &str, url: &Url) -> Result<Extracted, &'static str> {
    extract(html, url, FILE_NODES)
}

fn extract(html: &str, url: &Url, max_nodes: usize) -> Result<Extracted, &'static str> {
    let Parsed { document, is_whole } = html::parse(html, max_nodes)?;
    let base = document
        .base_uri()
        .and_then(|href| url.join(&href).ok())
        .unwrap_or_else(|| url.clone());
    if let Some(target) = refresh(&document, &base) {
        return Ok(Extracted::Refresh(target));
    }
    let title = title(&document);
    let links = links(&document, &base);
    let canonical = document
        .select_single("link[rel=canonical]")
        .attr("href")
        .and_then(|href| base.join(&href).ok());
    let robots = robots(&document);
    let scripted = document.select("script").exists();
    let heading = document
        .select("h1")
        .nodes()
        .iter()
        .map(|h1| squeeze(&h1.text()))
        .find(|text| !text.is_empty());
    chrome::remove(&document);
    let mut markdown = main_content(&document);
    if let Some(heading) = heading.filter(|text| !contains(&markdown, text)) {
        markdown = format!("# {heading}\n\n{markdown}");
    }
    let text = markdown.chars().filter(|c| c.is_alphanumeric()).count();
    if scripted && text < JAVASCRIPT_TEXT && (text == 0 || waits_for_script(&document)) {
        return Err("The page shows its text with JavaScript only, which is not run.");
    }
    if text == 0 {
        return Err("The page holds no text.");
    }
    Ok(Extracted::Page(Content {
        title,
        markdown,
        links,
        canonical,
        robots,
        is_whole,
    }))
}

/// Reads a page of plain text or Markdown.
///
/// # Errors
/// A sentence, where it holds no text.
pub fn plain(text: &str) -> Result<Content, &'static str> {
    let markdown = text.trim();
    if markdown.is_empty() {
        return Err("The page holds no text.");
    }
    let title = markdown
        .lines()
        .find_map(|line| line.strip_prefix("# "))
        .map(|title| title.trim().to_owned());
    Ok(Content {
        title,
        markdown: markdown.to_owned(),
        links: Vec::new(),
        canonical: None,
        robots: String::new(),
        is_whole: true,
    })
}

/// What the author marked as the content; otherwise what readability finds, where that is most of the page;
/// otherwise the page without its surroundings. A chatbot misses a sentence more than it minds one too many.
fn main_content(document: &Document) -> String {
    let pruned = document
        .body()
        .map_or(0, |body| body.normalized_char_count());
    let marked = outermost(document, chrome::CONTENT);
    let kept: usize = marked.iter().map(NodeRef::normalized_char_count).sum();
    if kept > 0 && kept * 2 >= pruned {
        let parts: String = marked.iter().map(|node| node.html().to_string()).collect();
        return markdown::of(&Document::fragment(parts));
    }
    if let Some(found) = readable(document, pruned) {
        return found;
    }
    let body = document.body().map(|body| body.inner_html());
    markdown::of(&Document::fragment(body.unwrap_or_default()))
}

fn readable(document: &Document, pruned: usize) -> Option<String> {
    if document.tree.len() > READABILITY_NODES {
        return None;
    }
    let config = Config {
        disable_json_ld: true,
        ..Config::default()
    };
    let article = Readability::with_document(document.clone(), None, Some(config))
        .and_then(|mut readability| readability.parse())
        .ok()?;
    let content = Document::fragment(article.content);
    // Readability makes second-level headings of those of the first.
    let first_level = document.select("h1");
    let is_first = |text: &str| first_level.iter().any(|h1| *h1.text() == *text);
    for heading in content.select("h2").nodes() {
        if is_first(&heading.text()) {
            heading.rename("h1");
        }
    }
    let kept = content.root().normalized_char_count();
    (kept * 100 >= pruned * READABILITY_KEEPS).then(|| markdown::of(&content))
}

/// The nodes that match and stand in none that does.
fn outermost<'a>(document: &'a Document, selector: &str) -> Vec<NodeRef<'a>> {
    let marked = document.select(selector);
    let within = Within::new(&marked);
    let outer = marked.nodes().iter().filter(|node| !within.holds(node));
    outer.copied().collect()
}

fn title(document: &Document) -> Option<String> {
    [
        squeeze(&document.select_single("head title").text()),
        squeeze(
            &document
                .select_single("meta[property='og:title']")
                .attr_or("content", ""),
        ),
        squeeze(&document.select_single("h1").text()),
    ]
    .into_iter()
    .find(|title| !title.is_empty())
}

fn links(document: &Document, base: &Url) -> Vec<Url> {
    document
        .select("a[href], area[href]")
        .nodes()
        .iter()
        .filter(|link| !is_nofollow(link))
        .filter_map(|link| base.join(link.attr("href")?.trim()).ok())
        .filter(|link| matches!(link.scheme(), "http" | "https"))
        .take(MAX_LINKS)
        .collect()
}

fn is_nofollow(link: &NodeRef<'_>) -> bool {
    link.attr("rel").is_some_and(|rel| {
        rel.split_whitespace()
            .any(|word| word.eq_ignore_ascii_case("nofollow"))
    })
}

fn robots(document: &Document) -> String {
    let metas = document.select("meta[name]");
    let said = metas
        .nodes()
        .iter()
        .filter(|meta| meta.attr_or("name", "").eq_ignore_ascii_case("robots"))
        .filter_map(|meta| meta.attr("content"));
    said.map(|content| content.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

fn refresh(document: &Document, base: &Url) -> Option<Url> {
    let metas = document.select("meta[http-equiv]");
    let meta = metas.nodes().iter().find(|meta| {
        meta.attr_or("http-equiv", "")
            .eq_ignore_ascii_case("refresh")
    })?;
    let content = meta.attr("content")?;
    let (seconds, target) = content.split_once([';', ','])?;
    let target = target.trim();
    let target = match target.get(..3) {
        Some(url) if url.eq_ignore_ascii_case("url") => {
            target.get(3..)?.trim_start().strip_prefix('=')?
        }
        _ => target,
    };
    let soon = seconds
        .trim()
        .parse::<f32>()
        .is_ok_and(|s| s <= REFRESH_WITHIN);
    let target = base.join(target.trim().trim_matches(['"', '\''])).ok()?;
    soon.then_some(target)
}

/// An element that scripts fill, or a sentence that asks for them.
fn waits_for_script(document: &Document) -> bool {
    let text = document.text().to_lowercase();
    text.contains("javascript")
        || text.contains("loading")
        || document
            .select("#root, #app, #__next, #__nuxt, #___gatsby, #svelte, app-root, [data-reactroot], [ng-app]")
            .exists()
}

fn squeeze(text: &str) -> String {
    let text = text.replace('\0', "");
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| *word != "¶")
        .collect();
    words.join(" ").trim_end_matches('¶').to_owned()
}

/// Whether the Markdown holds the text, marks and white space aside.
fn contains(markdown: &str, text: &str) -> bool {
    let letters = |s: &str| -> String { s.chars().filter(|c| c.is_alphanumeric()).collect() };
    letters(markdown).contains(&letters(text))
}
