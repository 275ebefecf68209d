//! The events of API Gateway's REST API, made from a sample event: the body, the shopper whom the authorizer names and the
//! request's id are replaced.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const BODY: &str = "\"@body@\"";
const SHOPPER: &str = "\"@shopper@\"";
const ID: &str = "\"@id@\"";

/// A sample event with places for what differs between requests.
pub struct EventTemplate(Vec<Piece>);

enum Piece {
    Text(String),
    Body,
    Shopper,
    Id,
}

impl EventTemplate {
    /// A template from the sample event of a request with a signed-in shopper.
    ///
    /// # Errors
    /// When the event has no such shopper.
    pub fn new(mut sample: Value) -> Result<Self> {
        for (pointer, mark) in
            [("/body", BODY), ("/requestContext/authorizer/principalId", SHOPPER), ("/requestContext/requestId", ID)]
        {
            let place = sample.pointer_mut(pointer).with_context(|| format!("the sample event has no {pointer}"))?;
            *place = json!(mark.trim_matches('"'));
        }
        let text = sample.to_string();
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((place, mark, piece)) = first_mark(rest) {
            let (before, after) = rest.split_at(place);
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(piece);
            rest = after.get(mark.len()..).unwrap_or_default();
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The event of one request.
    #[must_use]
    pub fn event(&self, shopper: &str, body: &str, id: &str) -> String {
        let mut event = String::with_capacity(4_096);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => event.push_str(text),
                Piece::Body => event.push_str(&json!(body).to_string()),
                Piece::Shopper => event.push_str(&json!(shopper).to_string()),
                Piece::Id => event.push_str(&json!(id).to_string()),
            }
        }
        event
    }
}

fn first_mark(text: &str) -> Option<(usize, &'static str, Piece)> {
    let marks = [(BODY, Piece::Body), (SHOPPER, Piece::Shopper), (ID, Piece::Id)];
    marks.into_iter().filter_map(|(mark, piece)| Some((text.find(mark)?, mark, piece))).min_by_key(|(place, ..)| *place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_differs_from_the_sample_only_in_body_shopper_and_id() {
        let sample = test_aws::event_value("reserve/ok.json");
        let event = EventTemplate::new(sample.clone()).unwrap().event("s\"1", "{\"a\":\"@id@\"}", "r-1");
        let mut expected = sample;
        expected["body"] = json!("{\"a\":\"@id@\"}");
        expected["requestContext"]["authorizer"]["principalId"] = json!("s\"1");
        expected["requestContext"]["requestId"] = json!("r-1");
        assert_eq!(serde_json::from_str::<Value>(&event).unwrap(), expected);
    }
}
