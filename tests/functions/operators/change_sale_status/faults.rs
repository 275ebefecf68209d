//! Tables fail and processes die: the repeated request does what was asked.

use test_aws::{Calls, Fault, every_crash};
use test_shop::{Shop, brief, demo, tells_that_a_table_fails};

use crate::operators::change_sale_status::{function, state_after, to};

#[tokio::test]
async fn a_change_that_was_cut_off_is_made_by_the_same_request() {
    for (action, state) in [("pause", "200 paused"), ("resume", "200 open"), ("close", "200 ended")] {
        every_crash(async |calls| {
            let shop = Shop::open().await;
            if action == "resume" {
                state_after(&shop, "pause").await;
            }
            let units = shop.units(&demo()).await;
            let first = brief(&function(&shop, calls).handle(to(action)).await);
            assert!(matches!(first.as_str(), "200" | "503 try-again"), "{action}: {first}");
            calls.heal();
            assert_eq!(state_after(&shop, action).await, state, "{first}");
            assert_eq!(shop.units(&demo()).await, units);
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_taken_for_another_operator() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    calls.fail_next("PutItem", Fault::LostAnswer);
    assert_eq!(brief(&function(&shop, &calls).handle(to("pause")).await), "200");
    assert_eq!((calls.count("PutItem"), calls.count("GetItem")), (2, 2));
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_one_that_is_for_good_500() {
    let calls = Calls::new();
    let ask = async || function(&Shop::open().await, &calls).handle(to("pause")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "PutItem"], ask).await;
}
