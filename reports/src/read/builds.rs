//! Whether runs that call their interpreter by the same tag really met the same build on the same machine.

use super::find::Found;
use crate::failure::Failure;
use crate::model::records::Build;
use sigwalk_record::{Environment, Interpreter};
use std::collections::BTreeMap;

/// Adds a run's build, or compares it with the one known under its tag.
pub fn add(builds: &mut BTreeMap<String, Build>, run: &Found) -> Result<(), Failure> {
    let manifest = &run.manifest;
    let tag = &manifest.interpreter.tag;
    let Some(known) = builds.get_mut(tag) else {
        let first = run.dir.display().to_string();
        let build = Build {
            interpreter: manifest.interpreter.clone(),
            environment: manifest.environment.clone(),
            first,
        };
        builds.insert(tag.clone(), build);
        return Ok(());
    };
    let differ = interpreter(&mut known.interpreter, &manifest.interpreter)
        .or_else(|| environment(&mut known.environment, &manifest.environment));
    match differ {
        None => Ok(()),
        Some((field, was, is)) => Err(Failure::incompatible(format!(
            "{}:1: interpreter {tag} has {field} {is:?}, but {was:?} in {}; give the builds different tags, or report them apart",
            run.dir.join("manifest.json").display(),
            known.first
        ))),
    }
}

type Difference = (&'static str, String, String);

/// A field that one writer left empty is filled from another; only two different answers are a contradiction.
fn text(field: &'static str, known: &mut String, new: &str) -> Option<Difference> {
    if known.is_empty() {
        new.clone_into(known);
    }
    (!new.is_empty() && known != new).then(|| (field, known.clone(), new.to_owned()))
}

fn exact<T: PartialEq + ToString>(field: &'static str, known: &T, new: &T) -> Option<Difference> {
    (known != new).then(|| (field, known.to_string(), new.to_string()))
}

fn interpreter(known: &mut Interpreter, new: &Interpreter) -> Option<Difference> {
    text("version", &mut known.version, &new.version)
        .or_else(|| text("hexversion", &mut known.hexversion, &new.hexversion))
        .or_else(|| text("config_args", &mut known.config_args, &new.config_args))
        .or_else(|| text("compiler", &mut known.compiler, &new.compiler))
        .or_else(|| exact("debug", &known.debug, &new.debug))
        .or_else(|| exact("free_threaded", &known.free_threaded, &new.free_threaded))
        .or_else(|| exact("jit", &known.jit, &new.jit))
        .or_else(|| text("libpython", &mut known.libpython, &new.libpython))
        .or_else(|| exact("runtime_size", &known.runtime_size, &new.runtime_size))
        .or_else(|| text("freed_patterns", &mut known.freed_patterns, &new.freed_patterns))
        .or_else(|| text("allocator", &mut known.allocator, &new.allocator))
}

/// Load, build profile and the free-form settings may differ between runs; machine and suite may not.
fn environment(known: &mut Environment, new: &Environment) -> Option<Difference> {
    text("cpu", &mut known.cpu, &new.cpu)
        .or_else(|| exact("cores", &known.cores, &new.cores))
        .or_else(|| text("kernel", &mut known.kernel, &new.kernel))
        .or_else(|| text("os", &mut known.os, &new.os))
        .or_else(|| text("libc", &mut known.libc, &new.libc))
        .or_else(|| text("rustc", &mut known.rustc, &new.rustc))
        .or_else(|| text("suite_version", &mut known.suite_version, &new.suite_version))
        .or_else(|| text("commit", &mut known.commit, &new.commit))
}
