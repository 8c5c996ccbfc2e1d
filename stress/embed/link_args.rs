// Included by the build scripts of the packages that have binaries, tests or benches with an interpreter in them: cargo
// does not pass the link arguments of a library's build script on to what links with that library.

/// Emits the arguments with which a binary finds its libpython and, for a tree of `scripts/pythons`, its C library.
fn emit_link_args() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("DEP_SIGWALK_EMBED_LINK_ARGS") {
        Ok(args) => args.split('\t').for_each(|arg| println!("cargo::rustc-link-arg={arg}")),
        Err(_) => println!("cargo::warning=not linked with libpython: sigwalk-embed is not among the dependencies of this package"),
    }
}
