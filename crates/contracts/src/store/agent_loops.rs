//! Promises of [`domain::agent_loops::AgentLoops`] and of [`domain::executions::Executions`].

use domain::agent_loops::{AgentLoop, Approval, LOOPS_MAX, LoopLimits, Program, Triggers};
use domain::answers::Tokens;
use domain::bots::Bot;
use domain::conversations::Post;
use domain::events::{Event, EventKind};
use domain::executions::{
    Execution, ExecutionStatus, OPEN_MAX, Step, StepKind, StepStatus, Trigger, of_event,
};
use domain::jobs::JobKind;
use domain::messages::Author;
use domain::people::Person;
use domain::plans::PlanLimits;
use domain::tool_models::ToolCall;
use domain::tools::Tool;
use domain::{Clash, Error, Limit, Resource, TenantId};
use serde_json::{Value, json};

use super::Ports;
use super::given::{
    NOON, UNLIMITED, after, all, id, incoming, no_bot, page, received, tenant_with_bot, turn,
};
use super::jobs::lease;
use super::races::at_once;
use super::webhooks::new_endpoint;

const RUN: &[JobKind] = &[JobKind::RunLoop];

fn new(bot: &Bot) -> AgentLoop {
    AgentLoop {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        name: "Orders \u{1f600}".into(),
        description: Some("Looks after orders".into()),
        program: Program {
            instructions: "Look after orders.".into(),
            connection_id: Some(id()),
            tools: vec![Tool::KnowledgeSearch, Tool::SendMessage],
            limits: LoopLimits::DEFAULT,
            approval: Approval::Always,
        },
        triggers: Triggers {
            cron: Some("* * * * *".into()),
            events: vec![EventKind::MessageReceived],
        },
        enabled: true,
        next_run_at: Some(after(60)),
        created_at: NOON,
        updated_at: NOON,
    }
}

async fn kept(s: &Ports, agent_loop: AgentLoop) -> AgentLoop {
    s.agent_loops.create(&agent_loop).await.unwrap();
    agent_loop
}

fn execution(agent_loop: &AgentLoop) -> Execution {
    Execution::of(agent_loop, id(), Trigger::Call, json!({ "a": 1 }), NOON)
}

async fn begun(s: &Ports, agent_loop: &AgentLoop) -> Execution {
    let execution = execution(agent_loop);
    s.executions.begin(&execution).await.unwrap();
    execution
}

/// A loop with an execution and a step of it.
pub async fn executed(s: &Ports, bot: &Bot) {
    let execution = begun(s, &kept(s, new(bot)).await).await;
    let step = step(1, StepStatus::Pending);
    assert!(s.executions.record(&execution, &[step]).await.unwrap());
}

async fn found(s: &Ports, execution: &Execution) -> Execution {
    let found = s.executions.find(execution.tenant_id, execution.id).await;
    found.unwrap().unwrap()
}

fn step(number: u32, status: StepStatus) -> Step {
    Step {
        id: id(),
        number,
        kind: StepKind::Tool,
        status,
        call: Some(ToolCall {
            id: "call_1".into(),
            name: "send_message".into(),
            arguments: json!({ "text": "Hello" }),
        }),
        text: String::new(),
        model: None,
        tokens: None,
        attempts: 0,
        started_at: None,
        ended_at: None,
    }
}

fn ended(execution: &Execution) -> Execution {
    Execution {
        status: ExecutionStatus::Completed,
        result: Some("Done.".into()),
        ended_at: Some(after(9)),
        ..execution.clone()
    }
}

fn told(execution: &Execution) -> Event {
    execution.completed(id(), "Orders", after(9))
}

async fn listed(s: &Ports, agent_loop: &AgentLoop) -> Vec<Execution> {
    let (tenant, id) = (agent_loop.tenant_id, agent_loop.id);
    let listed = s.executions.list(tenant, id, None, all()).await;
    listed.unwrap().items
}

/// Executions that hold an address of a person's are found by it, wherever it stands, and erased with what tells of them;
/// another bot's are another's, and a longer address is another one.
pub async fn executions_that_name_somebody_are_theirs(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (stranger, theirs) = tenant_with_bot(s).await;
    let (desk, foreign) = (kept(s, new(&bot)).await, kept(s, new(&theirs)).await);
    let with = async |desk: &AgentLoop, input: Value, said: &str, asked: Value, result: &str| {
        let mut execution = execution(desk);
        execution.input = input;
        s.executions.begin(&execution).await.unwrap();
        let mut step = step(1, StepStatus::Done);
        step.text = said.into();
        step.call = step.call.map(|call| ToolCall {
            arguments: asked,
            ..call
        });
        assert!(s.executions.record(&execution, &[step]).await.unwrap());
        let end = Execution {
            result: Some(result.into()),
            ..ended(&execution)
        };
        s.executions.finish(&end, &told(&end)).await.unwrap();
        execution.id
    };
    let zoe = "zo_e%20@example.com";
    let nothing = || json!({});
    let given = json!({ "customer": "Zo_E%20@Example.com" });
    let asked = json!({ "to": [zoe] });
    let mut named = vec![
        with(&desk, given, "", nothing(), "").await,
        with(&desk, nothing(), &format!("<{zoe}>"), nothing(), "").await,
        with(&desk, nothing(), "", asked, "").await,
        with(&desk, nothing(), "", nothing(), &format!("Told {zoe}.")).await,
    ];
    named.sort();
    let longer = with(&desk, json!(format!("a{zoe}")), "", nothing(), "").await;
    let like = with(&desk, json!("zoXe%20@example.com"), "", nothing(), "").await;
    let strangers = with(&foreign, json!(zoe), "", nothing(), "").await;
    let person = Person {
        emails: vec!["nobody@example.com".into(), zoe.into()],
        ..Person::default()
    };
    let mentions = async || s.people.mentions(tenant, bot.id, &person).await.unwrap();
    assert_eq!(mentions().await, named);
    let belongings = s.people.belongings(tenant, bot.id, &person).await.unwrap();
    let given = belongings.executions.iter().map(|(given, steps)| {
        assert_eq!(steps.len(), 1);
        given.id
    });
    let mut given: Vec<_> = given.collect();
    given.sort();
    assert_eq!(given, named);
    for (tenant, bot) in [(stranger, bot.id), (tenant, theirs.id)] {
        let none = s.people.mentions(tenant, bot, &person).await.unwrap();
        assert_eq!(none, []);
    }
    s.people.erase_executions(stranger, &named).await.unwrap();
    assert_eq!(mentions().await, named);
    s.people.erase_executions(tenant, &named).await.unwrap();
    assert_eq!(mentions().await, []);
    for id in named {
        assert_eq!(s.executions.find(tenant, id).await.unwrap(), None);
        assert_eq!(s.executions.steps(tenant, id).await.unwrap(), []);
    }
    for (tenant, id) in [(tenant, longer), (tenant, like), (stranger, strangers)] {
        assert!(s.executions.find(tenant, id).await.unwrap().is_some());
    }
}

/// A loop is kept as it is, changed as a whole, and listed newest first.
pub async fn a_loop_is_kept(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let full = kept(s, new(&bot)).await;
    let bare = AgentLoop {
        description: None,
        triggers: Triggers::default(),
        enabled: false,
        next_run_at: None,
        created_at: after(1),
        ..new(&bot)
    };
    let bare = kept(s, bare).await;
    for one in [&full, &bare] {
        let found = s.agent_loops.find(tenant, one.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(one));
    }
    let first = s.agent_loops.list(tenant, page(1, 1)).await.unwrap();
    assert_eq!((first.items, first.total), (vec![bare.clone()], 2));
    let taken = s.agent_loops.create(&full).await;
    assert!(matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))));
    let homeless = AgentLoop {
        id: id(),
        bot_id: no_bot(),
        ..full.clone()
    };
    let refused = s.agent_loops.create(&homeless).await;
    assert!(matches!(refused, Err(Error::NotFound(Resource::Bot))));
    let changed = AgentLoop {
        name: "Other".into(),
        description: None,
        next_run_at: None,
        updated_at: after(2),
        ..full
    };
    // Somebody else's change was faster.
    assert!(!s.agent_loops.update(&changed, after(1)).await.unwrap());
    assert!(s.agent_loops.update(&changed, NOON).await.unwrap());
    let found = s.agent_loops.find(tenant, changed.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&changed));
    assert!(s.agent_loops.delete(tenant, changed.id).await.unwrap());
    assert!(!s.agent_loops.delete(tenant, changed.id).await.unwrap());
    assert!(!s.agent_loops.update(&changed, after(2)).await.unwrap());
}

/// However many are made at once, a bot has no more than it may.
pub async fn a_bot_has_so_many_loops_and_no_more(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let owner = bot.clone();
    let made = at_once(s, LOOPS_MAX + 10, move |s, _| {
        let agent_loop = new(&owner);
        async move { s.agent_loops.create(&agent_loop).await }
    })
    .await;
    let good = made.iter().filter(|made| made.is_ok()).count();
    assert_eq!(good, LOOPS_MAX);
    let kept = s.agent_loops.list(tenant, page(1, 1)).await.unwrap();
    assert_eq!(kept.total, LOOPS_MAX as u64);
}

/// An execution is kept once, with a job, and with its loop as it was.
pub async fn an_execution_is_kept_with_its_job(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let execution = begun(s, &agent_loop).await;
    assert_eq!(found(s, &execution).await, execution);
    let again = s.executions.begin(&execution).await;
    assert!(matches!(again, Err(Error::Conflict(Clash::AlreadyExists))));
    let orphan = Execution {
        id: id(),
        loop_id: id(),
        ..execution.clone()
    };
    let refused = s.executions.begin(&orphan).await;
    assert!(matches!(refused, Err(Error::NotFound(Resource::AgentLoop))));
    let job = lease(s, RUN, 1).await.unwrap();
    assert_eq!(
        (job.kind, job.execution()),
        (JobKind::RunLoop, execution.id)
    );
    assert_eq!(lease(s, RUN, 1).await, None);
    let other = Execution {
        created_at: after(1),
        ..self::execution(&agent_loop)
    };
    s.executions.begin(&other).await.unwrap();
    assert_eq!(listed(s, &agent_loop).await, [other.clone(), execution]);
    s.executions
        .finish(&ended(&other), &told(&other))
        .await
        .unwrap();
    let done = Some(ExecutionStatus::Completed);
    let done = s.executions.list(tenant, agent_loop.id, done, all()).await;
    assert_eq!(done.unwrap().items, [ended(&other)]);
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(s.executions.find(tenant, other.id).await.unwrap(), None);
    assert_eq!(lease(s, RUN, 100).await, None);
}

/// A loop whose executions pile up begins no more, whatever would begin them, until some end.
pub async fn a_loop_has_so_many_open_executions_and_no_more(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let first = begun(s, &agent_loop).await;
    for _ in 1..OPEN_MAX {
        begun(s, &agent_loop).await;
    }
    let refused = s.executions.begin(&execution(&agent_loop)).await;
    assert!(matches!(refused, Err(Error::Invalid { field, .. }) if field == "executions"));
    let message = received(s, tenant, &incoming("session", "One?")).await;
    let event = of_event(message.message.id.0.into(), agent_loop.id);
    assert_eq!(s.executions.find(tenant, event).await.unwrap(), None);
    let again = s.executions.begin(&first).await;
    assert!(matches!(again, Err(Error::Conflict(Clash::AlreadyExists))));
    s.executions
        .finish(&ended(&first), &told(&first))
        .await
        .unwrap();
    begun(s, &agent_loop).await;
}

/// Steps are kept in their order, and as they were last recorded.
pub async fn steps_are_kept_as_they_come(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let execution = begun(s, &agent_loop).await;
    let running = Execution {
        status: ExecutionStatus::Running,
        steps: 1,
        tokens: Tokens {
            input: 7,
            output: 2,
        },
        started_at: Some(after(1)),
        ..execution
    };
    let said = Step {
        kind: StepKind::Model,
        call: None,
        text: "I will.".into(),
        model: Some("small".into()),
        tokens: Some(Tokens {
            input: 7,
            output: 2,
        }),
        attempts: 1,
        started_at: Some(after(1)),
        ended_at: Some(after(2)),
        ..step(1, StepStatus::Done)
    };
    let called = step(2, StepStatus::Pending);
    let both = [said.clone(), called.clone()];
    assert!(s.executions.record(&running, &both).await.unwrap());
    assert_eq!(found(s, &running).await, running);
    assert_eq!(s.executions.steps(tenant, running.id).await.unwrap(), both);
    let done = Step {
        status: StepStatus::Done,
        text: "Sent.".into(),
        attempts: 1,
        started_at: Some(after(3)),
        ended_at: Some(after(4)),
        ..called
    };
    let recorded = s.executions.record(&running, std::slice::from_ref(&done));
    assert!(recorded.await.unwrap());
    let steps = s.executions.steps(tenant, running.id).await.unwrap();
    assert_eq!(steps, [said, done]);
    let gone = Execution {
        id: id(),
        ..running
    };
    assert!(!s.executions.record(&gone, &both).await.unwrap());
}

/// Of an execution that has ended nothing changes but what was under way, and it ends once, with its event.
pub async fn an_execution_ends_once(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let endpoint = new_endpoint(tenant, &[EventKind::AgentLoopCompleted], NOON);
    s.webhooks.create(&endpoint).await.unwrap();
    let agent_loop = kept(s, new(&bot)).await;
    let execution = begun(s, &agent_loop).await;
    let begun = Step {
        attempts: 1,
        ..step(1, StepStatus::Running)
    };
    let steps = [begun.clone(), step(2, StepStatus::Pending)];
    assert!(s.executions.record(&execution, &steps).await.unwrap());
    let end = ended(&execution);
    let event = told(&end);
    assert!(s.executions.finish(&end, &event).await.unwrap());
    let late = Execution {
        status: ExecutionStatus::Cancelled,
        ..end.clone()
    };
    assert!(!s.executions.finish(&late, &told(&late)).await.unwrap());
    let deliveries = s.deliveries.list(tenant, endpoint.id, None, all());
    let deliveries = deliveries.await.unwrap().items;
    assert_eq!(deliveries.len(), 1);
    let over = Step {
        status: StepStatus::Done,
        ..begun
    };
    let more = [over, step(3, StepStatus::Pending)];
    assert!(!s.executions.record(&execution, &more).await.unwrap());
    let statuses: Vec<_> = s.executions.steps(tenant, execution.id).await.unwrap();
    let statuses: Vec<_> = statuses.iter().map(|step| step.status).collect();
    use StepStatus::{Done, Skipped};
    assert_eq!(statuses, [Done, Skipped, Skipped]);
    assert_eq!(
        found(s, &execution).await.status,
        ExecutionStatus::Completed
    );
    assert_eq!(s.executions.forget(after(9), 10).await.unwrap(), 0);
    assert_eq!(s.executions.forget(after(10), 10).await.unwrap(), 1);
}

/// An execution that waits goes on with a new job, however its last one ends, and only while it waits.
pub async fn an_execution_that_waits_goes_on_once(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let execution = begun(s, &agent_loop).await;
    let held = step(1, StepStatus::WaitingForApproval);
    let approved = Step {
        status: StepStatus::Approved,
        ..held.clone()
    };
    assert!(!s.executions.resume(&execution, &approved).await.unwrap());
    let job = lease(s, RUN, 1).await.unwrap();
    let waiting = Execution {
        status: ExecutionStatus::WaitingForApproval,
        ..execution.clone()
    };
    let recorded = s.executions.record(&waiting, std::slice::from_ref(&held));
    assert!(recorded.await.unwrap());
    // A word on another call than the one that waits.
    let other = step(1, StepStatus::Approved);
    assert!(!s.executions.resume(&execution, &other).await.unwrap());
    assert_eq!(found(s, &execution).await.status, waiting.status);
    // The worker has not given its job back yet.
    assert!(s.executions.resume(&execution, &approved).await.unwrap());
    s.jobs.complete(&job, None).await.unwrap();
    assert!(!s.executions.resume(&execution, &approved).await.unwrap());
    assert_eq!(found(s, &execution).await.status, ExecutionStatus::Queued);
    let steps = s.executions.steps(tenant, execution.id).await.unwrap();
    assert_eq!(steps[0].status, StepStatus::Approved);
    assert_eq!(steps.len(), 1);
    let job = lease(s, RUN, 2).await.unwrap();
    assert_eq!(job.execution(), execution.id);
}

/// A schedule that is due begins one execution, whoever looks, and none while its last one goes on.
pub async fn a_schedule_begins_one_at_a_time(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let (due, next) = (after(60), Some(after(120)));
    assert_eq!(s.agent_loops.due(after(59), 10).await.unwrap(), []);
    let found = s.agent_loops.due(after(60), 10).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&agent_loop));
    let of = agent_loop.clone();
    let made = at_once(s, 8, move |s, _| {
        let scheduled = Execution {
            trigger: Trigger::Cron,
            ..execution(&of)
        };
        async move { s.executions.begin_scheduled(&scheduled, due, next).await }
    })
    .await;
    let made = made.into_iter().map(Result::unwrap);
    assert_eq!(made.filter(|made| *made).count(), 1);
    assert_eq!(s.agent_loops.due(after(119), 10).await.unwrap(), []);
    let scheduled = Execution {
        trigger: Trigger::Cron,
        ..execution(&agent_loop)
    };
    let begin = async |due, next| {
        let begun = s.executions.begin_scheduled(&scheduled, due, next);
        begun.await.unwrap()
    };
    assert!(!begin(after(120), Some(after(180))).await, "one goes on");
    let first = listed(s, &agent_loop).await.remove(0);
    s.executions
        .finish(&ended(&first), &told(&first))
        .await
        .unwrap();
    assert!(begin(after(180), None).await);
    assert_eq!(s.agent_loops.due(after(999), 10).await.unwrap(), []);
}

/// A visitor's message begins the loops of its bot that listen for it, each once; other events do so too.
pub async fn events_begin_loops_that_listen(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let listens = kept(s, new(&bot)).await;
    let off = AgentLoop {
        enabled: false,
        ..new(&bot)
    };
    let off = kept(s, off).await;
    let other = AgentLoop {
        triggers: Triggers {
            cron: None,
            events: vec![EventKind::ChannelDisconnected],
        },
        ..new(&bot)
    };
    let other = kept(s, other).await;
    let first = received(s, tenant, &incoming("session", "One?")).await;
    assert!(first.starts_loops);
    let second = received(s, tenant, &incoming("session", "Two?")).await;
    let [newest, oldest] = &listed(s, &listens).await[..] else {
        panic!("two executions")
    };
    let mut texts = [newest, oldest].map(|begun| begun.input["data"]["message"]["text"].clone());
    texts.sort_by_key(Value::to_string);
    assert_eq!(texts, ["One?", "Two?"]);
    let expected = of_event(second.message.id.0.into(), listens.id);
    assert!([newest, oldest].iter().any(|begun| begun.id == expected));
    assert_eq!(newest.trigger, Trigger::Event);
    assert!(listed(s, &off).await.is_empty() && listed(s, &other).await.is_empty());
    let event = Event {
        id: id(),
        tenant_id: tenant,
        bot_id: Some(bot.id),
        kind: EventKind::ChannelDisconnected,
        subject: id(),
        data: json!({}),
        created_at: NOON,
    };
    for _ in 0..2 {
        s.outbox.publish(&event).await.unwrap();
    }
    assert_eq!(listed(s, &other).await.len(), 1);
    assert!(lease(s, RUN, 1).await.is_some());
}

/// A bot's own message is kept once, counted, and refused where the plan has no room.
pub async fn a_bot_speaks_of_its_own_accord(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let [question, _] = turn(s, tenant, "session", NOON).await;
    let post = Post {
        conversation_id: question.conversation_id,
        message_id: id(),
        text: "By the way \u{1f600}".into(),
        metadata: json!({ "a": 1 }),
        limits: UNLIMITED,
        at: after(5),
    };
    let posted = s.conversations.post(tenant, &post).await.unwrap().unwrap();
    assert_eq!((posted.author, posted.seq), (Author::Bot, 3));
    assert_eq!((posted.reply_to, &posted.metadata), (None, &post.metadata));
    let again = s.conversations.post(tenant, &post).await;
    assert!(matches!(again, Err(Error::Conflict(Clash::AlreadyExists))));
    let limited = Post {
        message_id: id(),
        limits: PlanLimits {
            messages_per_month: Some(3),
            ..UNLIMITED
        },
        ..post.clone()
    };
    let refused = s.conversations.post(tenant, &limited).await;
    assert!(matches!(refused, Err(Error::LimitReached(Limit::Messages))));
    let said = s.conversations.messages(tenant, post.conversation_id).await;
    assert_eq!(said.unwrap().last(), Some(&posted));
    let elsewhere = Post {
        conversation_id: id(),
        ..post.clone()
    };
    let nowhere = s.conversations.post(tenant, &elsewhere).await.unwrap();
    assert_eq!(nowhere, None);
    let (thief, _) = tenant_with_bot(s).await;
    assert_eq!(s.conversations.post(thief, &post).await.unwrap(), None);
    drop(bot);
}

/// Another tenant sees, changes and ends nothing.
pub async fn tenants_have_their_own_loops(s: &Ports) {
    let (_, bot) = tenant_with_bot(s).await;
    let (thief, _) = tenant_with_bot(s).await;
    let agent_loop = kept(s, new(&bot)).await;
    let execution = begun(s, &agent_loop).await;
    sees_nothing(s, thief, &agent_loop, &execution).await;
    let found = s.agent_loops.find(bot.tenant_id, agent_loop.id).await;
    assert_eq!(found.unwrap(), Some(agent_loop));
    assert_eq!(self::found(s, &execution).await, execution);
}

async fn sees_nothing(s: &Ports, thief: TenantId, agent_loop: &AgentLoop, execution: &Execution) {
    let (id, run) = (agent_loop.id, execution.id);
    assert_eq!(s.agent_loops.find(thief, id).await.unwrap(), None);
    assert_eq!(s.agent_loops.list(thief, all()).await.unwrap().total, 0);
    assert!(!s.agent_loops.delete(thief, id).await.unwrap());
    assert_eq!(s.executions.find(thief, run).await.unwrap(), None);
    assert!(s.executions.steps(thief, run).await.unwrap().is_empty());
    let listed = s.executions.list(thief, id, None, all()).await;
    assert_eq!(listed.unwrap().total, 0);
    let forged = AgentLoop {
        tenant_id: thief,
        name: "Theirs".into(),
        ..agent_loop.clone()
    };
    assert!(
        !s.agent_loops
            .update(&forged, forged.updated_at)
            .await
            .unwrap()
    );
    let forged = Execution {
        tenant_id: thief,
        ..ended(execution)
    };
    assert!(!s.executions.record(&forged, &[]).await.unwrap());
    let event = told(&forged);
    assert!(!s.executions.finish(&forged, &event).await.unwrap());
    let begun = Execution {
        id: self::id(),
        ..forged
    };
    let refused = s.executions.begin(&begun).await;
    assert!(matches!(refused, Err(Error::NotFound(Resource::AgentLoop))));
}
