//! Ids in PayPal's form, from counters, so that the same requests get the same ids.

/// What an id is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Order,
    Authorization,
    Capture,
    Refund,
}

/// The counters. Resources have one counter, so that reads and refusals change no resource's id.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    resources: u64,
    answers: u64,
    tokens: u64,
    events: u64,
    transmissions: u64,
}

impl Ids {
    /// The id of a resource: 17 characters, upper case letters and digits, as PayPal's are.
    pub(crate) fn resource(&mut self, kind: Kind) -> String {
        let letters = match kind {
            Kind::Order => "OR",
            Kind::Authorization => "AU",
            Kind::Capture => "CA",
            Kind::Refund => "RE",
        };
        format!("{letters}{:015}", next(&mut self.resources))
    }

    /// The `debug_id` of an answer: 13 hexadecimal digits.
    pub(crate) fn debug(&mut self) -> String {
        format!("{:013x}", next(&mut self.answers))
    }

    pub(crate) fn token(&mut self) -> String {
        format!("A21AAFake-{:032x}", next(&mut self.tokens))
    }

    /// The id of a webhook event: `WH-` and twice 17 characters.
    pub(crate) fn event(&mut self) -> String {
        let number = next(&mut self.events);
        format!("WH-EV{number:015}-EV{number:015}")
    }

    /// The id of one transmission of an event: a UUID.
    pub(crate) fn transmission(&mut self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", next(&mut self.transmissions))
    }
}

fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_s_id_has_17_characters_and_occurs_once() {
        let mut ids = Ids::default();
        let made: Vec<String> = [Kind::Order, Kind::Authorization, Kind::Capture, Kind::Refund, Kind::Order]
            .into_iter()
            .map(|kind| ids.resource(kind))
            .collect();
        for id in &made {
            assert_eq!(id.len(), 17, "{id}");
            assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{id}");
            assert_eq!(made.iter().filter(|other| *other == id).count(), 1, "{id}");
        }
    }

    #[test]
    fn a_transmission_s_id_is_a_uuid() {
        let id = Ids::default().transmission();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
