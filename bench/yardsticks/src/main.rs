//! The bootstrap of the yardsticks, built as the product's. `Handler` chooses one:
//!
//! - `empty` answers every request at once: what the Lambda runtime costs.
//! - `writes` takes a token, claims a unit and puts a reservation by the product's expressions, and does nothing else: what the
//!   SDK costs. It uses the product's AWS clients, so both have the same limits on time and attempts.
#![expect(
    clippy::disallowed_methods,
    reason = "the yardsticks share nothing with the product but its AWS clients, so they read clock and variables themselves"
)]

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeValue::{self, M, N, S},
        ReturnValue::AllNew,
        ReturnValuesOnConditionCheckFailure::AllOld,
    },
};
use lambda_http::{Body, Error, Request, RequestExt, Response, lambda_runtime::Context, run, service_fn, tracing};
use serde::Deserialize;

const HOLD_SECONDS: u64 = 3_600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    match variable("_HANDLER")?.as_str() {
        "empty" => run(service_fn(async |_: Request| Ok::<_, Error>(Response::new(Body::Empty)))).await,
        "writes" => {
            let writes = Writes::configured().await?;
            run(service_fn(async |request: Request| writes.answer(&request).await)).await
        }
        other => Err(format!("there is no yardstick {other}: there are empty and writes").into()),
    }
}

fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("{name} is missing").into())
}

/// The three writes of a reservation.
struct Writes {
    client: Client,
    stock_table: String,
    reservation_table: String,
    sale: String,
    shards: u64,
}

/// The part of a request that the writes need.
#[derive(Deserialize)]
struct Asked {
    user_id: String,
}

impl Writes {
    async fn configured() -> Result<Self, Error> {
        Ok(Self {
            client: kit::dynamodb(&kit::aws().await),
            stock_table: variable("STOCK_TABLE")?,
            reservation_table: variable("RESERVATION_TABLE")?,
            sale: variable("BENCH_SALE")?,
            shards: variable("BENCH_SHARDS")?.parse()?,
        })
    }

    async fn answer(&self, request: &Request) -> Result<Response<Body>, Error> {
        let Asked { user_id: shopper } = serde_json::from_slice(request.body())?;
        let context: Option<&Context> = request.lambda_context_ref();
        let id = reservation_id(context.map_or("", |context| &context.request_id));
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let end = (now.as_secs() + HOLD_SECONDS).to_string();
        self.take(&shopper, now.as_micros()).await?;
        self.claim(&shopper, &id, &end).await?;
        self.put(&shopper, &id, &end, now.as_millis()).await?;
        let mut response = Response::new(Body::from(format!(r#"{{"reservation_id":"{id}"}}"#)));
        *response.status_mut() = lambda_http::http::StatusCode::CREATED;
        Ok(response)
    }

    /// The product's token.
    async fn take(&self, shopper: &str, now_us: u128) -> Result<(), Error> {
        let update = self.client.update_item().table_name(&self.reservation_table);
        update
            .key("pk", S(format!("SHOPPER#{shopper}")))
            .key("sk", S("BUCKET".to_owned()))
            .update_expression("SET full_at_us = :full_at, #ttl = :ttl")
            .condition_expression("attribute_not_exists(pk) OR full_at_us <= :now OR full_at_us > :believed")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":full_at", number(now_us + 1_000))
            .expression_attribute_values(":believed", number(now_us + 6_000_000))
            .expression_attribute_values(":now", number(now_us))
            .expression_attribute_values(":ttl", number(now_us / 1_000_000 + u128::from(HOLD_SECONDS)))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await?;
        Ok(())
    }

    /// The product's claim.
    async fn claim(&self, shopper: &str, id: &str, end: &str) -> Result<(), Error> {
        let mut hasher = DefaultHasher::new();
        shopper.hash(&mut hasher);
        let shard = hasher.finish() % self.shards;
        let hold = M([("r", S(id.to_owned())), ("q", number(1_u32)), ("x", N(end.to_owned()))].map(named).into());
        let update = self.client.update_item().table_name(&self.stock_table);
        update
            .key("pk", S(format!("SHARD#{}#{shard}", self.sale)))
            .key("sk", S("STOCK".to_owned()))
            .update_expression("SET available = available - :quantity, held.#shopper = :hold")
            .condition_expression(
                "available >= :quantity AND attribute_not_exists(held.#shopper) AND attribute_not_exists(sold.#shopper)",
            )
            .expression_attribute_names("#shopper", shopper)
            .expression_attribute_values(":quantity", number(1_u32))
            .expression_attribute_values(":hold", hold)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await?;
        Ok(())
    }

    /// The product's reservation.
    async fn put(&self, shopper: &str, id: &str, end: &str, now_ms: u128) -> Result<(), Error> {
        let item = [
            ("pk", S(format!("SHOPPER#{shopper}"))),
            ("sk", S(format!("SALE#{}", self.sale))),
            ("reservation_id", S(format!("{}.{id}", self.sale))),
            ("shard", number(1_u32)),
            ("quantity", number(1_u32)),
            ("status", S("HELD".to_owned())),
            ("expires_at", N(end.to_owned())),
            ("latest_end", N(end.to_owned())),
            ("created_at", number(now_ms)),
            ("ttl", N(end.to_owned())),
        ];
        let put = self.client.put_item().table_name(&self.reservation_table).set_item(Some(item.map(named).into()));
        put.condition_expression("attribute_not_exists(pk)").return_values_on_condition_check_failure(AllOld).send().await?;
        Ok(())
    }
}

/// As long as a ULID: the last 26 digits of the invocation's UUID.
fn reservation_id(request_id: &str) -> String {
    let digits = request_id.replace('-', "").to_uppercase();
    digits.get(digits.len().saturating_sub(26)..).unwrap_or_default().to_owned()
}

fn named((name, value): (&str, AttributeValue)) -> (String, AttributeValue) {
    (name.to_owned(), value)
}

fn number(value: impl Into<u128>) -> AttributeValue {
    N(value.into().to_string())
}
