//! The part of a file between two marks, which a command writes.

use anyhow::{Context, Result};

/// The text of the file `name` with `part` between these two marks.
///
/// # Errors
/// When the text lacks one of the marks.
pub(crate) fn with_part(name: &str, text: &str, [begin, end]: [&str; 2], part: &str) -> Result<String> {
    let marks = || format!("{name} has no line {begin:?} with a line {end:?} after it");
    let (before, rest) = text.split_once(begin).with_context(marks)?;
    let (_, after) = rest.split_once(end).with_context(marks)?;
    Ok([before, begin, part, end, after].concat())
}
