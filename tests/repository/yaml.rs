//! YAML as JSON values, with the template's short forms written out: `!Ref X` becomes `{"Ref": "X"}`, `!GetAtt A.Arn` becomes
//! `{"Fn::GetAtt": "A.Arn"}`. The ready-made loader of `yaml-rust2` drops tags, so a reference would look like a text.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use yaml_rust2::{
    Event,
    parser::{EventReceiver, Parser, Tag},
    scanner::TScalarStyle,
};

/// Reads one document.
///
/// # Panics
/// If the text is not YAML.
#[must_use]
pub fn read(text: &str) -> Value {
    let mut builder = Builder::default();
    Parser::new_from_str(text).load(&mut builder, false).unwrap_or_else(|fault| panic!("not YAML: {fault}"));
    builder.document.expect("an empty document")
}

/// The number of an anchor that is not there.
const NO_ANCHOR: usize = 0;

#[derive(Default)]
struct Builder {
    open: Vec<(Option<Tag>, Node, usize)>,
    document: Option<Value>,
    /// Values that aliases repeat, by the number of their anchor.
    anchored: BTreeMap<usize, Value>,
}

enum Node {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

impl EventReceiver for Builder {
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == TScalarStyle::Plain && tag.is_none();
                self.place(tagged(tag, if plain { typed(text) } else { Value::String(text) }), anchor);
            }
            Event::SequenceStart(anchor, tag) => self.open.push((tag, Node::Sequence(Vec::new()), anchor)),
            Event::MappingStart(anchor, tag) => self.open.push((tag, Node::Mapping(Map::new(), None), anchor)),
            Event::SequenceEnd | Event::MappingEnd => {
                let (tag, node, anchor) = self.open.pop().expect("the parser balances starts and ends");
                let value = match node {
                    Node::Sequence(items) => Value::Array(items),
                    Node::Mapping(entries, _) => Value::Object(entries),
                };
                self.place(tagged(tag, value), anchor);
            }
            Event::Alias(anchor) => {
                let value = self.anchored.get(&anchor).expect("the parser knows the anchor").clone();
                self.place(value, NO_ANCHOR);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd => {}
        }
    }
}

impl Builder {
    fn place(&mut self, value: Value, anchor: usize) {
        if anchor != NO_ANCHOR {
            self.anchored.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.document = Some(value),
            Some((_, Node::Sequence(items), _)) => items.push(value),
            Some((_, Node::Mapping(entries, key), _)) => match key.take() {
                None => *key = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
                Some(key) => assert!(entries.insert(key.clone(), value).is_none(), "{key} stands twice in one mapping"),
            },
        }
    }
}

fn tagged(tag: Option<Tag>, value: Value) -> Value {
    match tag {
        Some(tag) if tag.handle == "!" => match tag.suffix.as_str() {
            short @ ("Ref" | "Condition") => json!({ short: value }),
            short => json!({ format!("Fn::{short}"): value }),
        },
        Some(_) | None => value,
    }
}

/// A plain scalar as a JSON value, by YAML's core schema.
fn typed(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number if number.parse::<i64>().is_ok() => json!(number.parse::<i64>().ok()),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_written_out_and_quoted_texts_stay_texts() {
        let value = read(
            "A: !Ref B\nC: !GetAtt D.Arn\nE: !If [F, false, !Sub '${G}/*']\nH: '30'\nI: 30\nJ: [x, ~]\nK: !Join\n  - ','\n  - [a]\n",
        );
        assert_eq!(
            value,
            json!({
                "A": {"Ref": "B"},
                "C": {"Fn::GetAtt": "D.Arn"},
                "E": {"Fn::If": ["F", false, {"Fn::Sub": "${G}/*"}]},
                "H": "30",
                "I": 30,
                "J": ["x", null],
                "K": {"Fn::Join": [",", ["a"]]},
            })
        );
    }

    #[test]
    fn an_alias_is_what_its_anchor_is() {
        let value = read("A: &a [1, &b {C: !Ref D}]\nE: *a\nF: *b\n");
        assert_eq!(value, json!({"A": [1, {"C": {"Ref": "D"}}], "E": [1, {"C": {"Ref": "D"}}], "F": {"C": {"Ref": "D"}}}));
    }

    #[test]
    #[should_panic(expected = "stands twice")]
    fn a_key_that_stands_twice_is_noticed() {
        let _ = read("A: 1\nA: 2\n");
    }
}
