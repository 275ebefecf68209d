//! Orders as CSV (RFC 4180), for operators: a row with everything needed to ship. Rows of several pages follow each other in one
//! file, because only the first page has the line of names.

use domain::{Address, Order, OrderId, Timestamp};
use serde::Serialize;

use crate::time;

/// The columns, in their order.
pub const COLUMNS: [&str; 22] = [
    "order_id",
    "revision",
    "product_id",
    "quantity",
    "order_status",
    "payment_status",
    "inventory_status",
    "amount_minor",
    "currency",
    "refunded_minor",
    "transaction_id",
    "created_at",
    "updated_at",
    "user_id",
    "name",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// What stands for the status of an order that cannot be read.
const UNREADABLE: &str = "unreadable";

/// The line of names.
#[must_use]
pub fn header() -> String {
    line(COLUMNS.map(str::to_owned))
}

/// The row of an order at `now`.
#[must_use]
pub fn row(order: &Order, now: Timestamp) -> String {
    let (order_status, payment_status, inventory_status) = order.statuses(now);
    let nothing = || None::<String>;
    let address = order.shipping_address.clone().map_or_else(
        || [nothing(), nothing(), nothing(), nothing(), nothing(), nothing(), nothing(), nothing()],
        |address| {
            let Address { name, address_line1, address_line2, city, state, postal_code, country, phone } = address;
            [name, Some(address_line1), address_line2, Some(city), state, postal_code, Some(country), phone]
        },
    );
    let [name, address_line1, address_line2, city, state, postal_code, country, phone] =
        address.map(|text| harmless(text.as_deref().unwrap_or_default()));
    line([
        order.id.to_string(),
        order.revision.to_string(),
        order.product().to_string(),
        order.quantity.units().to_string(),
        word(order_status),
        word(payment_status),
        word(inventory_status),
        order.amount.amount_minor().to_string(),
        order.amount.currency().to_string(),
        order.refunds.refunded_minor().to_string(),
        harmless(order.transaction_id.as_deref().unwrap_or_default()),
        time(order.created_at),
        time(order.updated_at),
        harmless(order.shopper.as_str()),
        name,
        address_line1,
        address_line2,
        city,
        state,
        postal_code,
        country,
        phone,
    ])
}

/// The row of an order that cannot be read: its id, so that nobody misses it.
#[must_use]
pub fn unreadable_row(id: &OrderId) -> String {
    let mut cells = COLUMNS.map(|_| String::new());
    let [order_id, _, product_id, _, order_status, ..] = &mut cells;
    *order_id = id.to_string();
    *product_id = id.product().to_string();
    UNREADABLE.clone_into(order_status);
    line(cells)
}

fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula (OWASP, "CSV Injection"): shoppers write their addresses themselves. A telephone
/// number may begin with `+`. In most of Europe, a spreadsheet also begins a cell after `;`, whatever quotes there are.
fn harmless(text: &str) -> String {
    let cells: Vec<String> = text.split(';').map(harmless_cell).collect();
    cells.join(";")
}

fn harmless_cell(text: &str) -> String {
    let begins = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r']);
    let is_number = text.starts_with('+') && text.chars().skip(1).all(|c| c.is_ascii_digit() || " ()./-".contains(c));
    if begins && !is_number { format!("'{text}") } else { text.to_owned() }
}

/// A line of a file. A cell is quoted if it has a character that ends a cell.
fn line(cells: [String; COLUMNS.len()]) -> String {
    let quoted =
        cells.map(|cell| if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell });
    format!("{}\r\n", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_is_text() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("+1 (517) 555-0100", "+1 (517) 555-0100"),
            (" =1+1", "' =1+1"),
            ("1 Main St;=cmd|' /C calc'!A0;x", "1 Main St;'=cmd|' /C calc'!A0;x"),
            ("1 Main St; @SUM(A1)", "1 Main St;' @SUM(A1)"),
            ("1 Market Street; back door", "1 Market Street; back door"),
            ("1 Market Street", "1 Market Street"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), cell, "{text}");
        }
    }

    #[test]
    fn a_cell_with_a_comma_a_quote_or_an_end_of_line_is_quoted() {
        let mut cells = COLUMNS.map(|_| "x".to_owned());
        for (cell, text) in cells.iter_mut().zip(["a,b", "say \"hi\"", "two\nlines", "plain; text"]) {
            text.clone_into(cell);
        }
        let line = line(cells);
        assert!(line.starts_with("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",plain; text,x,"), "{line}");
        assert!(line.ends_with(",x\r\n"));
        assert_eq!(header().split(',').count(), COLUMNS.len());
    }
}
