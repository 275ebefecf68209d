//! Where a page of the catalogue begins: the member and the parameter `next`.

use std::{fmt, str::FromStr};

use domain::{ProductId, SaleState};
use store::Catalogue;

/// The text names no page.
#[derive(Debug, thiserror::Error)]
#[error("next must be the `next` of the previous page, unchanged")]
pub(crate) struct NoPage;

/// The beginning of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageStart {
    pub(crate) catalogue: Catalogue,
    /// The page begins after this product.
    pub(crate) after: Option<ProductId>,
}

impl PageStart {
    /// The first page of all.
    pub(crate) fn first() -> Self {
        Self { catalogue: Catalogue::Live, after: None }
    }

    /// The page after the one that begins here. `last`: the last product of this page, if its catalogue has more.
    pub(crate) fn following(&self, last: Option<ProductId>) -> Option<Self> {
        match (last, self.catalogue) {
            (Some(last), catalogue) => Some(Self { catalogue, after: Some(last) }),
            (None, Catalogue::Live) => Some(Self { catalogue: Catalogue::Ended, after: None }),
            (None, Catalogue::Ended) => None,
        }
    }

    /// The same page, or one that begins earlier, after `visible`, the last visible product of the page before: `next` names no
    /// hidden sale if there is a visible one to name.
    pub(crate) fn after_visible(self, visible: Option<&ProductId>) -> Self {
        Self { after: self.after.map(|after| visible.cloned().unwrap_or(after)), ..self }
    }

    /// Whether this page may have a sale in `state`; `None` is any state.
    pub(crate) fn may_have(&self, state: Option<SaleState>) -> bool {
        match self.catalogue {
            Catalogue::Live => true,
            Catalogue::Ended => state.is_none_or(|state| state == SaleState::Ended),
        }
    }
}

impl fmt::Display for PageStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.catalogue {
            Catalogue::Live => "live",
            Catalogue::Ended => "ended",
        })?;
        self.after.as_ref().map_or(Ok(()), |product| write!(f, ".{product}"))
    }
}

impl FromStr for PageStart {
    type Err = NoPage;

    fn from_str(text: &str) -> Result<Self, NoPage> {
        let (catalogue, after) = text.split_once('.').map_or((text, None), |(catalogue, product)| (catalogue, Some(product)));
        let catalogue = match catalogue {
            "live" => Catalogue::Live,
            "ended" => Catalogue::Ended,
            _ => return Err(NoPage),
        };
        Ok(Self { catalogue, after: after.map(str::parse).transpose().map_err(|_| NoPage)? })
    }
}
