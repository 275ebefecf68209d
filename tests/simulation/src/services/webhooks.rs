//! The webhooks of the providers: each due event goes to its function, and is lost, doubled or late on the way. A provider
//! delivers again what was not accepted.

use std::sync::Arc;

use test_aws::request;
use test_provider::Delivery;

use crate::{
    faults::Fault,
    services::{environments, providers::RECEIVERS},
    world::World,
};

/// Delivers events as long as the history lasts.
pub(crate) async fn deliver(world: Arc<World>) {
    loop {
        world.providers.happened().await;
        for delivery in world.providers.due() {
            world.spawn(send(Arc::clone(&world), delivery));
        }
    }
}

/// Sends one delivery, and tells its provider what became of it.
async fn send(world: Arc<World>, delivery: Delivery) {
    world.step();
    if !world.providers.is_of_late_money(&delivery) && world.strikes(Fault::WebhookLost) {
        // Its provider believes that it was accepted.
        world.note(|| format!("event {} is lost", delivery.event_id));
        world.providers.delivered(&delivery, true);
        return;
    }
    let late = if world.strikes(Fault::WebhookLate) { (1_000, 90_000) } else { (1, 2_000) };
    world.pause(late.0, late.1).await;
    if world.strikes(Fault::WebhookDuplicated) {
        world.note(|| format!("event {} comes twice", delivery.event_id));
        world.spawn(receive(Arc::clone(&world), delivery.clone()));
    }
    let accepted = receive(Arc::clone(&world), delivery.clone()).await;
    if let Some(pause) = world.providers.delivered(&delivery, accepted) {
        world.sleep(pause).await;
        world.providers.look();
    }
}

/// Whether the function accepts the delivery.
async fn receive(world: Arc<World>, delivery: Delivery) -> bool {
    let function = if delivery.url == RECEIVERS[0] { "receive-stripe" } else { "receive-paypal" };
    let mut asked = request("POST", &delivery.url);
    for (name, value) in &delivery.headers {
        asked = asked.header(name, value);
    }
    let request = asked.body(String::from_utf8(delivery.body.clone()).unwrap()).build();
    let answer = environments::http(&world, function, request).await;
    let status = answer.ok().map(|answer| answer.status().as_u16());
    world.note(|| format!("{function} answers event {} with {status:?}", delivery.event_id));
    status == Some(200)
}
