//! Records of the Stock table's stream: sales and their availability have changed.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let sale =
        |product: &str, status: &str| json!({"pk": format!("SALE#{product}"), "sk": "META", "status": status, "revision": 3});
    let stock = |product: &str, version: u32| json!({"pk": format!("SALE#{product}"), "sk": "AVAILABILITY", "version": version, "units": 100});
    let sold_out =
        || vec![modify(stock("sold-out", 7), stock("sold-out", 8)), modify(stock("sold-out", 8), stock("sold-out", 9))];
    vec![
        changed("ok", sold_out()),
        changed("sale-made", vec![insert(sale(DEMO, "ACTIVE"))]),
        changed("sale-closed", vec![modify(sale(DEMO, "ACTIVE"), sale(DEMO, "CLOSED"))]),
        changed("sale-deleted", vec![remove(sale(NO_SUCH_PRODUCT, "CLOSED"))]),
        changed("several", [sold_out(), vec![modify(stock(DEMO, 1), stock(DEMO, 2))]].concat()),
        // The mapping's filter leaves it out.
        changed("shard", vec![insert(json!({"pk": "SHARD#demo#0", "sk": "STOCK", "capacity": 25, "available": 25}))]),
    ]
}

/// The function reads the sale, and only a record's key, so it can read every record.
fn changed(name: &'static str, changes: Vec<Change>) -> Case {
    case(name, Event::Stream { table: "StockTable", changes }, [done()])
}
