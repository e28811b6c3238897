//! What the egress guard refuses, however it is spelled, and what it lets through.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use contracts::fakes::website::{FakeWebsite, Reply};
use egress::{Ask, Egress, EgressError, Lookup};
use reqwest::Method;
use url::Url;

const ASK: Ask<'static> = Ask {
    user_agent: "test",
    accept: "*/*",
    time: Duration::from_secs(5),
    body: 1000,
    known: None,
};

/// Answers in turn; the last answer again and again.
struct Scripted {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: answers.iter().map(parse).collect(),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Lookup for Scripted {
    async fn lookup(&self, _host: &str) -> std::io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[turn.min(self.answers.len() - 1)].clone())
    }
}

/// Literal addresses, in every spelling that some program accepts.
const HOSTILE: [&str; 84] = [
    // loopback and "this host"
    "http://127.0.0.1/",
    "http://127.0.0.1:22/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.1./",
    "http://127.0.0.1%2e/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http:127.0.0.1",
    "http:\\\\127.0.0.1\\",
    "http:////127.0.0.1/",
    "HTTP://127.0.0.1/",
    " http://127.0.0.1/ ",
    "http://1\t27.0.0.1/",
    "https://127.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0x0/",
    "http://00000000000/",
    "http://0.1.2.3/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000::0001]:80/",
    "http://[::]/",
    // private, link-local, metadata
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://10.1/",
    "http://167772161/",
    "http://0xa000001/",
    "http://012.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.257/",
    "http://3232235521/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fdff::1]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    // multicast, broadcast, reserved, documentation, benchmarking
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://4294967295/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    // IPv4 inside IPv6
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
];

#[tokio::test]
async fn every_spelling_of_a_closed_address_is_refused() {
    let egress = Egress::new(Vec::new()).unwrap();
    for spelling in HOSTILE {
        let url = Url::parse(spelling).unwrap();
        assert_eq!(
            egress.get(&url, ASK).await.unwrap_err(),
            EgressError::Closed,
            "{spelling}"
        );
        let begun = egress.request(Method::POST, &url);
        assert_eq!(begun.unwrap_err(), EgressError::Closed, "{spelling}");
    }
}

#[tokio::test]
async fn a_name_of_a_closed_address_is_refused_without_a_connection() {
    let site = FakeWebsite::start().await;
    site.put("/", Reply::html("<p>Inside.</p>"));
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        // One closed address spoils the open ones.
        &["93.184.216.34", "127.0.0.1"],
    ] {
        let egress = Egress::with_lookup(Vec::new(), Scripted::new(&[addresses])).unwrap();
        let url = Url::parse(&format!("http://inside.example:{port}/")).unwrap();
        assert_eq!(
            egress.get(&url, ASK).await.unwrap_err(),
            EgressError::Closed,
            "{addresses:?}"
        );
    }
    for host in ["localhost", "LOCALHOST.", "foo.localhost"] {
        let egress = Egress::new(Vec::new()).unwrap();
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let error = egress.get(&url, ASK).await.unwrap_err();
        assert!(
            matches!(error, EgressError::Closed | EgressError::UnknownHost),
            "{host}: {error:?}"
        );
    }
    assert!(site.requests().is_empty());
}

/// The first answer is harmless, every later one is inside: the connection goes to the one that was checked.
#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let site = FakeWebsite::start().await;
    site.put("/", Reply::html("<p>Inside.</p>"));
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    let url = Url::parse(&format!("http://rebind.example:{port}/")).unwrap();
    // 127.0.0.2 is open here and has no listener; 127.0.0.1 is closed and has one.
    let lookup = Scripted::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let egress =
        Egress::with_lookup(vec!["127.0.0.2/32".parse().unwrap()], lookup.clone()).unwrap();
    assert_eq!(
        egress.get(&url, ASK).await.unwrap_err(),
        EgressError::Unreachable
    );
    assert_eq!(
        lookup.asked.load(Ordering::SeqCst),
        1,
        "the name is resolved once for a request"
    );
    assert_eq!(
        egress.get(&url, ASK).await.unwrap_err(),
        EgressError::Closed
    );
    assert!(site.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_closed_address_is_refused() {
    let inside = FakeWebsite::start_at("127.0.0.2:0").await;
    inside.put("/", Reply::html("<p>Inside.</p>"));
    let site = FakeWebsite::start().await;
    site.put("/", Reply::html("<p>Words.</p><a href='/to'>to</a>"));
    let targets = [
        inside.url("/"),
        "http://[::1]/".into(),
        "file:///etc/passwd".into(),
        "http://a:b@127.0.0.1/".into(),
    ];
    for target in targets {
        site.put("/to", Reply::redirect(&target));
        let egress = Egress::new(vec!["127.0.0.1/32".parse().unwrap()]).unwrap();
        let url = Url::parse(&site.url("/to")).unwrap();
        let error = egress.get(&url, ASK).await.unwrap_err();
        assert!(
            matches!(error, EgressError::Closed | EgressError::BadUrl(_)),
            "{target}: {error:?}"
        );
        // Not followed, whatever it is: what is sent to one address goes to no other.
        let post = egress.request(Method::POST, &url).unwrap().body("Secret.");
        let answer = egress.send(&url, post, ASK.time, 10).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (302, 10));
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn what_the_operator_opens_is_open_in_every_spelling() {
    let site = FakeWebsite::start().await;
    site.put("/", Reply::html("<p>Inside.</p>"));
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
    for host in ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        assert_eq!(egress.get(&url, ASK).await.unwrap().status, 200, "{host}");
    }
    let url = Url::parse("http://10.0.0.1/").unwrap();
    assert_eq!(egress.check(&url), Err(EgressError::Closed));
}

#[tokio::test]
async fn public_addresses_are_open() {
    let egress = Egress::new(Vec::new()).unwrap();
    for url in [
        "https://example.com/",
        "http://93.184.216.34:8080/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]/",
        "http://[64:ff9b::808:808]/",
        "http://172.32.0.1/",
        "http://100.128.0.1/",
    ] {
        assert_eq!(egress.check(&Url::parse(url).unwrap()), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn other_protocols_get_checked_addresses_only() {
    let guard = |answers: &[&[&str]]| {
        let allow = vec!["127.0.0.2/32".parse().unwrap()];
        Egress::with_lookup(allow, Scripted::new(answers)).unwrap()
    };
    let open = guard(&[&["93.184.216.34", "127.0.0.2"]]);
    let found = open.resolve("mail.example", 25).await.unwrap();
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["93.184.216.34:25", "127.0.0.2:25"]);
    let mixed = guard(&[&["93.184.216.34", "10.0.0.1"]]);
    let refused = mixed.resolve("mail.example", 25).await;
    assert_eq!(refused, Err(EgressError::Closed));
    for literal in ["127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"] {
        let refused = open.resolve(literal, 25).await;
        assert_eq!(refused, Err(EgressError::Closed), "{literal}");
    }
    let unknown = guard(&[&[]]).resolve("mail.example", 25).await;
    assert_eq!(unknown, Err(EgressError::UnknownHost));
}
