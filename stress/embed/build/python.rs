//! The interpreter that pyo3 builds for, and what it says of itself.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// What the interpreter was asked.
const QUESTIONS: &str = r#"
import platform, sys, sysconfig
def var(name): return str(sysconfig.get_config_var(name) or "").replace("\n", " ")
jit = "_Py_JIT" in var("CFLAGS") + var("PY_CORE_CFLAGS") or "--enable-experimental-jit" in var("CONFIG_ARGS")
if hasattr(sys, "_jit"): jit = sys._jit.is_available()
for name, value in {
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "version": platform.python_version(),
    "minor": sys.version_info[1] if sys.version_info[0] == 3 else -1,
    "hexversion": "%#010x" % sys.hexversion,
    "base_prefix": sys.base_prefix,
    "include": sysconfig.get_path("include"),
    "shared": var("Py_ENABLE_SHARED"),
    "libdir": var("LIBDIR"),
    "ldlibrary": var("LDLIBRARY"),
    "instsoname": var("INSTSONAME"),
    "debug": var("Py_DEBUG"),
    "free_threaded": var("Py_GIL_DISABLED"),
    "jit": int(jit),
    "config_args": var("CONFIG_ARGS"),
    "compiler": platform.python_compiler() + "; " + var("CC") + " " + var("CFLAGS"),
}.items(): print(name, value, sep="=")
"#;

/// What the interpreter answered.
pub struct Facts {
    /// `sys.executable`
    pub executable: String,
    /// `platform.python_version()`
    pub version: String,
    /// `sys.version_info.minor`
    pub minor: u32,
    /// `sys.hexversion`, hexadecimal.
    pub hexversion: String,
    /// `sys.base_prefix`
    pub base_prefix: String,
    /// Directory of `Python.h`.
    pub include: String,
    /// LIBDIR
    pub libdir: String,
    /// INSTSONAME: the file that is loaded.
    pub instsoname: String,
    /// LDLIBRARY: the name that the linker looks for.
    pub ldlibrary: String,
    /// Py_DEBUG
    pub debug: bool,
    /// JIT compiled in.
    pub jit: bool,
    /// CONFIG_ARGS
    pub config_args: String,
    /// Compiler and its flags.
    pub compiler: String,
    implementation: String,
    free_threaded: bool,
    shared: bool,
}

/// The interpreter that pyo3 chooses, by its own order: PYO3_PYTHON, a virtual or Conda environment, `python`, `python3`.
/// Another choice here would link one build and compile for another.
pub fn find() -> Result<PathBuf, String> {
    for name in ["PYO3_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX", "PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(python) = set("PYO3_PYTHON") {
        return Ok(python);
    }
    match (set("VIRTUAL_ENV"), set("CONDA_PREFIX")) {
        (Some(dir), None) | (None, Some(dir)) => return Ok(dir.join("bin/python")),
        _ => {}
    }
    let is_python3 = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.stdout.starts_with(b"Python 3"))
    };
    ["python", "python3"].iter().find(|name| is_python3(name)).map(PathBuf::from).ok_or_else(|| {
        "no python3 on PATH; install one that has a libpython (Debian: apt-get install python3 libpython3-dev), or run \
         scripts/pythons and set PYO3_PYTHON"
            .to_owned()
    })
}

/// Runs `python` and reads its answers.
pub fn ask(python: &PathBuf) -> Result<Facts, String> {
    let shown = python.display();
    let output = Command::new(python).args(["-I", "-c", QUESTIONS]).output().map_err(|error| {
        format!("cannot run the interpreter {shown}: {error}; set PYO3_PYTHON to a CPython 3.11 to 3.15")
    })?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().last().unwrap_or("no message").to_owned();
        return Err(format!(
            "the interpreter {shown} failed ({}): {last}; set PYO3_PYTHON to another",
            output.status
        ));
    }
    println!("cargo::rerun-if-changed={}", resolved(python).display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut answers: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let mut take = |name: &str| answers.remove(name).unwrap_or_default().to_owned();
    Ok(Facts {
        minor: take("minor").parse().map_err(|_| format!("the interpreter {shown} is not Python 3"))?,
        executable: take("executable"),
        version: take("version"),
        hexversion: take("hexversion"),
        base_prefix: take("base_prefix"),
        include: take("include"),
        libdir: take("libdir"),
        instsoname: take("instsoname"),
        ldlibrary: take("ldlibrary"),
        debug: take("debug") == "1",
        jit: take("jit") == "1",
        config_args: take("config_args"),
        compiler: take("compiler"),
        implementation: take("implementation"),
        free_threaded: take("free_threaded") == "1",
        shared: take("shared") == "1",
    })
}

/// A bare name is looked up on PATH, since `rerun-if-changed` of a file that does not exist means "always".
fn resolved(python: &PathBuf) -> PathBuf {
    if python.components().count() > 1 {
        return python.clone();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|dir| dir.join(python))
        .find(|file| file.exists())
        .unwrap_or_else(|| python.clone())
}

impl Facts {
    /// Refuses what cannot be embedded or walked.
    pub fn check(&self) -> Result<(), String> {
        let Facts { executable, version, implementation, .. } = self;
        let remedy = "run scripts/pythons and set PYO3_PYTHON to what it brings, or to another build";
        if implementation != "CPython" {
            Err(format!("{executable} is {implementation}, and only CPython's frames are known; {remedy}"))
        } else if !(11..=15).contains(&self.minor) {
            Err(format!(
                "{executable} is CPython {version}, and the layouts of 3.11 to 3.15 are known; {remedy}"
            ))
        } else if self.free_threaded {
            Err(format!(
                "{executable} is a free-threaded CPython {version}, which is not supported yet; {remedy}"
            ))
        } else if !self.shared {
            Err(format!(
                "{executable} (CPython {version}) has no libpython: it was built without --enable-shared; {remedy}"
            ))
        } else {
            Ok(())
        }
    }
}
