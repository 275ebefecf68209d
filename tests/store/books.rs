//! The sandbox's books: a key is settled once, refunded once, and voided only if it was not charged.

use domain::GatewayName;
use store::{Entry, EntryState};

use crate::shop::{Shop, id, key, method, price};

fn sandbox() -> GatewayName {
    GatewayName("sandbox".to_owned())
}

fn entry(state: EntryState) -> Entry {
    let asked = |state| Entry::asked(state, price(), price(), &method("sandbox:ok"));
    match state {
        EntryState::Called | EntryState::Authorised | EntryState::Charged | EntryState::Declined => asked(state),
        EntryState::Refunded => Entry { state, refunds: 1, ..asked(EntryState::Charged) },
        EntryState::Voided => Entry::voided(),
    }
}

/// Books with one key in `state`, or with no key for `None`.
async fn books(state: Option<EntryState>) -> Shop {
    let shop = Shop::open().await;
    match state {
        None => {}
        Some(EntryState::Refunded) => {
            shop.books.settle(&sandbox(), &key(1), &entry(EntryState::Charged)).await.unwrap();
            shop.books.refund(&sandbox(), &key(1)).await.unwrap();
        }
        Some(EntryState::Voided) => drop(shop.books.void(&sandbox(), &key(1)).await.unwrap()),
        Some(state) => drop(shop.books.settle(&sandbox(), &key(1), &entry(state)).await.unwrap()),
    }
    assert_eq!(shop.books.get(&sandbox(), &key(1)).await.unwrap(), state.map(entry));
    shop
}

const ALL: [Option<EntryState>; 7] = [
    None,
    Some(EntryState::Called),
    Some(EntryState::Authorised),
    Some(EntryState::Charged),
    Some(EntryState::Declined),
    Some(EntryState::Refunded),
    Some(EntryState::Voided),
];

#[tokio::test]
async fn a_key_is_settled_once() {
    for state in ALL {
        let shop = books(state).await;
        let open = matches!(state, None | Some(EntryState::Called));
        let expected = if open { EntryState::Charged } else { state.unwrap() };
        let settled = shop.books.settle(&sandbox(), &key(1), &entry(EntryState::Charged)).await.unwrap();
        assert_eq!(settled, entry(expected), "{state:?}");
        assert_eq!(shop.books.get(&sandbox(), &key(1)).await.unwrap(), Some(settled), "{state:?}");
    }
}

#[tokio::test]
async fn a_charged_key_is_refunded_once_and_no_other_is() {
    for state in ALL {
        let shop = books(state).await;
        for _ in 0..2 {
            let expected = if state == Some(EntryState::Charged) { Some(EntryState::Refunded) } else { state };
            assert_eq!(shop.books.refund(&sandbox(), &key(1)).await.unwrap(), expected.map(entry), "{state:?}");
        }
    }
}

#[tokio::test]
async fn an_authorised_key_is_captured_once_and_no_other_is() {
    for state in ALL {
        let shop = books(state).await;
        for _ in 0..2 {
            let expected = if state == Some(EntryState::Authorised) { Some(EntryState::Charged) } else { state };
            assert_eq!(shop.books.capture(&sandbox(), &key(1)).await.unwrap(), expected.map(entry), "{state:?}");
        }
    }
}

#[tokio::test]
async fn a_key_is_voided_unless_it_was_charged() {
    for state in ALL {
        let shop = books(state).await;
        let charged = matches!(state, Some(EntryState::Charged | EntryState::Refunded));
        let expected = if charged { entry(state.unwrap()) } else { entry(EntryState::Voided) };
        assert_eq!(shop.books.void(&sandbox(), &key(1)).await.unwrap(), expected, "{state:?}");
        let settled = shop.books.settle(&sandbox(), &key(1), &entry(EntryState::Charged)).await.unwrap();
        assert_eq!(settled, expected, "{state:?}: nothing is charged under it any more");
    }
}

#[tokio::test]
async fn calls_for_a_refund_are_counted() {
    let shop = books(Some(EntryState::Charged)).await;
    assert_eq!(shop.books.count_refund_call(&sandbox(), &key(1)).await.unwrap(), 1);
    assert_eq!(shop.books.count_refund_call(&sandbox(), &key(1)).await.unwrap(), 2);
}

#[tokio::test]
async fn every_gateway_has_its_own_books() {
    let shop = books(Some(EntryState::Charged)).await;
    let standby = GatewayName("sandbox-standby".into());
    assert_eq!(shop.books.get(&standby, &key(1)).await.unwrap(), None);
    assert_eq!(shop.books.void(&standby, &key(1)).await.unwrap(), entry(EntryState::Voided));
    assert_eq!(shop.books.get(&sandbox(), &key(1)).await.unwrap(), Some(entry(EntryState::Charged)));
}

#[tokio::test]
async fn a_test_can_count_charges_and_refunds_in_the_order_table() {
    let shop = books(Some(EntryState::Refunded)).await;
    let item = shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", id(1)), "SANDBOX#sandbox#1").await.unwrap();
    assert_eq!((item["charges"].as_n().unwrap().as_str(), item["refunds"].as_n().unwrap().as_str()), ("1", "1"));
}
