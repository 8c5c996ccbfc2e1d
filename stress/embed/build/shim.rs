//! C that is compiled against the interpreter's installed internal headers, where it has them.

use crate::python::Facts;
use std::fs;
use std::path::Path;

/// The internal header that has frames, as text.
pub fn frame_header(facts: &Facts, include: &Path) -> Result<String, String> {
    let header = if facts.minor >= 14 { "pycore_interpframe.h" } else { "pycore_frame.h" };
    let path = include.join("internal").join(header);
    println!("cargo::rerun-if-changed={}", path.display());
    // No path: records and reports show the reason, and are to be the same on every machine.
    fs::read_to_string(&path).map_err(|_| {
        format!("no internal header {header} beside Python.h (Debian: libpython3.{}-dev)", facts.minor)
    })
}

/// Compiles `c/NAME.c` and sets `cfg(NAME)`, or says why it is not available: `SIGWALK_EMBED_NAME`, empty where it is.
/// `missing` is what speaks against it before the compiler is asked.
pub fn emit(facts: &Facts, include: &Path, name: &str, missing: Result<(), String>) {
    println!("cargo::rustc-check-cfg=cfg({name})");
    println!("cargo::rerun-if-changed=c");
    let why_not = match missing.and_then(|()| compile(facts, include, name)) {
        Ok(()) => {
            println!("cargo::rustc-cfg={name}");
            String::new()
        }
        Err(why) => why,
    };
    println!("cargo::rustc-env=SIGWALK_EMBED_{}={why_not}", name.to_uppercase());
}

fn compile(facts: &Facts, include: &Path, name: &str) -> Result<(), String> {
    let mut build = cc::Build::new();
    build
        .file(format!("c/{name}.c"))
        .includes([include, &include.join("internal"), &include.join("internal/mimalloc")])
        // Debian keeps pyconfig.h of the architecture one directory up.
        .includes(include.parent())
        .std("c11")
        // The headers' own warnings are none of ours.
        .warnings(false)
        .cargo_warnings(false)
        // Optimisation is the interpreter's, not the profile's: what is measured is its code.
        .no_default_flags(true)
        .flags(["-fPIC", "-g", "-w"]);
    let flags: Vec<&str> =
        facts.compiler.split_whitespace().filter(|flag| is_about_code_generation(flag)).collect();
    build.flags(&flags);
    build.try_compile(&format!("sigwalk_{name}")).map_err(|error| {
        // Cargo shows it in yellow: somebody who works on the shim must see it.
        println!("cargo::warning={name}: {}", error.to_string().replace('\n', " "));
        format!("the C compiler refuses the internal headers of CPython {}", facts.version)
    })
}

/// Flags of the interpreter's CFLAGS that its helpers are compiled with here, too. The last -O counts, as there. Without
/// -DNDEBUG (debug builds) asserts are live, as in that interpreter.
fn is_about_code_generation(flag: &str) -> bool {
    flag.starts_with("-O")
        || [
            "-DNDEBUG",
            "-fwrapv",
            "-fno-strict-overflow",
            "-fno-strict-aliasing",
            "-fno-omit-frame-pointer",
            "-mno-omit-leaf-frame-pointer",
        ]
        .contains(&flag)
}
