//! Markdown, as far as the drift tests read it: links, headings, code, tables.

/// The targets of links and images, outside of code blocks.
#[must_use]
pub fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else { break };
            found.push(target);
            rest = after;
        }
    }
    found
}

/// The anchors that the headings make, as GitHub writes them.
#[must_use]
pub fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept =
                heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).collect::<String>();
            kept.replace(' ', "-")
        })
        .collect()
}

/// The code between backticks, and the lines of code blocks.
#[must_use]
pub fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.push(line.to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// The cells of every table row, without headings and rules.
#[must_use]
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = prose(text).collect();
    let is_rule = |line: &str| line.starts_with('|') && line.contains("---");
    let mut found = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let is_heading = lines.get(place + 1).is_some_and(|next| is_rule(next));
        if line.starts_with('|') && !is_rule(line) && !is_heading {
            found.push(line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
        }
    }
    found
}

fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            return false;
        }
        !in_block
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# A `b` (c)\nSee [d](e.md#f) and `g h`.\n\n| x | y |\n|---|---|\n| 1 | `2` |\n\n```\n[no](link)\n# no heading\n```\n";

    #[test]
    fn prose_and_code_are_told_apart() {
        assert_eq!(links(TEXT), ["e.md#f"]);
        assert_eq!(anchors(TEXT), ["a-b-c"]);
        assert_eq!(code(TEXT), ["b", "g h", "2", "[no](link)", "# no heading"]);
        assert_eq!(rows(TEXT), [["1", "`2`"]]);
    }
}
