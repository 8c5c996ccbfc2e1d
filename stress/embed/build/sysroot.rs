//! A tree of `scripts/pythons`: an interpreter with a C library of its own.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What `sigwalk-sysroot` says, its paths made absolute.
pub struct Sysroot {
    /// Its directory.
    pub root: PathBuf,
    /// Its dynamic linker.
    pub ld_so: PathBuf,
    /// Where its libraries are, libpython's directory first.
    pub lib_dirs: Vec<PathBuf>,
    /// What the linker searches.
    pub link_dir: PathBuf,
    /// PYTHONHOME.
    pub home: PathBuf,
    /// Directory of `Python.h`.
    pub include: PathBuf,
}

impl Sysroot {
    /// The tree that has `executable` as its `bin/python3`, if it is one. The executable is what the interpreter calls itself,
    /// so that a link to the wrapper leads to its tree as well.
    pub fn of(executable: &str) -> Result<Option<Self>, String> {
        let executable = fs::canonicalize(executable).unwrap_or_else(|_| executable.into());
        let Some(root) = executable.ancestors().nth(2) else { return Ok(None) };
        let file = root.join("sigwalk-sysroot");
        let Ok(text) = fs::read_to_string(&file) else { return Ok(None) };
        println!("cargo::rerun-if-changed={}", file.display());
        Self::read(root, &text).map(Some).ok_or_else(|| {
            format!(
                "{} is incomplete; delete {} and run scripts/pythons again",
                file.display(),
                root.display()
            )
        })
    }

    fn read(root: &Path, text: &str) -> Option<Self> {
        let values: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let path = |name| values.get(name).map(|relative| root.join(relative));
        Some(Self {
            root: root.to_owned(),
            ld_so: path("ld_so").filter(|file| file.exists())?,
            lib_dirs: values.get("lib_dirs")?.split(':').map(|dir| root.join(dir)).collect(),
            link_dir: path("link_dir")?,
            home: path("home")?,
            include: path("include")?,
        })
    }
}
