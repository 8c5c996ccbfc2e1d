//! Lists the captured images in `seeds/walk`, so that `scripts/seeds` adds one without an edit.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let dir = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("seeds/walk");
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .expect("seeds/walk")
        .map(|entry| entry.expect("seeds/walk").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "img"))
        .collect();
    // The order is part of the meaning of an input: its first byte selects an image.
    files.sort();
    let rows: String = files
        .iter()
        .map(|file| format!("({:?}, include_bytes!({file:?})),\n", file.file_stem().expect("a file name")))
        .collect();
    let out = Path::new(&env::var_os("OUT_DIR").expect("set by cargo")).join("seeds.rs");
    fs::write(out, format!("&[\n{rows}]\n")).expect("OUT_DIR is writable");
}
