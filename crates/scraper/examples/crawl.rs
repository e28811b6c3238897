//! Crawls a site on this machine's loopback twice, and prints what that takes: `crawl URL [PAGES [FOLDER]]`. The
//! pages go to the folder, where one is given, one file each.

#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::Result;
use domain::websites::{CrawlRequest, CrawlScope, Crawler, Found, KnownPage, PageSink};
use egress::Egress;
use scraper::{Options, SiteCrawler};

#[derive(Default)]
struct Count {
    pages: usize,
    unchanged: usize,
    failures: usize,
    bytes: usize,
    folder: Option<PathBuf>,
    known: Vec<KnownPage>,
}

#[async_trait]
impl PageSink for Count {
    async fn take(&mut self, found: Found, _discovered: u32) -> Result<()> {
        match found {
            Found::Page(page) => {
                if let Some(folder) = &self.folder {
                    let text = format!("{}\n{}\n\n{}\n", page.url, page.title, page.markdown);
                    std::fs::write(folder.join(format!("{:05}.md", self.pages)), text).unwrap();
                }
                self.pages += 1;
                self.bytes += page.markdown.len();
                let (url, mark) = (page.url, page.mark);
                self.known.push(KnownPage { url, mark });
            }
            Found::Unchanged(_) => self.unchanged += 1,
            Found::Failed { failure, .. } => {
                self.failures += 1;
                if self.failures <= 10 {
                    println!("{}: {}", failure.url, failure.reason);
                }
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:8765/".to_owned());
    let max_pages = args.next().map_or(10_000, |pages| pages.parse().unwrap());
    let folder = args.next().map(PathBuf::from);
    let open = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    let egress = Egress::new(open.to_vec()).unwrap();
    let crawler = SiteCrawler::new(Arc::new(egress), Options::default());
    let mut request = CrawlRequest {
        url,
        include_subpages: true,
        scope: CrawlScope::Origin,
        max_pages,
        time: Some(Duration::from_secs(3600)),
        known: Vec::new(),
    };
    for folder in [folder, None] {
        let mut count = Count {
            folder,
            ..Count::default()
        };
        let began = Instant::now();
        crawler.crawl(&request, &mut count).await.unwrap();
        let seconds = began.elapsed().as_secs_f64();
        let all = count.pages + count.unchanged;
        println!(
            "{} pages ({} kB of Markdown), {} unchanged, {} failures, {seconds:.2} s, {:.0} pages/s",
            count.pages,
            count.bytes / 1000,
            count.unchanged,
            count.failures,
            all as f64 / seconds,
        );
        request.known = count.known;
    }
    // Linux tells the most memory that was ever used.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let most = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}", most.unwrap_or_default());
    }
}
