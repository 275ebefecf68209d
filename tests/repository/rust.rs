//! Rust sources, as far as the drift tests read them: string literals of product code.

/// The string literals of a source, without those of its `#[cfg(test)]` module and its comments.
///
/// This lexer is enough for `rustfmt`ed sources: it knows escapes, `//` comments and raw strings. It stops at the test module,
/// which comes last in a file.
#[must_use]
pub fn string_literals(source: &str) -> Vec<String> {
    let product = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut literals = Vec::new();
    for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('"') {
            // A quotation mark as a character, and the end of code before a comment.
            if before.ends_with('\'') || before.contains(" // ") {
                rest = after;
                if before.contains(" // ") {
                    break;
                }
                continue;
            }
            let Some(end) = end_of_literal(after) else { break };
            literals.push(after[..end].to_owned());
            rest = &after[end + 1..];
        }
    }
    literals
}

/// The body of the first block that begins after `start`, by its braces.
#[must_use]
pub fn block_after<'s>(source: &'s str, start: &str) -> Option<&'s str> {
    let rest = source.split_once(start)?.1;
    let open = rest.find('{')?;
    let mut depth = 0_usize;
    for (place, letter) in rest.char_indices().skip(open) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && place >= open {
            return Some(&rest[open..=place]);
        }
    }
    None
}

fn end_of_literal(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(place),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_product_code_are_found_and_no_others() {
        let source = "// \"comment\"\nfn f() { g(\"A\", \"b\\\"c\"); h('\"'); } // \"not this\"\n#[cfg(test)]\nmod tests { const X: &str = \"test\"; }\n";
        assert_eq!(string_literals(source), ["A", "b\\\"c"]);
    }

    #[test]
    fn a_block_ends_at_its_own_brace() {
        assert_eq!(block_after("impl A for B {\n  fn f() { x }\n}\nfn g() {}", "impl A for "), Some("{\n  fn f() { x }\n}"));
        assert_eq!(block_after("nothing", "impl A for "), None);
    }
}
