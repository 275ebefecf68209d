//! Which requests to AWS the code makes, as far as its text shows: the builders of the SDKs, and the functions that lead to them.

use std::collections::{BTreeMap, BTreeSet};

/// The builders of requests to DynamoDB, by the operation's name.
const DYNAMODB: [(&str, &str); 10] = [
    (".batch_get_item()", "BatchGetItem"),
    (".delete_item()", "DeleteItem"),
    (".get_item()", "GetItem"),
    (".put_item()", "PutItem"),
    (".query()", "Query"),
    (".update_item()", "UpdateItem"),
    ("ConditionCheck::builder()", "ConditionCheckItem"),
    ("Delete::builder()", "DeleteItem"),
    ("Put::builder()", "PutItem"),
    ("Update::builder()", "UpdateItem"),
];

/// A function in a source.
#[derive(Debug)]
struct Function {
    /// The type that it belongs to.
    of: Option<String>,
    /// The module of the file, such as `single`.
    module: String,
    name: String,
    is_access: bool,
    body: String,
}

/// The operations of each public async function of the store, by `Type::function` or `function`. `sources` are by module: the stem of
/// the file.
#[must_use]
pub fn operations_of_store(sources: &[(String, &str)]) -> BTreeMap<String, BTreeSet<String>> {
    let all: Vec<Function> = sources.iter().flat_map(|(module, source)| functions(module, source)).collect();
    let accesses = all.iter().filter(|function| function.is_access);
    let name = |function: &Function| match &function.of {
        Some(of) => format!("{of}::{}", function.name),
        None => function.name.clone(),
    };
    accesses.map(|function| (name(function), reached(function, &all, &mut BTreeSet::new()))).collect()
}

/// The functions of a formatted source, without its tests.
fn functions(module: &str, source: &str) -> Vec<Function> {
    let product = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines: Vec<&str> = product.lines().collect();
    let (mut of, mut found) = (None, Vec::new());
    for (place, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            let name = line.trim_end_matches(" {").rsplit(' ').next().unwrap_or_default();
            of = Some(name.split('<').next().unwrap_or_default().to_owned());
        } else if *line == "}" {
            of = None;
        }
        let (indent, text) = (line.len() - line.trim_start().len(), line.trim_start());
        let Some((before, after)) = text.split_once("fn ").filter(|(before, _)| before.is_empty() || before.ends_with(' '))
        else {
            continue;
        };
        if before.starts_with("//") {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        let body: Vec<&str> = lines[place..].iter().take_while(|line| **line != end).map(|line| line.trim_start()).collect();
        found.push(Function {
            of: of.clone().filter(|_| indent > 0),
            module: module.to_owned(),
            name: after.split(['(', '<']).next().unwrap_or_default().to_owned(),
            is_access: before == "pub async ",
            // A chain of calls is on several lines.
            body: body.join("\n").replace("\n.", "."),
        });
    }
    found
}

/// The operations of a function and of those that it calls.
fn reached<'f>(function: &'f Function, all: &'f [Function], seen: &mut BTreeSet<*const Function>) -> BTreeSet<String> {
    if !seen.insert(std::ptr::from_ref(function)) {
        return BTreeSet::new();
    }
    let own = DYNAMODB.iter().filter(|(builder, _)| is_in(&function.body, builder)).map(|(_, operation)| (*operation).to_owned());
    let mut operations: BTreeSet<String> = own.collect();
    // Its own name comes first.
    let body = function.body.split_once('(').map_or("", |(_, rest)| rest);
    for other in all.iter().filter(|other| calls(body, function, other)) {
        operations.extend(reached(other, all, seen));
    }
    operations
}

/// Whether `text` has the builder; `Update::builder()` is not `TransactUpdate::builder()`.
fn is_in(text: &str, builder: &str) -> bool {
    text.match_indices(builder)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) || builder.starts_with('.'))
}

/// Whether `body`, of `caller`, calls `other`: by `self.`, by `Self::`, by its type or module, or by its name alone.
fn calls(body: &str, caller: &Function, other: &Function) -> bool {
    let call = format!("{}(", other.name);
    body.match_indices(&call).any(|(at, _)| {
        let before = &body[..at];
        if before.ends_with("self.") || before.ends_with("Self::") {
            return other.of.is_some() && other.of == caller.of;
        }
        if let Some(path) = before.strip_suffix("::") {
            let last = path.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            return other.of.as_deref() == Some(last) || (other.of.is_none() && other.module == last);
        }
        let is_word = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        is_word && other.of.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_has_the_operations_of_what_it_calls() {
        let single = "pub(crate) async fn get_item(client: &Client) {\n    client.get_item().send()\n}\n";
        let sales = "impl Sales {\n    pub async fn get(&self) {\n        get_item(&self.client)\n    }\n\n    pub async fn retire(&self) {\n        \
                     let delete = Delete::builder();\n        self\n            .write()\n    }\n\n    async fn write(&self) {\n        \
                     self.client\n            .put_item()\n    }\n\n    fn other(&self) {\n        x.write().query()\n    }\n}\n\n\
                     #[cfg(test)]\nmod tests {\n    pub async fn f() {}\n}\n";
        let found = operations_of_store(&[("single".to_owned(), single), ("sales".to_owned(), sales)]);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let expected = [("Sales::get", set(&["GetItem"])), ("Sales::retire", set(&["DeleteItem", "PutItem"]))];
        assert_eq!(found, expected.map(|(name, operations)| (name.to_owned(), operations)).into());
    }
}
