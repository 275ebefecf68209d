//! The origins whose pages may read the API's answers in a browser (CORS).

use std::{convert::Infallible, str::FromStr};

use lambda_http::http::{HeaderName, HeaderValue, header::VARY};

use crate::Response;

const ALLOWED: HeaderName = HeaderName::from_static("access-control-allow-origin");

/// The shop's own origins, or any. Tokens travel in a header and never in a cookie, so no page can act for a visitor of another
/// page; a list only keeps foreign pages from showing the shop's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`.
    Any,
    /// These, as browsers write them: `https://shop.example.com`.
    Listed(Vec<String>),
}

impl FromStr for Origins {
    type Err = Infallible;

    /// A list that is separated by commas, or `*`.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        Ok(Self::Listed(text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect()))
    }
}

impl Origins {
    /// Names in `response` the origin of its request, if it is allowed. A cache must keep the answers to different origins apart.
    pub(crate) fn mark(&self, response: &mut Response, origin: Option<&HeaderValue>) {
        let Self::Listed(listed) = self else { return };
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Origin"));
        match origin.filter(|origin| listed.iter().any(|one| one.as_bytes() == origin.as_bytes())) {
            Some(origin) => headers.insert(ALLOWED, origin.clone()),
            None => headers.remove(ALLOWED),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{answer, ok_json};

    /// What a page of `origin` is told: the allowed origin, and `Vary`.
    fn told(origins: &str, origin: Option<&str>) -> (Option<String>, Option<String>) {
        let request = test_aws::request("GET", "/health").build();
        let mut response = answer(&request, Ok(ok_json(200, &["yes"])));
        let origin = origin.map(|origin| HeaderValue::from_str(origin).unwrap());
        origins.parse::<Origins>().unwrap().mark(&mut response, origin.as_ref());
        let header = |name: &HeaderName| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (header(&ALLOWED), header(&VARY))
    }

    #[test]
    fn without_a_list_every_page_may_read() {
        for origin in [None, Some("https://evil.example"), Some("null")] {
            assert_eq!(told("*", origin), (Some("*".to_owned()), None));
        }
    }

    #[test]
    fn with_a_list_only_its_origins_are_named_and_exactly() {
        let list = "https://shop.example.com, https://m.shop.example.com";
        let vary = Some("Origin".to_owned());
        for origin in ["https://shop.example.com", "https://m.shop.example.com"] {
            assert_eq!(told(list, Some(origin)), (Some(origin.to_owned()), vary.clone()));
        }
        let foreign = [
            "https://evil.example",
            "null",
            "*",
            "http://shop.example.com",
            "https://shop.example.com.evil.example",
            "https://shop.example.com:8443",
            "https://SHOP.example.com",
            "https://shop.example.com/",
            "https://x.shop.example.com",
            "https://shop.example.com, https://m.shop.example.com",
            "",
        ];
        for origin in foreign.map(Some).into_iter().chain([None]) {
            assert_eq!(told(list, origin), (None, vary.clone()), "{origin:?}");
        }
    }
}
