//! Shoppers: they reserve, repeat unanswered requests, change their minds, pay in every way, read, and come back. They
//! use the product through HTTP only, and record the answers in `promises`.

mod paying;

use std::sync::Arc;

use domain::Clock;
use serde_json::{Value, json};
use test_aws::{RequestBuilder, request};

use crate::{
    actors::caller::{Answer, Caller},
    world::World,
};

/// How often a shopper repeats a request that was not answered, or was refused for the moment.
const PATIENCE: usize = 8;

/// A shopper, who acts through its caller.
pub(crate) struct Shopper {
    world: Arc<World>,
    caller: Caller,
}

/// How an attempt to buy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Bought,
    /// Not bought yet.
    NotBought,
    /// The sale is sold out.
    SoldOut,
    /// The shopper has to wait for this many seconds.
    CoolingDown(u64),
    /// The sale is over.
    Over,
}

impl Shopper {
    /// A new shopper.
    pub(crate) fn new(world: &Arc<World>, name: String) -> Self {
        Self { world: Arc::clone(world), caller: Caller::shopper(world, name) }
    }

    /// Runs a shopper who comes while there are faults.
    pub(crate) async fn shop(self) {
        self.world.pause(0, 6_000).await;
        for _ in 0..self.world.chance.between(1, 4) {
            match self.try_to_buy().await {
                End::Bought | End::Over => return,
                End::NotBought => self.world.pause(200, 30_000).await,
                End::SoldOut => self.world.pause(500, 60_000).await,
                // Some shoppers are impatient.
                End::CoolingDown(seconds) => self.world.pause(500, seconds * 1_100).await,
            }
        }
    }

    /// Runs a shopper who comes in the quiet time, wants one unit, and does not give up while there may be one.
    pub(crate) async fn buy_what_is_left(self) {
        for _ in 0..20 {
            let id = match self.reserve(1).await {
                Ok((id, _)) => id,
                Err(End::Over) => return,
                Err(_) => {
                    self.world.pause(2_000, 20_000).await;
                    continue;
                }
            };
            if self.check_out(&id, self.good_method(), self.city()).await && self.follow(&id, 30).await == Some(End::Bought) {
                return;
            }
        }
    }

    async fn try_to_buy(&self) -> End {
        let chance = &self.world.chance;
        let quantity = chance.between(1, u64::from(self.world.size.max_per_shopper));
        let at_once = chance.happens(0.15);
        let reserved = if at_once { self.place_order(quantity).await } else { self.reserve(quantity).await };
        let (id, is_ordered) = match reserved {
            Ok(reserved) => reserved,
            Err(end) => return end,
        };
        self.world.pause(0, 3_000).await;
        if chance.happens(0.1) {
            self.look_around(&id).await;
        }
        match chance.below(10) {
            0 => {
                self.cancel(&id).await;
                return End::NotBought;
            }
            1 => return End::NotBought,
            2 => {
                // Reserves again, as a reloaded page does.
                _ = self.reserve(quantity).await;
            }
            3 => self.world.pause(0, u64::from(self.world.size.hold_seconds) * 1_100).await,
            _ => {}
        }
        if !is_ordered && !self.check_out(&id, self.method(), self.city()).await {
            return End::NotBought;
        }
        self.follow(&id, 12).await.unwrap_or(End::NotBought)
    }

    /// Reserves. Returns the reservation's id, and whether it already has an order.
    async fn reserve(&self, mut quantity: u64) -> Result<(String, bool), End> {
        for _ in 0..PATIENCE {
            let path = if self.world.chance.happens(0.2) { "/add-to-cart" } else { "/reserve-inventory" };
            let body = json!({"product_id": "demo", "quantity": quantity});
            if self.world.chance.happens(0.1) {
                // A second browser window sends the same request at the same time.
                let (other, request) = (self.caller.clone(), request("POST", path).json(&body));
                self.world.spawn(async move { other.ask("reserve", request).await });
            }
            match self.caller.ask("reserve", request("POST", path).json(&body)).await {
                Some((200 | 201, answer)) => {
                    let id = answer["reservation_id"].as_str().unwrap().to_owned();
                    let until = answer["reservation_expiry"].as_str().unwrap();
                    self.world.promises.lock().unwrap().hold(&self.caller.name, &id, until);
                    return Ok((id, false));
                }
                answer => quantity = self.give_up_or_wait(answer, quantity).await?,
            }
        }
        Err(End::NotBought)
    }

    /// Reserves and orders in one call.
    async fn place_order(&self, mut quantity: u64) -> Result<(String, bool), End> {
        for _ in 0..PATIENCE {
            let pays = self.world.chance.happens(0.5);
            let city = self.city();
            let mut body = json!({"quantity": quantity, "shipping_address": address(city)});
            if pays {
                body["payment_method"] = Value::from(self.method());
            }
            let order = request("POST", "/api/flash-sales/demo/order").path_parameter("product_id", "demo").json(&body);
            match self.ask_with_address("place-order", order, city).await {
                Some((200 | 202, answer)) => {
                    let id = answer["order_id"].as_str().unwrap().to_owned();
                    self.accepted(&id);
                    if let Some(pay_by) = answer["pay_by"].as_str() {
                        self.world.promises.lock().unwrap().hold(&self.caller.name, &id, pay_by);
                    }
                    return Ok((id, pays));
                }
                answer => quantity = self.give_up_or_wait(answer, quantity).await?,
            }
        }
        Err(End::NotBought)
    }

    /// Gives up when units are refused for good; otherwise waits before the next request. Returns the units for which
    /// that request asks.
    async fn give_up_or_wait(&self, answer: Answer, quantity: u64) -> Result<u64, End> {
        match answer {
            Some((409, answer)) if answer["code"] == "sold-out" => {
                assert!(answer["available_quantity"].as_u64().unwrap() < quantity, "{quantity} are sold out: {answer}");
                Err(End::SoldOut)
            }
            Some((409, answer)) if answer["code"] == "not-together" => {
                assert!(answer["available_quantity"].as_u64().unwrap() >= quantity, "{quantity} are not left: {answer}");
                Ok(answer["largest_quantity"].as_u64().unwrap())
            }
            Some((429, answer)) if answer["code"] == "cooling-down" => {
                Err(End::CoolingDown(answer["retry_after"].as_str().unwrap().parse().unwrap()))
            }
            Some((409, answer)) if answer["code"] == "already-purchased" => Err(End::Bought),
            Some((410, answer)) if answer["code"] == "sale-ended" => Err(End::Over),
            // The sale was deleted.
            Some((404, answer)) if answer["code"] == "unknown-product" => Err(End::Over),
            _ => {
                self.world.pause(300, 3_000).await;
                Ok(quantity)
            }
        }
    }

    /// Whether the reservation has an order now.
    async fn check_out(&self, id: &str, method: &str, city: &str) -> bool {
        for _ in 0..PATIENCE {
            let body = json!({"cart_id": id, "payment_method": method, "shipping_address": address(city)});
            match self.ask_with_address("checkout", request("POST", "/checkout").json(&body), city).await {
                Some((200 | 202, _)) => {
                    self.accepted(id);
                    return true;
                }
                // The order is being paid, or is paid, with another address or method.
                Some((409, _)) => return true,
                Some((404 | 410, _)) => return false,
                _ => self.world.pause(300, 3_000).await,
            }
        }
        false
    }

    /// Reads an order until it has ended, and pays again when the order waits for it.
    async fn follow(&self, id: &str, looks: usize) -> Option<End> {
        let mut known_actions = Vec::new();
        for _ in 0..looks {
            self.world.pause(500, 6_000).await;
            let order = request("GET", &format!("/orders/{id}")).path_parameter("order_id", id);
            let Some((200, order)) = self.caller.ask("get-order", order).await else { continue };
            match order["order_status"].as_str().unwrap() {
                "completed" => {
                    self.world.promises.lock().unwrap().completed.insert(id.to_owned());
                    return Some(End::Bought);
                }
                "awaiting_payment" => {
                    self.world.promises.lock().unwrap().hold(&self.caller.name, id, order["pay_by"].as_str().unwrap());
                    if self.world.chance.happens(0.15) {
                        return Some(End::NotBought);
                    }
                    // Some correct the address, others pay again.
                    if self.world.chance.happens(0.4) {
                        self.check_out(id, self.method(), self.city()).await;
                    } else {
                        self.pay(id, &order["price"]).await;
                    }
                }
                "pending" => {
                    let action = &order["action"];
                    if action.is_object() && !known_actions.contains(action) {
                        known_actions.push(action.clone());
                        self.act(id, &order).await;
                    }
                }
                "failed" | "expired" | "refunded" => return Some(End::NotBought),
                other => panic!("no order is {other}"),
            }
        }
        None
    }

    /// Asks with an address, and records what became of it.
    async fn ask_with_address(&self, function: &'static str, asked: RequestBuilder, city: &str) -> Answer {
        let promises = || self.world.promises.lock().unwrap();
        let number = promises().send_address(&self.caller.name, city, self.world.time.now());
        let answer = self.caller.ask(function, asked).await;
        match &answer {
            Some((200..=299, answer)) => {
                promises().address_answered(&self.caller.name, number, answer["order_id"].as_str());
            }
            // A 503 may come after the write.
            Some((400..=499, _)) => promises().address_answered(&self.caller.name, number, None),
            Some(_) | None => {}
        }
        answer
    }

    async fn cancel(&self, id: &str) {
        for _ in 0..PATIENCE {
            self.world.promises.lock().unwrap().cancelled.insert(id.to_owned());
            let cancel = request("DELETE", &format!("/reservations/{id}")).path_parameter("reservation_id", id);
            match self.caller.ask("cancel-reservation", cancel).await {
                Some((204 | 409, _)) => return,
                _ => self.world.pause(300, 3_000).await,
            }
        }
    }

    async fn look_around(&self, id: &str) {
        self.caller.ask("get-sale", request("GET", "/api/flash-sales/demo").path_parameter("product_id", "demo")).await;
        let reservation = request("GET", &format!("/reservations/{id}")).path_parameter("reservation_id", id);
        self.caller.ask("get-reservation", reservation).await;
        self.caller.ask("get-order", request("GET", "/orders")).await;
    }

    fn accepted(&self, id: &str) {
        self.world.promises.lock().unwrap().accepted.insert(id.to_owned());
    }

    /// The city of the address in this request.
    fn city(&self) -> &'static str {
        self.world.chance.pick::<&str>(&["Springfield", "Shelbyville", "Ogdenville"])
    }
}

fn address(city: &str) -> Value {
    json!({"address_line1": "1 Main Street", "city": city, "postal_code": "12345", "country": "US"})
}
