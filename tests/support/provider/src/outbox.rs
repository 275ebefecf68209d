//! The webhook deliveries of a provider: sent at once, again with growing pauses until the receiver accepts them, and, where a
//! test orders it, doubled, lost, or in the wrong order.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::{Delivery, later};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_hours(12);
/// An event that nobody accepted for this long is given up, as Stripe and PayPal do.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(72);
/// How long an endpoint with `reverse` collects events before it gets them, the latest first.
const COLLECTS_FOR: Duration = Duration::from_secs(2);

/// Where webhooks go and how, as `POST /_fake/webhooks` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// The receiver: `http://127.0.0.1:<port>/<path>`. The server delivers to no other host.
    pub url: String,
    /// The secret of the signature, or what identifies the webhook.
    pub secret: String,
    /// Whether every event is delivered twice.
    #[serde(default)]
    pub duplicate: bool,
    /// How many of the next events are never delivered.
    #[serde(default)]
    pub lose: u32,
    /// Whether events are collected for two seconds and the latest is delivered first.
    #[serde(default)]
    pub reverse: bool,
    /// The pause before the second attempt, in seconds; each later pause is twice as long. 1 if absent.
    #[serde(default = "one_second")]
    pub first_pause_seconds: u32,
    /// Which account this is for, in the provider's own terms; every account if absent.
    #[serde(default)]
    pub account: Option<String>,
}

const fn one_second() -> u32 {
    1
}

impl Webhooks {
    /// Plain delivery to `url`.
    #[must_use]
    pub fn to(url: &str, secret: &str) -> Self {
        Self {
            url: url.to_owned(),
            secret: secret.to_owned(),
            duplicate: false,
            lose: 0,
            reverse: false,
            first_pause_seconds: one_second(),
            account: None,
        }
    }

    /// Reads the body of `POST /_fake/webhooks`.
    ///
    /// # Errors
    /// Says what is wrong with a body that is not of this form.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("this is no webhook configuration: {error}"))
    }
}

/// The deliveries of one account.
#[derive(Debug, Default)]
pub struct Outbox {
    webhooks: Option<Webhooks>,
    waiting: Vec<Waiting>,
    events: i64,
}

#[derive(Debug)]
struct Waiting {
    event_id: String,
    body: Vec<u8>,
    url: String,
    secret: String,
    first_pause: Duration,
    since: Timestamp,
    attempts: u32,
    /// Absent while an attempt is on its way.
    due: Option<Timestamp>,
    /// Among deliveries that are due at the same time, the smallest goes first.
    order: i64,
}

impl Outbox {
    /// Delivers the events from now on as this says. Earlier events stay as they are.
    pub fn configure(&mut self, webhooks: Webhooks) {
        self.webhooks = Some(webhooks);
    }

    /// Adds an event. Without a receiver, nobody ever gets it.
    pub fn push(&mut self, event_id: &str, body: &[u8], now: Timestamp) {
        let Some(webhooks) = &mut self.webhooks else { return };
        if webhooks.lose > 0 {
            webhooks.lose -= 1;
            return;
        }
        self.events += 1;
        let (due, order) = if webhooks.reverse {
            let collecting = self.waiting.iter().filter(|one| one.attempts == 0).filter_map(|one| one.due).find(|due| *due > now);
            (collecting.unwrap_or_else(|| later(now, COLLECTS_FOR)), -self.events)
        } else {
            (now, self.events)
        };
        for _ in 0..if webhooks.duplicate { 2 } else { 1 } {
            self.waiting.push(Waiting {
                event_id: event_id.to_owned(),
                body: body.to_vec(),
                url: webhooks.url.clone(),
                secret: webhooks.secret.clone(),
                first_pause: Duration::from_secs(u64::from(webhooks.first_pause_seconds)),
                since: now,
                attempts: 0,
                due: Some(due),
                order,
            });
        }
    }

    /// Takes the deliveries that are due. `headers` signs a body with a secret.
    pub fn due(&mut self, now: Timestamp, headers: impl Fn(&str, &[u8]) -> Vec<(String, String)>) -> Vec<Delivery> {
        let mut due: Vec<_> = self.waiting.iter_mut().filter(|one| one.due.is_some_and(|due| due <= now)).collect();
        due.sort_by_key(|one| (one.due, one.order));
        due.into_iter()
            .map(|one| {
                one.due = None;
                one.attempts += 1;
                let headers = headers(&one.secret, &one.body);
                Delivery { event_id: one.event_id.clone(), url: one.url.clone(), headers, body: one.body.clone() }
            })
            .collect()
    }

    /// Learns what became of a delivery. Returns whether it was one of this outbox.
    pub fn delivered(&mut self, delivery: &Delivery, accepted: bool, now: Timestamp) -> bool {
        let is_it = |one: &Waiting| one.due.is_none() && one.event_id == delivery.event_id && one.url == delivery.url;
        let Some(index) = self.waiting.iter().position(is_it) else { return false };
        let again = self.waiting.get(index).map(Waiting::again).map(|pause| later(now, pause));
        let ends = self.waiting.get(index).map(|one| later(one.since, GIVEN_UP_AFTER));
        if accepted || again > ends {
            self.waiting.remove(index);
        } else if let Some(one) = self.waiting.get_mut(index) {
            one.due = again;
        }
        true
    }

    /// The answer to `GET /_fake/webhooks`: the deliveries that are not accepted yet.
    #[must_use]
    pub fn state(&self) -> serde_json::Value {
        let waiting = self.waiting.iter().map(|one| {
            json!({
                "event_id": one.event_id,
                "url": one.url,
                "attempts": one.attempts,
                "due": one.due.map(|due| due.to_string()),
            })
        });
        waiting.collect()
    }
}

impl Waiting {
    /// The pause after the attempts so far.
    fn again(&self) -> Duration {
        let doubled = self.attempts.saturating_sub(1).min(20);
        self.first_pause.saturating_mul(1 << doubled).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:1/hook";

    fn at(seconds: u64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    fn outbox(webhooks: Webhooks) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.configure(webhooks);
        outbox
    }

    fn due(outbox: &mut Outbox, seconds: u64) -> Vec<Delivery> {
        outbox.due(at(seconds), |secret, body| vec![("signed".to_owned(), format!("{secret} {}", body.len()))])
    }

    fn ids(deliveries: &[Delivery]) -> Vec<&str> {
        deliveries.iter().map(|delivery| delivery.event_id.as_str()).collect()
    }

    #[test]
    fn an_event_is_delivered_at_once_signed_and_only_once_when_accepted() {
        let mut outbox = outbox(Webhooks::to(URL, "secret"));
        outbox.push("one", b"body", at(0));
        let deliveries = due(&mut outbox, 0);
        assert_eq!(ids(&deliveries), ["one"]);
        assert_eq!(deliveries[0].headers, [("signed".to_owned(), "secret 4".to_owned())]);
        assert!(due(&mut outbox, 1000).is_empty(), "it is on its way");
        assert!(outbox.delivered(&deliveries[0], true, at(0)));
        assert!(due(&mut outbox, 1000).is_empty());
        assert!(!outbox.delivered(&deliveries[0], true, at(0)), "it is gone");
    }

    #[test]
    fn pauses_double_up_to_half_a_day_and_end_after_three_days() {
        let mut outbox = outbox(Webhooks::to(URL, "secret"));
        outbox.push("one", b"", at(0));
        let (mut now, mut pauses) = (0, Vec::new());
        while let Some(delivery) = due(&mut outbox, now).first() {
            outbox.delivered(delivery, false, at(now));
            let Some(next) = outbox.waiting.first().and_then(|one| one.due) else { break };
            let next = u64::try_from(next.as_second()).unwrap();
            pauses.push(next - now);
            now = next;
        }
        assert_eq!(pauses[..6], [1, 2, 4, 8, 16, 32]);
        assert_eq!(pauses.last(), Some(&43_200));
        assert!(now <= 259_200 && now > 259_200 - 43_200, "{now}");
        assert_eq!(outbox.state(), json!([]));
    }

    #[test]
    fn an_event_can_be_doubled_and_each_copy_is_retried_by_itself() {
        let mut outbox = outbox(Webhooks { duplicate: true, ..Webhooks::to(URL, "secret") });
        outbox.push("one", b"", at(0));
        let deliveries = due(&mut outbox, 0);
        assert_eq!(ids(&deliveries), ["one", "one"]);
        outbox.delivered(&deliveries[0], true, at(0));
        outbox.delivered(&deliveries[1], false, at(0));
        assert_eq!(ids(&due(&mut outbox, 1)), ["one"]);
    }

    #[test]
    fn events_can_be_lost_and_nobody_gets_them_without_a_receiver() {
        let mut outbox = outbox(Webhooks { lose: 1, ..Webhooks::to(URL, "secret") });
        outbox.push("one", b"", at(0));
        outbox.push("two", b"", at(0));
        assert_eq!(ids(&due(&mut outbox, 0)), ["two"]);
        let mut nowhere = Outbox::default();
        nowhere.push("one", b"", at(0));
        nowhere.configure(Webhooks::to(URL, "secret"));
        assert!(due(&mut nowhere, 0).is_empty());
    }

    #[test]
    fn collected_events_arrive_with_the_latest_first() {
        let mut outbox = outbox(Webhooks { reverse: true, ..Webhooks::to(URL, "secret") });
        outbox.push("one", b"", at(0));
        outbox.push("two", b"", at(1));
        assert!(due(&mut outbox, 1).is_empty());
        let deliveries = due(&mut outbox, 2);
        assert_eq!(ids(&deliveries), ["two", "one"]);
        outbox.push("three", b"", at(2));
        assert!(due(&mut outbox, 3).is_empty(), "the next collection has begun");
        assert_eq!(ids(&due(&mut outbox, 4)), ["three"]);
    }

    #[test]
    fn a_configuration_is_read_strictly() {
        let read = Webhooks::read(br#"{"url": "http://127.0.0.1:1/", "secret": "s", "duplicate": true, "lose": 2}"#).unwrap();
        assert!(read.duplicate && read.lose == 2 && !read.reverse);
        assert!(Webhooks::read(br#"{"url": "http://127.0.0.1:1/"}"#).is_err());
        assert!(Webhooks::read(br#"{"url": "", "secret": "", "doubled": true}"#).is_err());
    }
}
