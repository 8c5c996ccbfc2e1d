//! `cargo test -p sigwalk-report --test sample_for_eyes -- --ignored` leaves sample records in $SAMPLE_DIR, to look at
//! the page they make.

mod common;

#[test]
#[ignore = "writes to SAMPLE_DIR"]
fn write_the_sample() {
    let dir = std::env::var("SAMPLE_DIR").expect("SAMPLE_DIR names the directory to write to");
    let dir = std::path::Path::new(&dir);
    let runs = common::sample(dir);
    for tag in ["3.13.15", "3.15.0-malloc-debug", "3.15.0d"] {
        common::heuristics::everything(&runs.join(format!("{tag}/mutations")), tag);
    }
    common::heuristics::tallies(&dir.join("stats"));
}
