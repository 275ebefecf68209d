//! Prints what is generated from the route table, for `cargo xtask openapi`: `docs/openapi.json`, or with the argument `models`
//! the request models of `template.yaml`.

use std::collections::BTreeMap;

use serde_json::Value;

fn main() {
    let routes = contract::routes();
    if std::env::args().nth(1).as_deref() == Some("models") {
        let models: BTreeMap<String, Value> = routes.iter().filter_map(contract::gateway_model).collect();
        for (name, model) in models {
            println!("{name}:");
            print_yaml(&model, 1);
        }
    } else {
        println!("{:#}", contract::openapi(&routes));
    }
}

/// A JSON object as a block of YAML. The texts in it are names, which need no quotes.
fn print_yaml(value: &Value, depth: usize) {
    let margin = "  ".repeat(depth);
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(members) if !members.is_empty() => {
                println!("{margin}{name}:");
                print_yaml(value, depth + 1);
            }
            Value::Array(items) => {
                println!("{margin}{name}:");
                items.iter().filter_map(Value::as_str).for_each(|item| println!("{margin}  - {item}"));
            }
            Value::String(text) => println!("{margin}{name}: {text}"),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => println!("{margin}{name}: {value}"),
        }
    }
}
