//! The driver notices a parser that is broken, and is the same each time.

use std::collections::BTreeSet;

use super::*;

/// Takes a number of at most 255, and panics at a greater one.
fn panics(input: &[u8]) -> bool {
    let Some(number) = std::str::from_utf8(input).ok().and_then(|text| text.parse::<u64>().ok()) else { return false };
    u8::try_from(number).unwrap();
    true
}

/// Reads an id without the spaces around it, so that one id has two spellings.
fn trims(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Ok(id) = text.trim().parse::<domain::ProductId>() else { return false };
    assert_eq!(id.to_string(), text, "another spelling is taken");
    true
}

/// Believes claims whatever the rest of the token is.
fn believes_unsigned(input: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(input).ok().filter(|text| text.matches('.').count() == 2) else { return false };
    tokens::is_true(text);
    true
}

/// Reads a quantity as a byte: 257 units are one.
fn wraps(input: &[u8]) -> bool {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(input) else { return false };
    let Some(said) = json["quantity"].as_u64() else { return false };
    let units = said & 0xff;
    assert_eq!(units, said, "{said} units are read as {units}");
    true
}

#[test]
fn a_broken_parser_is_noticed() {
    let target = |run, seeds| Target { name: "broken", run, seeds, inputs: 600 };
    for (target, expected) in [
        (target(panics, || vec![b"12".to_vec()]), "TryFromIntError"),
        (target(trims, || vec![b"demo".to_vec()]), "another spelling is taken"),
        (target(believes_unsigned, tokens::token_seeds), "a forged token is believed"),
        (target(wraps, || vec![br#"{"quantity": 3}"#.to_vec()]), "units are read as"),
    ] {
        let finding = drive(&target, target.inputs, 1).expect_err("the driver notices it");
        assert!(finding.said.contains(expected), "{}", finding.said);
        // The input alone shows the same, so it can become a test.
        assert!(std::panic::catch_unwind(|| (target.run)(&finding.input)).is_err());
        assert_eq!(drive(&target, target.inputs, 1), Err(finding), "a run is the same each time");
    }
}

#[test]
fn each_target_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len());
}

#[test]
fn inputs_differ_from_their_seed_and_half_of_the_json_stays_json() {
    let seeds = bodies::checkout_seeds();
    let mut chance = fastrand::Rng::with_seed(1);
    let made: BTreeSet<Vec<u8>> = (0..1_000).map(|_| mutated(&seeds[0], &seeds, &mut chance)).collect();
    let json = made.iter().filter(|input| serde_json::from_slice::<serde_json::Value>(input).is_ok()).count();
    assert!(made.len() > 900 && json > 300, "{} inputs, {json} of them JSON", made.len());
    assert!(made.iter().any(|input| input.len() > 16 * 1024), "none is larger than a body may be");
}
