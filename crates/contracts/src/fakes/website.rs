//! A website on 127.0.0.1: real HTTP/1.1 over a real socket, with the pages and the faults that a test asks for.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use contracts::fakes::website::{FakeWebsite, Reply};
//!
//! let site = FakeWebsite::start().await;
//! site.put("/", Reply::html("<title>Shop</title><main><p>We open at nine.</p></main>"));
//! site.put("/old", Reply::redirect("/"));
//! site.put("/slow", Reply::hang());
//! // ... let the system under test read site.url("/"), then look at what it asked for:
//! assert!(site.paths().is_empty());
//! # });
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the website answers at one address.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers beside the content length: names and values.
    pub headers: Vec<(String, String)>,
    /// The body, as it goes over the wire.
    pub body: Vec<u8>,
    /// How it goes over the wire.
    pub delivery: Delivery,
}

/// How an answer goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Whole,
    /// After a pause.
    Late(Duration),
    /// In pieces of so many bytes, with a pause before each.
    Slow(usize, Duration),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The request is read, and never answered.
    Hang,
    /// The body is sent again and again, without an end.
    Endless,
}

impl Reply {
    /// Bytes with status 200 and a content type.
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            delivery: Delivery::Whole,
        }
    }

    /// A page of HTML in UTF-8.
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    /// Plain text in UTF-8.
    pub fn text(body: impl Into<Vec<u8>>) -> Self {
        Self::new("text/plain; charset=utf-8", body)
    }

    /// A status with a short page.
    pub fn status(code: u16) -> Self {
        let mut reply = Self::html(format!("<p>Status {code}.</p>"));
        reply.status = code;
        reply
    }

    /// A redirect (302) to an address, whole or of this site.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// Never an answer.
    pub fn hang() -> Self {
        Self::text("").delivered(Delivery::Hang)
    }

    /// A page of `size` zero bytes, packed into about a thousandth of that: a gzip bomb.
    pub fn gzip_bomb(size: usize) -> Self {
        Self::html(gzip(&vec![b' '; size])).header("content-encoding", "gzip")
    }

    /// The same with a further header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same, packed with gzip.
    #[must_use]
    pub fn gzipped(mut self) -> Self {
        self.body = gzip(&self.body);
        self.header("content-encoding", "gzip")
    }

    /// The same in brotli's form (RFC 7932, 9.2): one block as it is, and an empty one at the end.
    #[must_use]
    pub fn brotli(mut self) -> Self {
        assert!((1..=1 << 16).contains(&self.body.len()));
        let head = ((self.body.len() as u32 - 1) << 4) | (1 << 20);
        let [a, b, c, _] = head.to_le_bytes();
        self.body = [&[a, b, c], self.body.as_slice(), &[3]].concat();
        self.header("content-encoding", "br")
    }

    /// The same with another way over the wire.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Site {
    replies: HashMap<String, VecDeque<Reply>>,
    folder: Option<PathBuf>,
    requests: Vec<Request>,
    /// Requests that wait for their answer.
    open: usize,
    most_open: usize,
    sent: usize,
}

/// The website. It ends when it is dropped.
pub struct FakeWebsite {
    address: SocketAddr,
    site: Arc<Mutex<Site>>,
    _server: JoinSet<()>,
}

impl FakeWebsite {
    /// A website without pages: every address is 404 until one is put there.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// The same at a given address, for pages whose links are absolute.
    pub async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::<Mutex<Site>>::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&site)));
        Self {
            address,
            site,
            _server: server,
        }
    }

    /// Puts an answer at a path (with its query, if any); what was there is gone. An answer with an `ETag` or a
    /// `Last-Modified` is sent to those who have it already without its body (304); dates are compared letter by
    /// letter, which is how common servers do it.
    pub fn put(&self, path: &str, reply: Reply) {
        self.put_turns(path, [reply]);
    }

    /// Puts several answers at a path: one after the other, and the last again and again.
    pub fn put_turns(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let replies = replies.into_iter().collect();
        self.site().replies.insert(path.to_owned(), replies);
    }

    /// Serves the files of a folder where no answer was put; `index.html` for a path that ends in a slash.
    pub fn folder(&self, folder: impl Into<PathBuf>) {
        self.site().folder = Some(folder.into());
    }

    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.site().requests.clone()
    }

    /// The paths that were asked for so far, in the order in which they came.
    pub fn paths(&self) -> Vec<String> {
        self.site()
            .requests
            .iter()
            .map(|request| request.path.clone())
            .collect()
    }

    /// The most requests that waited for an answer at the same time.
    pub fn most_at_once(&self) -> usize {
        self.site().most_open
    }

    /// Bytes of bodies that were sent so far.
    pub fn sent(&self) -> usize {
        self.site().sent
    }

    fn site(&self) -> MutexGuard<'_, Site> {
        self.site.lock().unwrap()
    }
}

/// An address where nobody listens: connections are refused.
pub async fn refused_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

async fn serve(listener: TcpListener, site: Arc<Mutex<Site>>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let site = Arc::clone(&site);
        // A client that hangs up in the middle is its own affair.
        connections.spawn(async move {
            let _ = talk(connection, &site).await;
        });
    }
}

async fn talk(connection: TcpStream, site: &Mutex<Site>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(connection);
    while let Some(request) = read_request(&mut connection).await? {
        let reply = {
            let mut site = site.lock().unwrap();
            let reply = unless_known(find(&mut site, &request.path), &request);
            site.requests.push(request);
            site.open += 1;
            site.most_open = site.most_open.max(site.open);
            reply
        };
        match reply.delivery {
            Delivery::Hang => std::future::pending::<()>().await,
            Delivery::Late(pause) => tokio::time::sleep(pause).await,
            _ => {}
        }
        {
            // Before the answer goes out: whoever has it may ask again at once.
            let mut site = site.lock().unwrap();
            site.open -= 1;
            site.sent += reply.body.len();
        }
        if !write_reply(connection.get_mut(), reply).await? {
            break;
        }
    }
    Ok(())
}

/// The next request; `None` when the client has closed the connection.
pub(crate) async fn read_request(
    connection: &mut BufReader<TcpStream>,
) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if connection.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
    }))
}

fn find(site: &mut Site, path: &str) -> Reply {
    if let Some(turns) = site.replies.get_mut(path) {
        let next = if turns.len() > 1 {
            turns.pop_front()
        } else {
            turns.front().cloned()
        };
        return next.unwrap_or_else(|| Reply::status(404));
    }
    let file = site.folder.as_deref().and_then(|folder| file(folder, path));
    file.unwrap_or_else(|| Reply::status(404))
}

/// The answer, or that the client has it already (RFC 9110, 13.2.2: the tag counts before the date).
fn unless_known(mut reply: Reply, request: &Request) -> Reply {
    let own = |name: &str| {
        let header = reply.headers.iter().find(|(header, _)| header == name);
        header.map(|(_, value)| value)
    };
    let is_known = match request.headers.get("if-none-match") {
        Some(tags) => own("etag").is_some_and(|tag| tags.split(',').any(|t| t.trim() == tag)),
        None => request
            .headers
            .get("if-modified-since")
            .is_some_and(|date| own("last-modified") == Some(date)),
    };
    if reply.status == 200 && is_known {
        reply.status = 304;
        reply.body.clear();
    }
    reply
}

fn file(folder: &Path, path: &str) -> Option<Reply> {
    let path = path.split('?').next()?.trim_start_matches('/');
    let mut file = folder.join(path);
    if path.is_empty() || path.ends_with('/') {
        file.push("index.html");
    }
    let content_type = match file.extension()?.to_str()? {
        "html" => "text/html",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "xml" => "application/xml",
        "css" => "text/css",
        "png" => "image/png",
        _ => "application/octet-stream",
    };
    Some(Reply::new(content_type, std::fs::read(file).ok()?))
}

/// Whether the connection can be used again.
pub(crate) async fn write_reply(connection: &mut TcpStream, reply: Reply) -> std::io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} Fake\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.delivery != Delivery::Endless && reply.status != 304 {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    head.push_str("\r\n");
    connection.write_all(head.as_bytes()).await?;
    match reply.delivery {
        Delivery::Slow(size, pause) => {
            for piece in reply.body.chunks(size) {
                tokio::time::sleep(pause).await;
                connection.write_all(piece).await?;
            }
        }
        Delivery::Cut(after) => {
            connection
                .write_all(&reply.body[..after.min(reply.body.len())])
                .await?;
            return Ok(false);
        }
        Delivery::Endless => loop {
            connection.write_all(&reply.body).await?;
        },
        _ => connection.write_all(&reply.body).await?,
    }
    Ok(true)
}
