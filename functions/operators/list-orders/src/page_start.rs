//! Where a page of orders begins: the member and the parameter `next`. It names the place itself, so it stays valid when the order
//! that it names has left its list, or has moved in it.

use std::{fmt, str::FromStr};

use domain::{ProductId, Timestamp};
use store::{PlacedOrder, UnsettledOrder};

/// The text names no page.
#[derive(Debug, thiserror::Error)]
#[error("it is `next` of the page before, unchanged")]
pub(crate) struct NoPage;

/// The list of a sale's orders.
const PLACED: &str = "placed";

/// The place of a page of a sale's orders: after the order that `next` names.
pub(crate) fn placed(next: &str, sale: &ProductId) -> Result<PlacedOrder, NoPage> {
    let place = next.strip_prefix(PLACED).and_then(|rest| rest.strip_prefix('.')).ok_or(NoPage)?;
    let (millisecond, id) = place.split_once('.').ok_or(NoPage)?;
    let at = Timestamp::from_millisecond(number(millisecond)?).map_err(|_| NoPage)?;
    let order = PlacedOrder { id: id.parse().map_err(|_| NoPage)?, at };
    if order.id.product() == sale { Ok(order) } else { Err(NoPage) }
}

/// The `next` of the page that follows an order of a sale.
pub(crate) fn after_placed(order: &PlacedOrder) -> String {
    format!("{PLACED}.{}.{}", order.at.as_millisecond(), order.id)
}

fn number(text: &str) -> Result<i64, NoPage> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or(NoPage)
}

/// The lists of orders whose refund is not confirmed, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refunds {
    /// Orders that have failed with a refund that is not confirmed, the earliest failure first.
    Failed,
    /// Orders with pending refunds that operators requested, the next to be asked for first.
    Requested,
}

/// The beginning of a page of these orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageStart {
    pub(crate) list: Refunds,
    /// The page begins after this order.
    pub(crate) after: Option<UnsettledOrder>,
}

impl PageStart {
    /// The first page of all.
    pub(crate) const FIRST: Self = Self { list: Refunds::Failed, after: None };
}

impl Refunds {
    fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Requested => "requested",
        }
    }
}

impl fmt::Display for PageStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.list.as_str())?;
        self.after.as_ref().map_or(Ok(()), |UnsettledOrder { id, since }| write!(f, ".{}.{id}", since.as_second()))
    }
}

impl FromStr for PageStart {
    type Err = NoPage;

    fn from_str(text: &str) -> Result<Self, NoPage> {
        let (name, place) = text.split_once('.').map_or((text, None), |(name, place)| (name, Some(place)));
        let list = [Refunds::Failed, Refunds::Requested].into_iter().find(|list| list.as_str() == name).ok_or(NoPage)?;
        let Some(place) = place else { return Ok(Self { list, after: None }) };
        let (second, id) = place.split_once('.').ok_or(NoPage)?;
        let since = Timestamp::from_second(number(second)?).map_err(|_| NoPage)?;
        Ok(Self { list, after: Some(UnsettledOrder { id: id.parse().map_err(|_| NoPage)?, since }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_sale_is_read_as_it_was_written_and_only_for_this_sale() {
        let sale = "demo".parse().unwrap();
        let good = "placed.1793534400123.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D";
        assert_eq!(after_placed(&placed(good, &sale).unwrap()), good);
        assert!(placed(good, &"other".parse().unwrap()).is_err());
        for bad in ["", "placed", "placed.", "placed.1", "placed.-1.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "failed", "placed.1.demo"] {
            assert!(placed(bad, &sale).is_err(), "{bad}");
        }
        assert!(placed("placed.999999999999999999.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", &sale).is_err());
    }

    #[test]
    fn a_page_start_is_read_as_it_was_written() {
        for good in
            ["failed", "requested", "failed.0.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "requested.17.a_-.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"]
        {
            assert_eq!(good.parse::<PageStart>().unwrap().to_string(), good);
        }
        for bad in ["", "done", "failed.", "failed.1", "failed.1.", "failed.1.demo", "failed.-1.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"]
        {
            assert!(bad.parse::<PageStart>().is_err(), "{bad}");
        }
        assert!("failed.99999999999999.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse::<PageStart>().is_err());
    }
}
