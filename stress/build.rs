//! Links the binary and the tests of this package with the interpreter that `sigwalk-embed` found, and compiles the library that
//! `stress contract` preloads.

include!("embed/link_args.rs");

fn main() {
    println!("cargo::rerun-if-changed=embed/link_args.rs");
    emit_link_args();
    if let Err(error) = interpose() {
        println!("cargo::error=c/interpose.c: {error}; install gcc");
    }
}

/// A shared library in OUT_DIR, which the binary holds as bytes.
fn interpose() -> Result<(), String> {
    println!("cargo::rerun-if-changed=c/interpose.c");
    let out = std::env::var("OUT_DIR").map_err(|error| error.to_string())? + "/interpose.so";
    // cc knows the compiler, and makes no shared libraries.
    let compiler = cc::Build::new()
        .no_default_flags(true)
        .opt_level(2)
        .try_get_compiler()
        .map_err(|error| error.to_string())?;
    let done = compiler
        .to_command()
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", &out, "c/interpose.c"])
        .status()
        .map_err(|error| error.to_string())?;
    if done.success() { Ok(()) } else { Err(format!("the compiler ended with {done}")) }
}
