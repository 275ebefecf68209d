//! Ids that look random but are the same in every run, because they are digests of names.

/// A UUID for these names: `["reserve", "ok", "request"]`.
pub(crate) fn uuid(names: &[&str]) -> String {
    let mut digest = md5::compute(names.join("/"));
    digest[6] = digest[6] & 0x0f | 0x40; // version 4
    digest[8] = digest[8] & 0x3f | 0x80; // of RFC 9562
    let digits = format!("{digest:x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// 32 hexadecimal digits for these names.
pub(crate) fn digits(names: &[&str]) -> String {
    digest(&names.join("/"))
}

/// The MD5 digest of a text, which SQS sends with each body.
pub(crate) fn digest(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}
