use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::visits::{Visit, Visits};
use domain::{BotId, Resource, Result, TenantId};

use super::engine::{Conn, Store};
use super::run;
use super::statistics::day;
use crate::fault::{Fault, Meaning};
use crate::schema::visitor_events as events;
use crate::types::{Moment, key};

#[async_trait]
impl Visits for Store {
    async fn record(&self, tenant: TenantId, bot: BotId, visits: &[Visit]) -> Result<u64> {
        run!(self.write("visits.record", tenant), [visits], |conn| {
            record(conn, tenant, bot, &visits)
        })
    }
}

async fn record(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    visits: &[Visit],
) -> Result<u64, Fault> {
    let mut new = 0;
    for visit in visits {
        new += diesel::insert_into(events::table)
            .values((
                events::tenant_id.eq(key(tenant)),
                events::bot_id.eq(key(bot)),
                events::event_id.eq(visit.event_id.as_str()),
                events::kind.eq(visit.kind.as_str()),
                events::day.eq(day(visit.occurred_at)),
                events::occurred_at.eq(Moment(visit.occurred_at)),
                events::conversation_id.eq(visit.conversation_id.map(key)),
                events::customer.eq(visit.customer.as_deref()),
                events::product.eq(visit.product.as_deref()),
            ))
            .on_conflict((events::tenant_id, events::bot_id, events::event_id))
            .do_nothing()
            .execute(conn)
            .await
            .or_missing(Resource::Bot)? as u64;
    }
    Ok(new)
}
