//! `docs/ACCESS_PATTERNS.md` as data: each access to DynamoDB with its callers and its operations.

use std::collections::BTreeSet;

/// The file that contains the tables.
pub const ACCESS_PATTERNS: &str = "docs/ACCESS_PATTERNS.md";

/// The operations of DynamoDB that need a permission of their own.
const OPERATIONS: [&str; 8] =
    ["BatchGetItem", "ConditionCheck", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];
/// The tables of the template.
const TABLES: [&str; 3] = ["StockTable", "ReservationTable", "OrderTable"];

/// One access: a method of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// `Type::method`, or `function`.
    pub access: String,
    /// The functions that make it.
    pub callers: BTreeSet<String>,
    /// What it asks DynamoDB for.
    pub operations: Vec<Operation>,
}

/// A part of an access.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// `UpdateItem`.
    pub name: String,
    /// The table or index as the permissions name it: `StockTable`, `OrderTable/index/shopper-index`.
    pub resource: String,
    /// The only callers for which the access has this part. Empty: all of them.
    pub only: BTreeSet<String>,
}

impl Pattern {
    /// The operations that `caller` makes.
    pub fn of<'p>(&'p self, caller: &'p str) -> impl Iterator<Item = &'p Operation> {
        self.operations.iter().filter(move |operation| operation.only.is_empty() || operation.only.contains(caller))
    }
}

/// The rows of all tables whose first cell is code. A section says which table its rows are about.
#[must_use]
pub fn read(text: &str) -> Vec<Pattern> {
    let (mut patterns, mut section) = (Vec::new(), "");
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let cells: Vec<&str> = row.trim_end_matches('|').split(" | ").collect();
        let [access, callers, operation, ..] = cells.as_slice() else { continue };
        let operations = match section {
            "Reservation and order together" => {
                let order = cells.get(3).copied().unwrap_or_default();
                let in_table = |cell: &str, table: &str| operations_in(cell, &[table]);
                [in_table(operation, "ReservationTable"), in_table(order, "OrderTable")].concat()
            }
            "Health" => operations_in(operation, &TABLES),
            section if section.starts_with("Stock table") => operations_in(operation, &["StockTable"]),
            "Reservation table" => operations_in(operation, &["ReservationTable"]),
            _ => operations_in(operation, &["OrderTable"]),
        };
        let access = access.split('`').next().unwrap_or_default().to_owned();
        patterns.push(Pattern { access, callers: code(callers).collect(), operations });
    }
    patterns
}

/// The operations that a cell names, each in these tables. "by `function`" behind one limits it to that function.
fn operations_in(cell: &str, tables: &[&str]) -> Vec<Operation> {
    let mut found = Vec::new();
    let words: Vec<&str> = cell.split([' ', ',', ';', ':']).filter(|word| !word.is_empty()).collect();
    for (place, word) in words.iter().enumerate().filter(|(_, word)| OPERATIONS.contains(*word)) {
        let name = if *word == "ConditionCheck" { "ConditionCheckItem" } else { *word };
        let only = match words.get(place + 1..) {
            Some(["by", function, ..]) => code(function).collect(),
            Some(_) | None => BTreeSet::new(),
        };
        let index = code(cell).find(|code| code.ends_with("-index")).filter(|_| name == "Query");
        found.extend(tables.iter().map(|table| {
            let resource = index.as_ref().map_or_else(|| (*table).to_owned(), |index| format!("{table}/index/{index}"));
            Operation { name: name.to_owned(), resource, only: only.clone() }
        }));
    }
    found.sort();
    found.dedup();
    found
}

/// The code in a cell.
fn code(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_who_asks_which_table_for_what() {
        let text = "## Stock table: shards\n| access | callers | operation |\n| `Stock::claim` | `reserve`, `place-order` | UpdateItem | x |\n\
                    ## Reservation and order together\n| `Purchases::end` | `fail-order` | DeleteItem: `PAYING` | UpdateItem: ends | 5 WRU |\n\
                    ## Order table\n| `Orders::page` | `get-order` | Query `shopper-index`; PutItem by `pay` when | – |\n";
        let patterns = read(text);
        let of = |place: usize| {
            patterns[place].operations.iter().map(|it| format!("{} {}", it.name, it.resource)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!((of(0).as_str(), patterns[0].callers.len()), ("UpdateItem StockTable", 2));
        assert_eq!(of(1), "DeleteItem ReservationTable, UpdateItem OrderTable");
        assert_eq!(of(2), "PutItem OrderTable, Query OrderTable/index/shopper-index");
        assert_eq!((patterns[2].of("get-order").count(), patterns[2].of("pay").count()), (1, 2));
    }
}
