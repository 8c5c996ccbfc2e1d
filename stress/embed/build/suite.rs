//! What a record says of the suite itself: compiler, profile, commit.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Emits `SIGWALK_EMBED_RUSTC`, `_PROFILE` and `_COMMIT` for `environment()`.
pub fn emit() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = output(Command::new(rustc).arg("--version")).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=SIGWALK_EMBED_RUSTC={rustc}");
    println!("cargo::rustc-env=SIGWALK_EMBED_PROFILE={}", profile());
    println!("cargo::rustc-env=SIGWALK_EMBED_COMMIT={}", commit());
}

/// Name of the profile and its optimisation level. PROFILE only ever says `debug` or `release`; the name of a custom profile
/// is in the path of the output directory.
fn profile() -> String {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let name = out
        .ancestors()
        .find(|dir| dir.file_name().is_some_and(|name| name == "build"))
        .and_then(Path::parent)
        .and_then(Path::file_name)
        .map_or_else(|| env::var("PROFILE").unwrap_or_default(), |name| name.to_string_lossy().into_owned());
    format!("{name} (opt-level {})", env::var("OPT_LEVEL").unwrap_or_default())
}

/// The commit, `+dirty` when tracked files were changed, `unknown` outside a repository or before its first commit. Both as of the
/// last run of this script: an edit alone does not run it again, a commit, a checkout and `git add` do.
fn commit() -> String {
    let Some(head) = git(&["rev-parse", "HEAD"]) else { return "unknown".to_owned() };
    // HEAD itself only changes on a checkout; a commit moves the branch that it names.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in ["HEAD", "index", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(file) = git(&["rev-parse", "--path-format=absolute", "--git-path", name])
            .filter(|file| Path::new(file).exists())
        {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    if dirty { format!("{head}+dirty") } else { head }
}

// Optional locks: `git status` would write the index, whose change runs this script again.
fn git(args: &[&str]) -> Option<String> {
    output(
        Command::new("git")
            .arg("--no-optional-locks")
            .args(args)
            .current_dir(env::var_os("CARGO_MANIFEST_DIR")?),
    )
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
