//! Where a page of orders begins: the member and the parameter `next`. It names the place itself, so it stays valid when the order
//! that it names has left its list, or has moved in it.

use std::{fmt, str::FromStr};

use domain::Timestamp;
use store::Unsettled;

/// The text names no page.
#[derive(Debug, thiserror::Error)]
#[error("it is `next` of the page before, unchanged")]
pub(crate) struct NoPage;

/// The lists, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Orders that have failed with a refund that is not confirmed, the earliest failure first.
    Failed,
    /// Orders with pending refunds that operators requested, the next to be asked for first.
    Requested,
}

/// The beginning of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageStart {
    pub(crate) list: List,
    /// The page begins after this order.
    pub(crate) after: Option<Unsettled>,
}

impl PageStart {
    /// The first page of all.
    pub(crate) const FIRST: Self = Self { list: List::Failed, after: None };
}

impl List {
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
        self.after.as_ref().map_or(Ok(()), |Unsettled { id, since }| write!(f, ".{}.{id}", since.as_second()))
    }
}

impl FromStr for PageStart {
    type Err = NoPage;

    fn from_str(text: &str) -> Result<Self, NoPage> {
        let (name, place) = text.split_once('.').map_or((text, None), |(name, place)| (name, Some(place)));
        let list = [List::Failed, List::Requested].into_iter().find(|list| list.as_str() == name).ok_or(NoPage)?;
        let Some(place) = place else { return Ok(Self { list, after: None }) };
        let (second, id) = place.split_once('.').ok_or(NoPage)?;
        let is_number = !second.is_empty() && second.bytes().all(|byte| byte.is_ascii_digit());
        let second = second.parse().ok().filter(|_| is_number).ok_or(NoPage)?;
        let since = Timestamp::from_second(second).map_err(|_| NoPage)?;
        Ok(Self { list, after: Some(Unsettled { id: id.parse().map_err(|_| NoPage)?, since }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
