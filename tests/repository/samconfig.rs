//! `samconfig.toml` by section, with the part of TOML that it uses: `[section]` and `key = value` on lines of their own.

use std::collections::BTreeMap;

use serde_json::Value;

/// The settings of each section: `staging.build.parameters` has `cached`, `parallel` and so on.
pub type Sections = BTreeMap<String, BTreeMap<String, Value>>;

/// Reads the file. A line in any other form of TOML ends the test, so that the test overlooks no setting.
#[must_use]
pub fn read(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            sections.entry(section.clone()).or_default();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("neither a section nor a setting: {line}"));
        let (key, value) = (key.trim(), value.trim());
        assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "not a plain key: {line}");
        // TOML writes strings, numbers and booleans as JSON does.
        let value = serde_json::from_str(value).unwrap_or_else(|fault| panic!("not a plain value: {line}: {fault}"));
        assert!(sections.entry(section.clone()).or_default().insert(key.to_owned(), value).is_none(), "twice: {line}");
    }
    sections
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_found_below_their_section() {
        let sections = read("# SAM\nversion = 0.1\n\n[a.build.parameters]\ncached = true\nname = \"x = y\"\n[b]\n");
        assert_eq!(sections[""], BTreeMap::from([("version".to_owned(), json!(0.1))]));
        assert_eq!(sections["a.build.parameters"]["cached"], json!(true));
        assert_eq!(sections["a.build.parameters"]["name"], json!("x = y"));
        assert!(sections["b"].is_empty());
    }

    #[test]
    #[should_panic(expected = "not a plain key")]
    fn a_setting_in_another_form_is_not_overlooked() {
        let _ = read("[a]\nbuild.parameters.cached = true\n");
    }
}
