//! Events get lost on the way, come twice and in any order. A reader that keeps the state with the highest revision has every order as
//! it is, once the last event has come; and it can tell that it has not.

use domain::{Notice, OrderStep};
use messages::OrderChanged;
use proptest::{prelude::*, test_runner::TestRunner};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

use super::{handle, published};

/// What happens to an order: every event of it, and what it is in the end.
#[derive(Debug, Clone)]
struct Story {
    events: Vec<OrderChanged>,
    end: OrderChanged,
}

/// The order of a purchase at `stage`, after some more changes by the store's own moves. `None`: there is no order yet.
async fn story(stage: Stage) -> Option<Story> {
    let (shop, buyer) = (Shop::with(stage).await, Buyer::first());
    let orders = shop.uncounted().orders();
    let order = orders.get(&buyer.id).await.unwrap()?;
    orders.send_again(&order, shop.now()).await.unwrap();
    orders.replace_address(&order, &test_shop::address(), shop.now()).await.unwrap();
    for notice in [Notice::OrderCompleted, Notice::PaymentFailed, Notice::OrderFailed, Notice::RefundFailed] {
        orders.told(&buyer.id, order.attempt, notice).await.unwrap();
    }
    orders.expire(&buyer.id, None, shop.now()).await.unwrap();
    let completed = shop.order(&buyer).await;
    if completed.status == domain::OrderStatus::Completed && completed.untold.is_none() {
        let pending = shop.request_refund(&buyer, "a-part", 400).await;
        orders.postpone_refunds(&pending, shop.now()).await.unwrap();
        let part = orders.end_refund(&pending, 0, OrderStep::PartRefunded, None, shop.now()).await.unwrap();
        assert!(orders.told_of_refunds(&buyer.id, &part.unwrap().refunds).await.unwrap());
    }
    let end = OrderChanged::of(&shop.order(&buyer).await);
    assert_eq!(handle(&shop, &Calls::new(), shop.dynamo.order_event()).await, None);
    Some(Story { events: published(&shop), end })
}

/// What a reader knows after it has read these events.
fn read(events: impl IntoIterator<Item = OrderChanged>) -> Option<OrderChanged> {
    events.into_iter().fold(None, |known: Option<OrderChanged>, event| match known {
        Some(known) if known.revision >= event.revision => Some(known),
        Some(_) | None => Some(event),
    })
}

#[tokio::test]
async fn orders_are_rebuilt_from_events_that_are_lost_doubled_and_reordered() {
    let mut stories = Vec::new();
    for stage in Stage::ALL {
        stories.extend(story(stage).await);
    }
    assert!(stories.len() > 5 && stories.iter().any(|story| story.events.len() > 5));
    for Story { events, end } in &stories {
        let revisions: Vec<u64> = events.iter().map(|event| event.revision).collect();
        assert_eq!(revisions, (1..=end.revision).collect::<Vec<_>>(), "every write counts once: {events:?}");
        assert_eq!(events.last(), Some(end));
    }
    let deliveries = (0..stories.len(), prop::collection::vec(any::<prop::sample::Index>(), 0..20), any::<prop::sample::Index>());
    let mut runner = TestRunner::default();
    let judged = runner.run(&deliveries, |(number, delivered, place)| {
        let Story { events, end } = &stories[number];
        let mut delivered: Vec<OrderChanged> = delivered.iter().map(|index| index.get(events).clone()).collect();
        let has_last = delivered.contains(end);
        prop_assert_eq!(read(delivered.clone()).is_some_and(|known| known.revision == end.revision), has_last);
        delivered.insert(place.index(delivered.len() + 1), end.clone());
        let known = read(delivered);
        prop_assert_eq!(known.as_ref(), Some(end));
        Ok(())
    });
    judged.unwrap();
}
