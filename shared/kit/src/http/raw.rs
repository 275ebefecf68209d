//! Bodies that are read as bytes: those of payment providers, whose signatures cover every byte.

use lambda_http::Request;

use crate::Problem;

/// The largest body of a payment provider that is read. Their events have a few kilobytes; no provider documents a limit.
pub const LARGEST_RAW_BODY_BYTES: usize = 256 * 1024;

/// The request's body, byte for byte as it was sent, whatever its type. It is not searched for card numbers: the caller must
/// store nothing of it but ids.
///
/// # Errors
/// 413 above [`LARGEST_RAW_BODY_BYTES`].
pub fn raw_body(request: &Request) -> Result<&[u8], Problem> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > LARGEST_RAW_BODY_BYTES { Err(Problem::too_large(LARGEST_RAW_BODY_BYTES)) } else { Ok(bytes) }
}

/// A header of the request; the first one if it is repeated. `None`: it is missing, or has other characters than ASCII's.
#[must_use]
pub fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde_json::{Value, json};

    use super::*;
    use crate::http::GatewayEvent;

    fn read(event: Value) -> Request {
        serde_json::from_value::<GatewayEvent>(event).unwrap().into()
    }

    #[test]
    fn a_body_arrives_byte_for_byte() {
        for text in ["", " {} \n", "{\"a\": \"é😀\"}", "4242 4242 4242 4242", "\r\n\u{0}", "\u{feff}{}"] {
            let mut event = test_aws::request("POST", "/webhooks/stripe").body(text).into_event();
            assert_eq!(raw_body(&read(event.clone())).unwrap(), text.as_bytes());
            event["body"] = json!(BASE64_STANDARD.encode(text));
            event["isBase64Encoded"] = json!(true);
            assert_eq!(raw_body(&read(event)).unwrap(), text.as_bytes());
        }
        let mut event = test_aws::request("POST", "/webhooks/stripe").into_event();
        assert_eq!(raw_body(&read(event.clone())).unwrap(), b"", "no body");
        event["body"] = json!("//4AgA==");
        event["isBase64Encoded"] = json!(true);
        assert_eq!(raw_body(&read(event)).unwrap(), [0xff, 0xfe, 0, 0x80], "not text");
    }

    #[test]
    fn a_body_has_256_kib_at_most() {
        let of = |bytes: usize| read(test_aws::request("POST", "/webhooks/stripe").body("x".repeat(bytes)).into_event());
        assert_eq!(raw_body(&of(LARGEST_RAW_BODY_BYTES)).unwrap().len(), LARGEST_RAW_BODY_BYTES);
        let refused = raw_body(&of(LARGEST_RAW_BODY_BYTES + 1)).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (413, "body-too-large"));
        assert!(test_aws::response(&refused.into_response()).contains("256 KiB"));
    }

    #[test]
    fn a_header_is_found_by_its_name_if_it_is_text() {
        let event = test_aws::request("POST", "/webhooks/stripe").header("Stripe-Signature", "t=1").header("prefer", "é");
        let request = read(event.into_event());
        assert_eq!(header(&request, "stripe-signature"), Some("t=1"));
        assert_eq!((header(&request, "prefer"), header(&request, "paypal-cert-url")), (None, None));
    }
}
