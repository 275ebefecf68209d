//! Percent-encoding, for forms (`application/x-www-form-urlencoded`), queries and segments of a path.

use std::fmt::Write;

/// The content type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A form, or the query of a URL.
#[derive(Debug, Default)]
pub(crate) struct Form(String);

impl Form {
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(&escaped(name));
        self.0.push('=');
        self.0.push_str(&escaped(value));
        self
    }

    pub(crate) fn encoded(self) -> String {
        self.0
    }
}

/// `text` with everything escaped but RFC 3986's unreserved characters. As a segment of a path it stays one segment, unless
/// it is empty, `.` or `..`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_back_as_it_was_written() {
        let form = Form::default().field("metadata[order_id]", "demo.01-1").field("message", "a b&c=d+é/%").encoded();
        assert_eq!(form, "metadata%5Border_id%5D=demo.01-1&message=a%20b%26c%3Dd%2B%C3%A9%2F%25");
        assert_eq!(Form::default().encoded(), "");
    }

    #[test]
    fn an_id_cannot_leave_its_segment_of_the_path() {
        assert_eq!(escaped("pi_3MtwBwLkdIwHu7ix28a3tqPa"), "pi_3MtwBwLkdIwHu7ix28a3tqPa");
        assert_eq!(escaped("../v1/charges?x=1#y"), "..%2Fv1%2Fcharges%3Fx%3D1%23y");
    }
}
