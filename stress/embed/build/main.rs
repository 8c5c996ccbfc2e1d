//! Finds the libpython of the interpreter that pyo3 builds for, and tells the linker, this crate and its dependents.
//!
//! Dependents get `DEP_SIGWALK_EMBED_*` in their build scripts. `LINK_ARGS` is what their binaries need to start (see
//! `link_args.rs`); the other names are facts: `EXECUTABLE`, `HOME`, `VERSION`, `HEXVERSION`, `DEBUG`, `LIBPYTHON_DIR`,
//! `INCLUDE` and, for a tree of `scripts/pythons`, `SYSROOT`.

mod cpython_c;
mod python;
mod shim;
mod suite;
mod sysroot;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rustc-check-cfg=cfg(init_config)");
    if let Err(message) = run() {
        // One line that cargo shows in red, and nothing else to read.
        println!("cargo::error={message}");
    }
}

/// Everything, or the one line that says what is missing.
fn run() -> Result<(), String> {
    let facts = python::ask(&python::find()?)?;
    facts.check()?;
    let sysroot = sysroot::Sysroot::of(&facts.executable)?;
    let place = place(&facts, sysroot.as_ref())?;

    println!("cargo::rustc-link-search=native={}", place.link_dir.display());
    for arg in &place.link_args {
        println!("cargo::rustc-link-arg={arg}");
    }
    if facts.minor >= 14 {
        println!("cargo::rustc-cfg=init_config");
    }

    let home = place.home.display().to_string();
    let lib_dir = place.lib_dir.display().to_string();
    let root = place.root.display().to_string();
    for (name, value) in [
        ("EXECUTABLE", facts.executable.as_str()),
        ("HOME", &home),
        ("VERSION", &facts.version),
        ("HEXVERSION", &facts.hexversion),
        ("DEBUG", if facts.debug { "1" } else { "0" }),
        ("JIT", if facts.jit { "1" } else { "0" }),
        ("CONFIG_ARGS", &facts.config_args),
        ("COMPILER", &facts.compiler),
        ("LIBPYTHON_DIR", &lib_dir),
        ("ROOT", &root),
        ("INCLUDE", &place.include.display().to_string()),
    ] {
        println!("cargo::metadata={name}={value}");
        println!("cargo::rustc-env=SIGWALK_EMBED_{name}={value}");
    }
    // A tab cannot occur in an argument: cargo passes these to the compiler driver one by one.
    println!("cargo::metadata=LINK_ARGS={}", place.link_args.join("\t"));
    if sysroot.is_some() {
        println!("cargo::metadata=SYSROOT={root}");
    }
    cpython_c::emit(&facts, &place.include);
    let has_frames = shim::frame_header(&facts, &place.include).map(drop);
    shim::emit(&facts, &place.include, "own_frames", has_frames.clone());
    shim::emit(&facts, &place.include, "places", has_frames);
    suite::emit();
    Ok(())
}

/// Where things are, and what a binary must be linked with.
struct Place {
    /// What the linker searches for `-lpython3.X`.
    link_dir: PathBuf,
    /// What the dynamic linker searches for libpython.
    lib_dir: PathBuf,
    /// PYTHONHOME.
    home: PathBuf,
    /// What a path in a record is relative to.
    root: PathBuf,
    /// Directory of `Python.h`.
    include: PathBuf,
    /// Arguments of the linker.
    link_args: Vec<String>,
}

/// Where the parts of an interpreter are: of the host, or of a tree with a C library of its own.
fn place(facts: &python::Facts, sysroot: Option<&sysroot::Sysroot>) -> Result<Place, String> {
    let Some(tree) = sysroot else {
        return host_place(facts);
    };
    let mut link_args = vec![
        // DT_RPATH, not DT_RUNPATH: the latter is not used for the libraries that libpython and its extension modules
        // need, and those would come from the host, built against another C library.
        "-Wl,--disable-new-dtags".to_owned(),
        format!("-Wl,--dynamic-linker={}", tree.ld_so.display()),
        // libpython refers to symbols of its own, newer C library; the link is against the host's.
        "-Wl,--allow-shlib-undefined".to_owned(),
    ];
    link_args.extend(tree.lib_dirs.iter().map(|dir| format!("-Wl,-rpath,{}", dir.display())));
    Ok(Place {
        link_dir: tree.link_dir.clone(),
        lib_dir: tree.lib_dirs.first().cloned().unwrap_or_else(|| Path::new("/").to_owned()),
        home: tree.home.clone(),
        root: tree.root.clone(),
        include: tree.include.clone(),
        link_args,
    })
}

/// An interpreter of the host, which runs with the host's C library.
fn host_place(facts: &python::Facts) -> Result<Place, String> {
    let lib_dir = PathBuf::from(&facts.libdir);
    let lib = lib_dir.join(&facts.instsoname);
    if !lib.exists() {
        return Err(format!(
            "{} is built with --enable-shared, but {} does not exist; install it (Debian: apt-get install libpython3.{}) \
             or name another interpreter in PYO3_PYTHON",
            facts.executable,
            lib.display(),
            facts.minor
        ));
    }
    let mut link_dir = lib_dir.clone();
    if !lib_dir.join(&facts.ldlibrary).exists() {
        // Distributions put the name that the linker looks for into a package of its own, with the headers. Only the name is
        // missing, so it is made here.
        link_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("link");
        let link = link_dir.join(&facts.ldlibrary);
        let _ = fs::remove_file(&link);
        fs::create_dir_all(&link_dir).and_then(|()| symlink(&lib, &link)).map_err(|error| {
            format!("cannot make {}: {error}; install {}", link.display(), facts.ldlibrary)
        })?;
    }
    Ok(Place {
        link_dir,
        link_args: vec![format!("-Wl,-rpath,{}", lib_dir.display())],
        lib_dir,
        home: PathBuf::from(&facts.base_prefix),
        root: PathBuf::from(&facts.base_prefix),
        include: PathBuf::from(&facts.include),
    })
}
