//! Tokens of nobody, and subjects that could be two people or break what stores them.

use serde_json::{Value, json};

use super::hostile;

hostile! {
    a_token_of_nobody: Subject, |gate| gate.not_claiming("sub");
    an_empty_subject: Subject, |gate| gate.claiming("sub", json!(""));
    a_subject_that_ends_a_text_in_the_access_log: Subject, |gate| gate.claiming("sub", json!("a\",\"status\":\"200"));
    a_subject_that_escapes_the_end_of_a_text: Subject, |gate| gate.claiming("sub", json!("a\\"));
    a_null_subject: Subject, |gate| gate.claiming("sub", Value::Null);
    a_subject_that_is_a_number: Subject, |gate| gate.claiming("sub", json!(1));
    a_subject_that_is_a_list: Subject, |gate| gate.claiming("sub", json!(["ann"]));
    a_subject_that_is_an_object: Subject, |gate| gate.claiming("sub", json!({"id": "ann"}));
    a_subject_that_is_too_long: Subject, |gate| gate.claiming("sub", json!("a".repeat(129)));
    a_subject_with_a_line_end: Subject, |gate| gate.claiming("sub", json!("ann\n"));
    a_subject_with_a_nul: Subject, |gate| gate.claiming("sub", json!("ann\u{0}"));
    a_subject_with_a_letter_that_looks_alike: Subject, |gate| gate.claiming("sub", json!("\u{430}nn"));
    a_subject_that_is_written_backwards: Subject, |gate| gate.claiming("sub", json!("\u{202e}nna"));
    two_subjects: DuplicateMember, |gate| gate.claiming_also("\"sub\":\"bob\"");
    two_subjects_one_of_them_escaped: DuplicateMember, |gate| gate.claiming_also("\"s\\u0075b\":\"bob\"");
    groups_twice: DuplicateMember, |gate| gate.claiming_also(r#""cognito:groups":[],"cognito:groups":["ops"]"#);
}
