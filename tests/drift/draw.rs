//! The published vectors of the draw hold for the functions' code and for the script in docs/draw, which share none.

use std::{fs, process::Command};

use domain::{DrawSeed, Timestamp};
use serde::Deserialize;
use serde_json::json;

use system_tests::repository::root;

#[derive(Deserialize)]
struct Vector {
    seed: String,
    commitment: String,
    product_id: String,
    shopper: String,
    ramp_seconds: u32,
    starts_at: Timestamp,
    rank: String,
    admitted_at: Timestamp,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(&fs::read_to_string(root().join("docs/draw/vectors.json")).unwrap()).unwrap()
}

#[test]
fn the_functions_agree_with_the_published_vectors() {
    for vector in vectors() {
        let seed = DrawSeed::from_hex(&vector.seed).unwrap();
        assert_eq!(seed.commitment(), vector.commitment);
        let rank = seed.rank(&vector.product_id.parse().unwrap(), &vector.shopper.parse().unwrap());
        assert_eq!(rank.0.to_string(), vector.rank);
        assert_eq!(rank.admitted_at(vector.starts_at, vector.ramp_seconds), vector.admitted_at);
    }
}

#[test]
fn the_script_agrees_with_the_published_vectors_and_notices_what_is_wrong() {
    let folder = std::env::temp_dir().join(format!("flash-sale-draw-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("draw.json");
    let verify = |arguments: &[&str]| {
        let script = root().join("docs/draw/verify-draw.py");
        let output = Command::new("python3").arg(script).arg(&path).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    for Vector { seed, commitment, product_id, shopper, ramp_seconds, starts_at, admitted_at, .. } in vectors() {
        let draw = json!({"commitment": commitment, "ramp_seconds": ramp_seconds, "starts_at": starts_at, "seed": seed});
        fs::write(&path, draw.to_string()).unwrap();
        let (is_right, says) = verify(&[&product_id, &shopper, &admitted_at.to_string()]);
        assert!(is_right, "{says}");
        let before = admitted_at - domain::SignedDuration::from_millis(1);
        let (is_right, says) = verify(&[&product_id, &shopper, &before.to_string()]);
        assert!(!is_right && says.contains("WRONG: at"), "{says}");
    }
    for time in ["2026-11-27T14:00:10+02:00", "2026-11-27T12:00:10.5z", "2026-11-27"] {
        let (is_right, says) = verify(&["demo", "shopper-1", time]);
        assert!(!is_right && says.contains("is not a time in UTC"), "{says}");
    }
    fs::write(&path, json!({"commitment": "00", "ramp_seconds": 1, "starts_at": "2026-11-27T12:00:00Z"}).to_string()).unwrap();
    assert!(verify(&[]).1.contains("has not ended"));
    let forged = json!({"commitment": "00", "ramp_seconds": 1, "starts_at": "2026-11-27T12:00:00Z", "seed": "07".repeat(32)});
    fs::write(&path, forged.to_string()).unwrap();
    assert!(verify(&[]).1.contains("WRONG: the seed does not match"));
    fs::remove_dir_all(&folder).unwrap();
}
