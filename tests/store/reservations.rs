//! Reservations: one per shopper and sale, and which ending may delete one at which time.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AttemptStatus, Reservation, ReservationStatus};
use store::{Advanced, EndOutcome, Ending, OpenOutcome, StartOutcome};

use crate::shop::{A_DAY, END, NOW, RawItem, Shop, at, id, key_of, pending_order, product, reservation, shopper};

const ALL: [ReservationStatus; 3] = [ReservationStatus::Held, ReservationStatus::Paying, ReservationStatus::Purchased];

fn ttl(item: Option<RawItem>) -> Option<i64> {
    item.unwrap().get("ttl").map(|value| value.as_n().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_reservation_reads_back_as_it_was_opened() {
    let shop = Shop::open().await;
    for (number, status) in (1..).zip(ALL) {
        let opened = Reservation { status, ..reservation(number) };
        assert_eq!(shop.reservations.open(&opened).await.unwrap(), OpenOutcome::Opened);
        assert_eq!(shop.reservations.get(&shopper(number), &product()).await.unwrap(), Some(opened));
    }
}

#[tokio::test]
async fn a_reservation_is_found_by_its_shopper_and_its_sale_only() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    assert_eq!(shop.reservations.get(&shopper(2), &product()).await.unwrap(), None);
    assert_eq!(shop.reservations.get(&shopper(1), &"other".parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn opening_again_changes_nothing_and_a_second_one_meets_the_first() {
    let shop = Shop::open().await;
    let first = reservation(1);
    shop.reservations.open(&first).await.unwrap();
    let before = shop.everything().await;
    assert_eq!(shop.reservations.open(&first).await.unwrap(), OpenOutcome::Opened);
    let second = Reservation { shopper: shopper(1), ..reservation(2) };
    assert_eq!(shop.reservations.open(&second).await.unwrap(), OpenOutcome::Exists(first));
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn who_may_end_a_reservation_when() {
    let shop = Shop::open().await;
    let endings = [
        ("cancelled", Ending::Cancelled),
        ("long before its end", Ending::Overdue(at(NOW))),
        ("a millisecond before its end", Ending::Overdue(at("12:04:59.999"))),
        ("at its end", Ending::Overdue(at(END))),
        ("long after its end", Ending::Overdue(at("12:00:00") + A_DAY)),
    ];
    let mut number = 0;
    for status in ALL {
        for (when, ending) in endings {
            number += 1;
            let opened = Reservation { status, ..reservation(number) };
            shop.reservations.open(&opened).await.unwrap();
            let may_end = match ending {
                Ending::Cancelled => status == ReservationStatus::Held,
                Ending::Overdue(now) => opened.is_overdue(now),
            };
            let outcome = shop.reservations.end(&opened.shopper, &opened.id, ending).await.unwrap();
            let left = shop.reservations.get(&opened.shopper, &product()).await.unwrap();
            if may_end {
                assert_eq!((outcome, left), (EndOutcome::Ended, None), "{status:?}, {when}");
                let again = shop.reservations.end(&opened.shopper, &opened.id, ending).await.unwrap();
                assert_eq!(again, EndOutcome::Gone, "{status:?}, {when}, again");
            } else {
                assert_eq!((outcome, left), (EndOutcome::Kept(opened.clone()), Some(opened)), "{status:?}, {when}");
            }
        }
    }
}

#[tokio::test]
async fn an_ending_is_of_its_own_reservation() {
    let shop = Shop::open().await;
    let now_held = reservation(1);
    shop.reservations.open(&now_held).await.unwrap();
    for ending in [Ending::Cancelled, Ending::Overdue(at("12:00:00") + A_DAY)] {
        assert_eq!(shop.reservations.end(&shopper(1), &id(7), ending).await.unwrap(), EndOutcome::Gone, "an earlier one");
        assert_eq!(shop.reservations.end(&shopper(2), &id(1), ending).await.unwrap(), EndOutcome::Gone, "of somebody else");
    }
    assert_eq!(shop.reservations.get(&shopper(1), &product()).await.unwrap(), Some(now_held));
}

#[tokio::test]
async fn only_a_held_reservation_can_be_deleted_by_time() {
    let shop = Shop::open().await;
    let end = at(END).as_second();
    for (number, status) in (1..).zip(ALL) {
        shop.reservations.open(&Reservation { status, ..reservation(number) }).await.unwrap();
        let expected = (status == ReservationStatus::Held).then_some(end);
        assert_eq!(ttl(shop.raw_reservation(&shopper(number), &product()).await), expected, "{status:?}");
    }

    // The same holds at each step of a purchase.
    let (mine, order) = (shopper(9), pending_order(9));
    let raw = || shop.raw_reservation(&mine, order.product());
    shop.reservations.open(&reservation(9)).await.unwrap();
    assert_eq!(ttl(raw().await), Some(end));
    assert_eq!(shop.purchases.start(&order, at(NOW)).await.unwrap(), StartOutcome::Started);
    assert_eq!(ttl(raw().await), None);
    let later = at("12:07:00");
    shop.attempt(&key_of(9, 1), AttemptStatus::Declined).await;
    assert_eq!(shop.purchases.payment_failed(&order, 1, later, "declined", at(NOW)).await.unwrap(), Advanced::Done);
    assert_eq!(ttl(raw().await), Some(later.as_second()));
    let waiting = shop.orders.get(&id(9)).await.unwrap().unwrap();
    let other = crate::shop::method("sandbox:other");
    assert_eq!(shop.purchases.start_again(&waiting, &other, at(NOW)).await.unwrap(), StartOutcome::Started);
    assert_eq!(ttl(raw().await), None);
    shop.attempt(&key_of(9, 2), AttemptStatus::Charged).await;
    assert_eq!(shop.purchases.complete(&order, 2, "sandbox_1", at(NOW)).await.unwrap(), Advanced::Done);
    assert_eq!(ttl(raw().await), None);
}

#[tokio::test]
async fn the_attributes_are_those_of_the_architecture() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let item = shop.raw_reservation(&shopper(1), &product()).await.unwrap();
    let number = |number: i64| AttributeValue::N(number.to_string());
    assert_eq!(item["reservation_id"], AttributeValue::S(id(1).to_string()));
    assert_eq!(item["status"], AttributeValue::S("HELD".into()));
    assert_eq!((&item["shard"], &item["quantity"]), (&number(0), &number(1)));
    assert_eq!((&item["expires_at"], &item["ttl"]), (&number(at(END).as_second()), &number(at(END).as_second())));
}
