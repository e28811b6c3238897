//! Both engines keep the promises of every port of the store, and PostgreSQL keeps tenants apart by itself.
#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test tells what went wrong"
)]

mod postgres;
mod row_security;
mod sqlite;

use contracts::store::Ports;
use storage::Stores;

fn ports(stores: &Stores) -> Ports {
    Ports {
        tenants: stores.tenants.clone(),
        keys: stores.keys.clone(),
        bots: stores.bots.clone(),
        conversations: stores.conversations.clone(),
        leads: stores.leads.clone(),
        people: stores.people.clone(),
        visits: stores.visits.clone(),
        orders: stores.orders.clone(),
        usages: stores.usages.clone(),
        analytics: stores.analytics.clone(),
        learning: stores.learning.clone(),
        insights: stores.insights.clone(),
        knowledge: stores.knowledge.clone(),
        index: stores.index.clone(),
        trials: stores.trials.clone(),
        connections: stores.connections.clone(),
        channels: stores.channels.clone(),
        inbox: stores.inbox.clone(),
        embeddings: stores.embeddings.clone(),
        evaluations: stores.evaluations.clone(),
        agent_loops: stores.agent_loops.clone(),
        executions: stores.executions.clone(),
        jobs: stores.jobs.clone(),
        webhooks: stores.webhooks.clone(),
        outbox: stores.outbox.clone(),
        deliveries: stores.deliveries.clone(),
        idempotency: stores.idempotency.clone(),
    }
}
