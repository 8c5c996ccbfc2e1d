//! Links the benches with the interpreter that `sigwalk-embed` found.

include!("../stress/embed/link_args.rs");

fn main() {
    println!("cargo::rerun-if-changed=../stress/embed/link_args.rs");
    emit_link_args();
}
