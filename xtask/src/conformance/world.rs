//! The state before the first request: a shopper, sales in several states, reservations and orders. All of it is new, so other
//! tests on the same stack notice nothing.
//!
//! Schemathesis draws ids from the dictionaries that this module writes. infra/local/schemathesis.toml says for which parameter
//! and how often.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::aws::{self, Answer};
use crate::demo;
use crate::stack::Stack;

/// The price of an order of one unit, as a payment's `amount`.
const AMOUNT: &str = "49.00";
/// Sales of a kind in which one request succeeds and later ones are refused.
const SPARE: u32 = 6;

/// Tokens, and the words of each dictionary.
pub(crate) struct World {
    pub(crate) shopper_token: String,
    pub(crate) operator_token: String,
    dictionaries: Vec<(&'static str, Vec<String>)>,
}

/// Makes sales and reservations. `name` begins the id of every product of this run. The catalogue lists the first hundred sales
/// by id, so these come last.
struct Maker<'a> {
    stack: &'a Stack,
    name: String,
    operator: String,
    now: Timestamp,
}

impl World {
    pub(crate) fn make(stack: &Stack, milliseconds: u128) -> Result<Self> {
        let email = format!("conformance-{milliseconds}@example.com");
        demo::create_person(stack, &email)?;
        let shopper = demo::sign_in(stack, &email)?;
        let maker = Maker {
            stack,
            name: format!("z-conformance-{milliseconds}"),
            operator: demo::sign_in(stack, demo::OPERATOR)?,
            now: demo::now()?,
        };

        let open = maker.sales("open", 3)?;
        let mut sales = open.clone();
        sales.push(maker.sale("scheduled", json!({"starts_at": maker.now + SignedDuration::from_mins(30)}))?);
        for status in ["pause", "close"] {
            let product = maker.sale(status, json!({}))?;
            maker.succeeds(&format!("/admin/flash-sales/{product}/{status}"), &maker.operator, &json!({}))?;
            sales.push(product);
        }
        let by_draw = |kind: &str, ramp: u32| maker.sale(kind, json!({"admission": {"mode": "draw", "ramp_seconds": ramp}}));
        // The first has admitted everybody by the time of the requests, the second almost nobody.
        let draws = vec![by_draw("drawn", 1)?, by_draw("drawing", 3_600)?];
        sales.extend(draws.clone());
        // No request solves a challenge: it is refused for its work, whatever the rest is.
        let guarded = maker.sale("guarded", json!({"admission": {"mode": "fcfs", "proof_of_work": {"cost": 1}}}))?;
        sales.push(guarded.clone());
        let over = maker.sale("over", json!({}))?;
        maker.succeeds(&format!("/admin/flash-sales/{over}/close"), &maker.operator, &json!({}))?;
        let sold_out = maker.sale("sold-out", json!({"units": 1}))?;
        maker.reserve(&sold_out, &demo::sign_in(stack, "shopper-1@example.com")?)?;
        sales.push(sold_out);

        let reserve = |product: &String| maker.reserve(product, &shopper);
        let held = maker.sales("held", 3)?.iter().map(reserve).collect::<Result<Vec<_>>>()?;
        let carts = maker.sales("cart", SPARE)?.iter().map(reserve).collect::<Result<Vec<_>>>()?;
        let cancelled = maker.sales("cancelled", SPARE)?.iter().map(reserve).collect::<Result<Vec<_>>>()?;
        let order = |product: &String| {
            let answer = maker.succeeds(&format!("/api/flash-sales/{product}/order"), &shopper, &json!({}))?;
            text(&answer, "order_id")
        };
        let orders = maker.sales("ordered", 3)?.iter().map(order).collect::<Result<Vec<_>>>()?;
        let pay = |product: &String| {
            let paid = json!({"payment_method": "sandbox:ok"});
            text(&maker.succeeds(&format!("/api/flash-sales/{product}/order"), &shopper, &paid)?, "order_id")
        };
        // The saga completes them within seconds.
        let paid_orders = maker.sales("paid", SPARE)?.iter().map(pay).collect::<Result<Vec<_>>>()?;
        let unpaid = maker.sales("unpaid", SPARE)?.iter().map(order).collect::<Result<Vec<_>>>()?;

        Ok(Self {
            shopper_token: shopper,
            operator_token: maker.operator.clone(),
            dictionaries: vec![
                ("sales", sales),
                ("sales-to-cart", maker.sales("to-cart", 3)?),
                ("draws", draws),
                ("guarded", vec![guarded]),
                ("held-sales", held.iter().filter_map(|id| Some(id.split_once('.')?.0.to_owned())).collect()),
                ("reservations", held),
                ("carts", carts),
                ("cancelled", cancelled),
                ("sales-to-order", maker.sales("order", SPARE)?),
                ("orders", orders),
                ("paid-orders", paid_orders),
                ("unpaid", unpaid),
                ("shopper", vec![demo::subject(stack, &email)?]),
                ("new-sales", (0..SPARE).map(|number| maker.product("new", number)).collect()),
                ("operated-sales", maker.sales("operated", 3)?),
                ("sales-to-close", maker.sales("closed", SPARE)?),
                ("closed-sales", vec![over]),
                ("unused-names", (0..3).map(|number| maker.product("unused", number)).collect()),
                ("amounts", vec![AMOUNT.to_owned()]),
                ("starts", (1..5).map(|hour| (maker.now + SignedDuration::from_hours(hour)).to_string()).collect()),
                ("ends", (6..9).map(|hour| (maker.now + SignedDuration::from_hours(hour)).to_string()).collect()),
            ],
        })
    }

    /// Writes each dictionary to a file of its own, in libFuzzer's form: one quoted word to a line.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        for (name, words) in &self.dictionaries {
            let mut text = String::new();
            for word in words {
                writeln!(text, "\"{word}\"")?;
            }
            let file = folder.join(name).with_extension("dict");
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

impl Maker<'_> {
    fn product(&self, kind: &str, number: u32) -> String {
        format!("{}-{kind}-{number}", self.name)
    }

    /// Open sales.
    fn sales(&self, kind: &str, count: u32) -> Result<Vec<String>> {
        (0..count).map(|number| self.sale(&format!("{kind}-{number}"), json!({}))).collect()
    }

    /// A sale that is open unless `changes` say otherwise.
    fn sale(&self, kind: &str, changes: Value) -> Result<String> {
        let product = format!("{}-{kind}", self.name);
        let mut sale = json!({
            "name": kind,
            "price": {"amount_minor": 4_900, "currency": "USD"},
            "units": 50,
            "max_per_shopper": 10,
            "starts_at": self.now.to_string(),
            "ends_at": (self.now + SignedDuration::from_hours(1)).to_string(),
        });
        if let (Some(sale), Value::Object(changes)) = (sale.as_object_mut(), changes) {
            sale.extend(changes);
        }
        let url = format!("{}/admin/flash-sales/{product}", self.stack.api_url);
        let Answer { status, body } = aws::put(&url, &self.operator, &sale)?;
        if status != 201 {
            bail!("the sale {product} was not created ({status}): {body}");
        }
        Ok(product)
    }

    fn reserve(&self, product: &str, token: &str) -> Result<String> {
        text(&self.succeeds("/reserve-inventory", token, &json!({"product_id": product}))?, "reservation_id")
    }

    fn succeeds(&self, path: &str, token: &str, input: &Value) -> Result<Value> {
        let Answer { status, body } = aws::post(&format!("{}{path}", self.stack.api_url), token, input)?;
        if !(200..300).contains(&status) {
            bail!("{path} was refused ({status}): {body}");
        }
        Ok(serde_json::from_str(&body)?)
    }
}

fn text(answer: &Value, member: &str) -> Result<String> {
    answer.get(member).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {member} in {answer}"))
}
