//! Promises of [`domain::channels::inbox::Inbox`].

use std::time::Duration;

use domain::channels::inbox::{Arrival, Attempt, Busy, ConversationLease, Outcome, session_id};
use domain::channels::{Channel, ChannelStatus, InboundMessage, ReplyPath, Sender};
use domain::{ChannelId, MessageId};

use super::Ports;
use super::channels::channel;
use super::given::{NOON, after, id, tenant_with_bot};
use super::races::at_once;

const LEASE: Duration = Duration::from_secs(15);

/// A message on its way into the queue.
fn arrival(channel: &Channel, conversation: &str, number: &str) -> Arrival {
    Arrival {
        id: id(),
        session_id: session_id(channel.id, conversation),
        platform_id: number.to_owned(),
        message: InboundMessage {
            id: number.to_owned(),
            conversation: conversation.to_owned(),
            from: Sender {
                id: "person".into(),
                name: Some("Zoë".into()),
                email: Some("zoe@example.com".into()),
            },
            text: format!("Hello {number} \u{1f600}"),
            opening: true,
            sent_at: None,
            reply: ReplyPath {
                to: "chat".into(),
                thread: Some("7".into()),
                references: vec!["<a@b>".into()],
                ..ReplyPath::default()
            },
        },
    }
}

/// Keeps messages that come in this order; answers their ids.
pub async fn arrive(
    s: &Ports,
    channel: &Channel,
    messages: &[(&str, &str)],
    seconds: i64,
) -> Vec<MessageId> {
    let arrivals: Vec<_> = messages
        .iter()
        .map(|(conversation, number)| arrival(channel, conversation, number))
        .collect();
    let ids = arrivals.iter().map(|arrival| arrival.id).collect();
    s.inbox
        .receive(channel.tenant_id, channel.id, &arrivals, after(seconds))
        .await
        .unwrap()
        .expect("a connected channel");
    ids
}

async fn lease(s: &Ports, seconds: i64, busy: &[ChannelId]) -> Option<ConversationLease> {
    let busy = Busy {
        channels: busy.to_vec(),
        tenants: Vec::new(),
    };
    s.inbox.lease(after(seconds), LEASE, &busy).await.unwrap()
}

async fn next(s: &Ports, lease: &ConversationLease) -> Option<MessageId> {
    s.inbox.next(lease).await.unwrap().map(|waiting| waiting.id)
}

async fn end(s: &Ports, lease: &ConversationLease, id: MessageId, outcome: Outcome) {
    let attempt = Attempt {
        id,
        parts: 0,
        outcome,
    };
    s.inbox.record(lease, &attempt).await.unwrap();
}

/// What comes is kept once, however often it comes, also at once and after it was answered.
pub async fn a_message_is_kept_once(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (one, other) = (channel(s, &bot).await, channel(s, &bot).await);
    let first = arrival(&one, "a", "1");
    let copies = first.clone();
    let kept = at_once(s, 8, move |s, _| {
        let copy = copies.clone();
        async move {
            let arrivals = [Arrival { id: id(), ..copy }];
            s.inbox
                .receive(tenant, of(&arrivals), &arrivals, NOON)
                .await
        }
    })
    .await;
    let new: u32 = kept.into_iter().map(|new| new.unwrap().unwrap()).sum();
    assert_eq!(new, 1);
    let elsewhere = [arrival(&other, "a", "1")];
    let new = s.inbox.receive(tenant, other.id, &elsewhere, after(1));
    assert_eq!(new.await.unwrap(), Some(1), "ids are a channel's own");
    let lease = lease(s, 1, &[]).await.unwrap();
    assert_eq!(lease.channel_id, one.id, "due longest");
    let waiting = s.inbox.next(&lease).await.unwrap().unwrap();
    assert_eq!(waiting.message, first.message);
    assert_eq!((waiting.attempts, waiting.parts), (0, 0));
    assert_eq!(waiting.received_at, NOON);
    end(s, &lease, waiting.id, Outcome::Answered).await;
    let again = s.inbox.receive(tenant, one.id, &[first], after(2)).await;
    assert_eq!(again.unwrap(), Some(0));
    assert_eq!(next(s, &lease).await, None);
}

/// The channel that a session's name begins with.
fn of(arrivals: &[Arrival]) -> ChannelId {
    let name = &arrivals[0].session_id;
    ChannelId::parse(&name[..36]).unwrap()
}

/// Nothing is kept for a channel that is not connected, and what waits there stands still.
pub async fn a_channel_that_is_not_connected_stands_still(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    let [waiting] = arrive(s, &own, &[("a", "1")], 0).await[..] else {
        panic!("one message")
    };
    let off = Channel {
        status: ChannelStatus::Disconnected,
        ..own
    };
    let off = s.channels.update(&off, None).await.unwrap().unwrap();
    let refused = [arrival(&off, "a", "2")];
    let kept = s.inbox.receive(tenant, off.id, &refused, after(1)).await;
    assert_eq!(kept.unwrap(), None);
    let unknown = s.inbox.receive(tenant, id(), &refused, after(1)).await;
    assert_eq!(unknown.unwrap(), None);
    assert_eq!(lease(s, 9, &[]).await, None);
    let on = Channel {
        status: ChannelStatus::Connected,
        ..off
    };
    s.channels.update(&on, None).await.unwrap().unwrap();
    let lease = lease(s, 10, &[]).await.unwrap();
    assert_eq!(next(s, &lease).await, Some(waiting));
    end(s, &lease, waiting, Outcome::Answered).await;
    assert_eq!(next(s, &lease).await, None);
}

/// Messages of a conversation come in the order of their arrival, and other conversations at the same time.
pub async fn a_conversation_is_answered_in_order(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    let ids = arrive(s, &own, &[("a", "1"), ("b", "2"), ("a", "3")], 0).await;
    let (one, other) = (
        lease(s, 0, &[]).await.unwrap(),
        lease(s, 0, &[]).await.unwrap(),
    );
    assert_eq!(lease(s, 1, &[]).await, None);
    let (a, b) = match one.session_id == session_id(own.id, "a") {
        true => (one, other),
        false => (other, one),
    };
    assert_eq!(next(s, &b).await, Some(ids[1]));
    assert_eq!(next(s, &a).await, Some(ids[0]));
    let again = Attempt {
        id: ids[0],
        parts: 2,
        outcome: Outcome::Again("It is down.".into()),
    };
    s.inbox.record(&a, &again).await.unwrap();
    let waiting = s.inbox.next(&a).await.unwrap().unwrap();
    assert_eq!(
        (waiting.id, waiting.attempts, waiting.parts),
        (ids[0], 1, 2)
    );
    end(s, &a, ids[0], Outcome::GivenUp("Blocked.".into())).await;
    assert_eq!(next(s, &a).await, Some(ids[2]));
}

/// A conversation is leased to one worker; who lost it changes nothing.
pub async fn a_conversation_is_leased_to_one_worker(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    arrive(s, &own, &[("a", "1")], 0).await;
    assert_eq!(lease(s, 0, &[own.id]).await, None, "its channel is busy");
    let leases = at_once(s, 8, |s, _| async move { lease(&s, 0, &[]).await }).await;
    let mut leases = leases.into_iter().flatten();
    let (first, second) = (leases.next().unwrap(), leases.next());
    assert_eq!(second, None);
    assert!(s.inbox.extend(&first, after(10), LEASE).await.unwrap());
    assert_eq!(lease(s, 24, &[]).await, None);
    let stolen = lease(s, 26, &[]).await.expect("a dead worker's");
    assert!(!s.inbox.extend(&first, after(26), LEASE).await.unwrap());
    s.inbox.release(&first, after(99)).await.unwrap();
    assert!(s.inbox.extend(&stolen, after(26), LEASE).await.unwrap());
    s.inbox.release_all().await.unwrap();
    assert!(lease(s, 26, &[]).await.is_some());
}

/// What is given back is due when it is said, whatever else comes; where nothing waits, when something comes.
pub async fn a_conversation_is_due_when_it_is_said(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    let ids = arrive(s, &own, &[("a", "1")], 0).await;
    let first = lease(s, 0, &[]).await.unwrap();
    let later = arrive(s, &own, &[("a", "2")], 1).await;
    s.inbox.release(&first, after(60)).await.unwrap();
    arrive(s, &own, &[("a", "2"), ("a", "3")], 2).await;
    assert_eq!(lease(s, 59, &[]).await, None);
    let second = lease(s, 60, &[]).await.unwrap();
    end(s, &second, ids[0], Outcome::Answered).await;
    end(s, &second, later[0], Outcome::Answered).await;
    let last = next(s, &second).await.unwrap();
    end(s, &second, last, Outcome::Answered).await;
    s.inbox.release(&second, after(61)).await.unwrap();
    assert_eq!(lease(s, 99, &[]).await, None);
    arrive(s, &own, &[("a", "4")], 100).await;
    assert!(lease(s, 100, &[]).await.is_some());
}

/// What waits too long is given up, and what was known long enough is forgotten.
pub async fn old_messages_are_forgotten(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    arrive(s, &own, &[("a", "1"), ("b", "2")], 0).await;
    let young = arrive(s, &own, &[("a", "3")], 10).await;
    let sweep = |waiting, known| s.inbox.sweep(after(waiting), after(known), 100);
    assert_eq!(sweep(5, 0).await.unwrap(), 2);
    assert_eq!(sweep(5, 0).await.unwrap(), 0);
    let lease_of_a = async {
        loop {
            let lease = lease(s, 10, &[]).await.unwrap();
            if lease.session_id == session_id(own.id, "a") {
                break lease;
            }
            assert_eq!(next(s, &lease).await, None);
            s.inbox.release(&lease, after(10)).await.unwrap();
        }
    };
    let held = lease_of_a.await;
    assert_eq!(next(s, &held).await, Some(young[0]));
    let known = |number| {
        let arrivals = [arrival(&own, "b", number)];
        async move {
            s.inbox
                .receive(tenant, of(&arrivals), &arrivals, after(11))
                .await
        }
    };
    assert_eq!(known("2").await.unwrap(), Some(0));
    // Both old messages; the conversation of the second one heard something since.
    assert_eq!(sweep(5, 5).await.unwrap(), 2);
    assert_eq!(known("2").await.unwrap(), Some(1));
    assert_eq!(sweep(0, 99).await.unwrap(), 2 + 2);
    assert!(!s.inbox.extend(&held, after(11), LEASE).await.unwrap());
}
