//! A person with all that is kept about them, to be given to them or erased.
//!
//! Those who talked to a bot under several names are one person here: by the client's name for them, and by the
//! addresses that clients told of them. An address that somebody merely wrote in a message makes nobody the same,
//! and leads to nobody: anybody can write anybody's.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::channels::inbox::Waiting;
use crate::events::Event;
use crate::executions::{Execution, Step};
use crate::leads::{Customer, Lead};
use crate::orders::Order;
use crate::visits::Visit;
use crate::{BotId, EndUserId, ErasureId, ExecutionId, Result, TenantId, Timestamp};

/// By what a person is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// As one who talked to the bot.
    Customer(EndUserId),
    /// By an address, in lower case.
    Email(String),
}

/// A person, as a bot knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Those who talked to the bot that are this person.
    pub customers: Vec<EndUserId>,
    /// The names that clients have for them.
    pub identifiers: Vec<String>,
    /// Their addresses, in lower case.
    pub emails: Vec<String>,
}

/// A person to be erased. Kept until that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The bot.
    pub bot_id: BotId,
    /// Whom.
    pub person: Person,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What is kept about a person beside their conversations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Belongings {
    /// Those who talked that are this person.
    pub customers: Vec<Customer>,
    /// Their leads.
    pub leads: Vec<Lead>,
    /// Their orders.
    pub orders: Vec<Order>,
    /// What they did beside writing.
    pub visits: Vec<Visit>,
    /// Events about their conversations that are still kept for the tenant's endpoints.
    pub events: Vec<Event>,
    /// What came from a messenger and waits for its answer.
    pub waiting: Vec<Waiting>,
    /// Executions of agent loops that their conversations began, that wrote into these, or that hold an address of
    /// theirs ([`People::mentions`]), with their steps.
    pub executions: Vec<(Execution, Vec<Step>)>,
}

/// Where all of a person is found.
#[async_trait]
pub trait People: Send + Sync {
    /// A person of a bot. `None`: the bot knows nobody of that name.
    async fn find(&self, tenant: TenantId, bot: BotId, named: &Named) -> Result<Option<Person>>;

    /// What is kept about a person beside their conversations, oldest first.
    async fn belongings(&self, tenant: TenantId, bot: BotId, person: &Person)
    -> Result<Belongings>;

    /// Looks whether the next customer, of any tenant, whose names or addresses came anew is somebody whom the bot knows
    /// already, and makes them one: whom the bot knew first, with all conversations and leads, at most `most` of these in
    /// one part, and what the first one lacked of name and address. Who writes by the other's names from then
    /// on is the first. `false`: there is nobody to look at.
    async fn merge(&self, most: u32) -> Result<bool>;

    /// Keeps that a person is to be erased.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where there is no such bot.
    async fn begin_erasure(&self, erasure: &Erasure) -> Result<()>;

    /// Executions of the bot's agent loops that hold one of the person's addresses, in what they were given, did or
    /// brought. It reads all of the bot's executions.
    async fn mentions(
        &self,
        tenant: TenantId,
        bot: BotId,
        person: &Person,
    ) -> Result<Vec<ExecutionId>>;

    /// Erases executions, with the events and recorded answers that tell of them.
    async fn erase_executions(&self, tenant: TenantId, ids: &[ExecutionId]) -> Result<()>;

    /// Erases the next part: at most `most` conversations with all that hangs on them, and once there are none, all that
    /// is left. Orders stay, without a word of who ordered. `false`: that was the last part, and the erasure itself is
    /// forgotten.
    async fn erase(&self, erasure: &Erasure, most: u32) -> Result<bool>;

    /// Erasures, of all tenants, that were begun before this and are not done: the oldest, so many at most.
    async fn unfinished(&self, before: Timestamp, limit: u32) -> Result<Vec<Erasure>>;
}
