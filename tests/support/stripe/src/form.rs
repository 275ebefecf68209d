//! Form-encoded parameters with nested names (`a[b]=c`, `a[]=d`), and Stripe's refusals of wrong ones.
//!
//! All of these refusals happen before an endpoint runs.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::refusal::Refusal;

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Text(String),
    Nested(BTreeMap<String, Node>),
}

impl Form {
    /// Reads a query or a body.
    pub(crate) fn read(encoded: &[u8]) -> Result<Self, Refusal> {
        let mut form = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            let path: Vec<_> = name.split('[').map(|part| part.strip_suffix(']').unwrap_or(part)).collect();
            let wrong = |()| Refusal::invalid("Invalid request parameters").param(path.first().copied().unwrap_or_default());
            insert(&mut form, &path, &value).map_err(wrong)?;
        }
        Ok(Self(form))
    }

    /// The same text for the same parameters, whatever their order.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?}", self.0)
    }

    /// Refuses parameters with other names.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        self.only_within("", known)
    }

    fn only_within(&self, parent: &str, known: &[&str]) -> Result<(), Refusal> {
        let unknown: Vec<_> =
            self.0.keys().filter(|name| !known.contains(&name.as_str())).map(|name| nested(parent, name)).collect();
        match unknown.as_slice() {
            [] => Ok(()),
            [one] => Err(Refusal::invalid(format!("Received unknown parameter: {one}")).code("parameter_unknown").param(one)),
            [first, ..] => Err(Refusal::invalid(format!("Received unknown parameters: {}", unknown.join(", ")))
                .code("parameter_unknown")
                .param(first)),
        }
    }

    /// Whether the parameter was sent.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text. Empty ones are refused.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Node::Nested(_)) => Err(Refusal::invalid(format!("Invalid string: {name}")).param(name)),
            Some(Node::Text(text)) if text.is_empty() => Err(Refusal::invalid(format!(
                "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however \
                 '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value."
            ))
            .code("parameter_invalid_empty")
            .param(name)),
            Some(Node::Text(text)) => Ok(Some(text)),
        }
    }

    /// A text that an empty one unsets.
    pub(crate) fn unsettable(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.get(name) {
            Some(Node::Text(text)) if text.is_empty() => Ok(None),
            _ => Ok(self.text(name)?.map(str::to_owned)),
        }
    }

    /// A text without which the request makes no sense.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name);
        self.text(name)?.ok_or_else(missing)
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| Refusal::invalid(format!("Invalid integer: {text}")).code("parameter_invalid_integer").param(name))
        };
        self.text(name)?.map(read).transpose()
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::invalid(format!("Invalid boolean: {other}")).param(name)),
        }
    }

    /// One of several words.
    pub(crate) fn one_of<'a>(&self, name: &str, words: &[&'a str]) -> Result<Option<&'a str>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().find(|word| **word == text);
        found.copied().map(Some).ok_or_else(|| {
            let listed = match words {
                [] => String::new(),
                [one] => (*one).to_owned(),
                [first, last] => format!("{first} or {last}"),
                [most @ .., last] => format!("{}, or {last}", most.join(", ")),
            };
            Refusal::invalid(format!("Invalid {name}: must be one of {listed}")).param(name)
        })
    }

    /// A list: `a[]=x` or `a[0]=x`.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let wrong = || Refusal::invalid("Invalid array").param(name);
        match self.0.get(name) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(wrong()),
            Some(Node::Nested(items)) => {
                let mut read = Vec::new();
                for (index, item) in items {
                    let (Ok(index), Node::Text(item)) = (index.parse::<usize>(), item) else { return Err(wrong()) };
                    read.push((index, item.clone()));
                }
                read.sort();
                Ok(Some(read.into_iter().map(|(_, item)| item).collect()))
            }
        }
    }

    /// An object: `a[b]=c`, with no other members than `known`.
    pub(crate) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Self>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(Refusal::invalid("Invalid object").param(name)),
            Some(Node::Nested(members)) => {
                let object = Self(members.clone());
                object.only_within(name, known)?;
                Ok(Some(object))
            }
        }
    }

    /// Changes to metadata. An empty value removes its key. At most 50 keys of 40 characters with values of 500.
    pub(crate) fn metadata(&self, metadata: &mut BTreeMap<String, String>) -> Result<(), Refusal> {
        let members = match self.0.get("metadata") {
            None => return Ok(()),
            Some(Node::Text(text)) if text.is_empty() => {
                metadata.clear();
                return Ok(());
            }
            Some(Node::Text(_)) => return Err(Refusal::invalid("Invalid object").param("metadata")),
            Some(Node::Nested(members)) => members,
        };
        for (key, value) in members {
            let Node::Text(value) = value else {
                return Err(Refusal::invalid("Metadata values must be strings").param(nested("metadata", key)));
            };
            for (what, text, most) in [("keys", key, 40), ("values", value, 500)] {
                let length = text.chars().count();
                if length > most {
                    let message = format!(
                        "Metadata {what} can have up to {most} characters, but you passed in one that is {length} characters. \
                         Invalid: {text}"
                    );
                    return Err(Refusal::invalid(message).param("metadata"));
                }
            }
            if value.is_empty() {
                metadata.remove(key);
            } else {
                metadata.insert(key.clone(), value.clone());
            }
        }
        if metadata.len() > 50 {
            return Err(Refusal::invalid("You can have up to 50 metadata keys per object.").param("metadata"));
        }
        Ok(())
    }
}

fn nested(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}[{name}]") }
}

/// Puts a value at a path. A later value of the same name replaces an earlier one; text and object under one name are a fault.
fn insert(into: &mut BTreeMap<String, Node>, path: &[&str], value: &str) -> Result<(), ()> {
    let [name, rest @ ..] = path else { return Err(()) };
    let name = if name.is_empty() { into.len().to_string() } else { (*name).to_owned() };
    if rest.is_empty() {
        return match into.insert(name, Node::Text(value.to_owned())) {
            None | Some(Node::Text(_)) => Ok(()),
            Some(Node::Nested(_)) => Err(()),
        };
    }
    match into.entry(name).or_insert_with(|| Node::Nested(BTreeMap::new())) {
        Node::Nested(members) => insert(members, rest, value),
        Node::Text(_) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form::read(text.as_bytes()).unwrap()
    }

    fn message<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
        let answer = result.unwrap_err().answer("req_1");
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        format!("{} {} {}", body["error"]["code"], body["error"]["param"], body["error"]["message"]).replace('"', "")
    }

    #[test]
    fn nested_names_are_objects_and_lists() {
        let form = form("amount=5&metadata[order]=a%26b&types[]=card&types[]=link&expand[1]=b&expand[0]=a&a[b][c]=d");
        assert_eq!(form.integer("amount").unwrap(), Some(5));
        assert_eq!(form.list("types").unwrap().unwrap(), ["card", "link"]);
        assert_eq!(form.list("expand").unwrap().unwrap(), ["a", "b"]);
        let mut metadata = BTreeMap::new();
        form.metadata(&mut metadata).unwrap();
        assert_eq!(metadata, BTreeMap::from([("order".to_owned(), "a&b".to_owned())]));
        let a = form.object("a", &["b"]).unwrap().unwrap();
        assert_eq!(a.object("b", &["c"]).unwrap().unwrap().text("c").unwrap(), Some("d"));
    }

    #[test]
    fn the_order_of_parameters_is_not_part_of_the_fingerprint() {
        assert_eq!(form("a=1&b[c]=2&b[d]=3").fingerprint(), form("b[d]=3&b[c]=2&a=1").fingerprint());
        assert_ne!(form("a=1").fingerprint(), form("a=2").fingerprint());
    }

    #[test]
    fn wrong_parameters_are_refused_in_stripes_words() {
        assert_eq!(message(form("b=1").only(&["a"])), "parameter_unknown b Received unknown parameter: b");
        assert_eq!(message(form("b=1&c=1").only(&["a"])), "parameter_unknown b Received unknown parameters: b, c");
        assert_eq!(message(form("a[x]=1").object("a", &["b"])), "parameter_unknown a[x] Received unknown parameter: a[x]");
        assert_eq!(message(form("").required("amount")), "parameter_missing amount Missing required param: amount.");
        assert_eq!(message(form("amount=1.5").integer("amount")), "parameter_invalid_integer amount Invalid integer: 1.5");
        assert_eq!(message(form("confirm=yes").boolean("confirm")), "null confirm Invalid boolean: yes");
        assert_eq!(message(form("a=d").one_of("a", &["b", "c", "e"])), "null a Invalid a: must be one of b, c, or e");
        assert!(message(form("amount=").integer("amount")).starts_with("parameter_invalid_empty amount You passed an empty"));
        assert!(message(Form::read(b"a=1&a[b]=2")).starts_with("null a "));
        assert!(message(Form::read(b"a[b]=2&a=1")).starts_with("null a "));
    }

    #[test]
    fn metadata_is_merged_unset_and_bounded() {
        let mut metadata = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        form("metadata[a]=&metadata[c]=3").metadata(&mut metadata).unwrap();
        assert_eq!(metadata.keys().collect::<Vec<_>>(), ["b", "c"]);
        form("metadata=").metadata(&mut metadata).unwrap();
        assert!(metadata.is_empty());
        let many = (0..51).map(|n| format!("metadata[k{n}]=v")).collect::<Vec<_>>().join("&");
        for wrong in [format!("metadata[k]={}", "v".repeat(501)), format!("metadata[{}]=v", "k".repeat(41)), many] {
            assert!(form(&wrong).metadata(&mut BTreeMap::new()).is_err());
        }
    }
}
