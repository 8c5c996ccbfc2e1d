//! `cargo test -p sigwalk-report --test sample_for_eyes -- --ignored` leaves sample records in $SAMPLE_DIR, to look at
//! the page they make.

mod common;

#[test]
#[ignore = "writes to SAMPLE_DIR"]
fn write_the_sample() {
    let dir = std::env::var("SAMPLE_DIR").expect("SAMPLE_DIR names the directory to write to");
    common::sample(std::path::Path::new(&dir));
}
