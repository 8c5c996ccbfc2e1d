//! Links the binary and the tests of this package with the interpreter that `sigwalk-embed` found.

include!("embed/link_args.rs");

fn main() {
    println!("cargo::rerun-if-changed=embed/link_args.rs");
    emit_link_args();
}
