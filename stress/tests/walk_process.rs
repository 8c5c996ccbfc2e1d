//! `stress walk` on other processes: what is printed equals what the process told of itself, and what is said when there is
//! nothing to print.
#![allow(unsafe_code)]

use serde_json::Value;
use sigwalk_elf::symtab::Symtab;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A process that ends with the test.
struct Target(Child);

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Target {
    fn start(command: &mut Command) -> Target {
        Target(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// What it prints, line by line.
    fn lines(&mut self) -> impl Iterator<Item = String> {
        BufReader::new(self.0.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"))
    }

    /// Its stacks once it is where `there` wants it. A walker that is wrong never sees it there.
    fn walked(&self, there: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let output = walk(&[&self.pid().to_string(), "--json"]);
            // Python may be starting: not mapped as a whole yet, or without a thread.
            let said = match output.status.success() {
                true => {
                    assert!(output.stderr.is_empty());
                    let value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
                    if there(&value) {
                        return value;
                    }
                    format!("{value:#}")
                }
                false => String::from_utf8_lossy(&output.stderr).into_owned(),
            };
            assert!(begun.elapsed() < Duration::from_secs(60), "not there within a minute: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn walk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stress")).arg("walk").args(arguments).output().unwrap()
}

/// The exit code, nothing on stdout, and one line on stderr with all of `expected` in it.
#[track_caller]
fn refused(output: &Output, code: i32, expected: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(said.trim_end().lines().count(), 1, "{said:?}");
    for expected in expected {
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    }
}

fn python() -> Command {
    Command::new(sigwalk_embed::EXECUTABLE)
}

/// Threads that have frames, with these as `[file, function, line]`.
fn stacks(walked: &Value) -> Vec<(&Value, Vec<Value>)> {
    let threads = walked["threads"].as_array().unwrap();
    let row = |frame: &Value| {
        Value::from(vec![frame["file"].clone(), frame["function"].clone(), frame["line"].clone()])
    };
    threads
        .iter()
        .map(|thread| (thread, thread["frames"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

/// Stacks of `walk_process.py`.
const TOLD: usize = 15;

fn equals_what_the_process_told(interpreter: &OsStr) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walk_process.py");
    let mut target = Target::start(Command::new(interpreter).arg(program).stdout(Stdio::piped()));
    let mut told = BTreeMap::new();
    for line in target.lines().take(TOLD) {
        let stack: Value = serde_json::from_str(&line).unwrap();
        let key = (stack["native_id"].as_u64().unwrap(), stack["name"] == "subinterpreter");
        assert!(told.insert(key, stack).is_none());
    }
    assert_eq!(told.len(), TOLD, "the target died");
    // Each goes on from telling to holding.
    let is_telling = |row: &Value| row[1] == "told" || row[1] == "tell";
    let walked = target.walked(|walked| stacks(walked).iter().all(|(_, rows)| !rows.iter().any(is_telling)));
    let stacks = stacks(&walked);
    assert_eq!(stacks.len(), TOLD, "{walked:#}");
    for (thread, rows) in stacks {
        let key = (thread["native_id"].as_u64().unwrap(), thread["interpreter"] != 0);
        let told = told.remove(&key).unwrap_or_else(|| panic!("nobody told of {thread:#}"));
        let name = told["name"].as_str().unwrap();
        assert_eq!(thread["end"], "complete", "{name}");
        assert_eq!(thread["alive"], true, "{name}");
        let told = told["rows"].as_array().unwrap();
        let at = rows.iter().zip(told).position(|(a, b)| a != b);
        assert!(
            rows.len() == told.len() && at.is_none(),
            "{name}: {} frames of {}, first difference at {at:?}: {:?} instead of {:?}",
            rows.len(),
            told.len(),
            at.map(|at| &rows[at]),
            at.map(|at| &told[at]),
        );
    }
    assert_eq!(walked["pid"], target.pid());
    println!("{TOLD} stacks equal: {} {}", walked["python"], walked["interpreter_file"]);
}

#[test]
fn every_thread_of_a_live_process_equals_what_it_told() {
    equals_what_the_process_told(OsStr::new(sigwalk_embed::EXECUTABLE));
}

/// By hand, when `scripts/pythons` has brought some: the binary of one interpreter walks them all.
#[test]
#[ignore = "needs the interpreters of scripts/pythons"]
fn interpreters_of_other_versions_and_builds_equal_what_they_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".pythons");
    let found =
        std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python3"));
    // A static executable of the host, in Debian's packages.
    let host = (11..=15).map(|minor| PathBuf::from(format!("/usr/bin/python3.{minor}")));
    let all: Vec<PathBuf> = found.chain(host).filter(|path| path.exists()).collect();
    assert!(!all.is_empty());
    for interpreter in all {
        equals_what_the_process_told(interpreter.as_os_str());
    }
}

#[test]
fn a_web_server_is_where_its_sources_say() {
    let target =
        Target::start(python().args(["-m", "http.server", "0", "--bind", "127.0.0.1"]).stdout(Stdio::null()));
    let walked = target.walked(|walked| {
        let stacks = stacks(walked);
        stacks.first().is_some_and(|(_, rows)| rows[0][0].as_str().unwrap().ends_with("/selectors.py"))
    });
    let stacks = stacks(&walked);
    assert_eq!(stacks.len(), 1);
    let frames: Vec<(&str, String)> =
        stacks[0].1.iter().map(|row| (row[1].as_str().unwrap(), source(row))).collect();
    let functions: Vec<&str> = frames.iter().map(|(function, _)| *function).collect();
    let expected = ["BaseServer.serve_forever", "test", "<module>", "_run_code", "_run_module_as_main"];
    let mut rest = functions.iter();
    assert!(expected.iter().all(|wanted| rest.any(|found| found == wanted)), "{functions:?}");
    for (function, line) in [
        ("BaseServer.serve_forever", "ready = selector.select(poll_interval)"),
        ("test", "httpd.serve_forever()"),
    ] {
        assert!(frames.contains(&(function, line.into())), "{function} is not at {line:?}: {frames:?}");
    }
    let name = stacks[0].0["name"].as_str().unwrap();
    assert_eq!(name, std::fs::read_to_string(format!("/proc/{}/comm", target.pid())).unwrap().trim_end());

    // The same as text, for people.
    let output = walk(&[&target.pid().to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{text}");
    assert!(blocks[0].contains("CPython 3."), "{text}");
    assert!(
        blocks[1]
            .starts_with(&format!("Thread {} \"{name}\" (most recent call first):\n  File \"", target.pid())),
        "{text}"
    );
    assert_eq!(blocks[1].trim_end().lines().count(), 1 + functions.len(), "{text}");
}

/// The line of source, without its indentation; nothing of a frozen module.
fn source(row: &Value) -> String {
    let line = row[2].as_u64().unwrap() as usize;
    let text = std::fs::read_to_string(row[0].as_str().unwrap()).unwrap_or_default();
    text.lines().nth(line - 1).unwrap_or_default().trim().to_owned()
}

/// LIBDIR/INSTSONAME of the interpreter, where that is a libpython of this machine's C library.
fn libpython() -> Option<PathBuf> {
    let ask =
        "import sysconfig as s; print(s.get_config_var('LIBDIR') + '/' + s.get_config_var('INSTSONAME'))";
    let output = python().args(["-c", ask]).output().unwrap();
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let here = path.exists() && path.to_str()?.contains(".so");
    if !here {
        println!("skipped: the interpreter has no libpython that runs with this machine's C library");
    }
    here.then_some(path)
}

/// What all the processes below do.
const SLEEP: &str = "def here():\n  import time; time.sleep(100000)\nhere()";

fn is_asleep(walked: &Value) -> bool {
    stacks(walked).first().is_some_and(|(_, rows)| rows[0][1] == "here" && rows[0][2] == 2)
}

/// `&PyCode_Type` in a program that is not position-independent makes the dynamic linker copy the type into the program,
/// and every code object names the copy.
#[test]
fn a_program_that_embeds_python_and_has_copies_of_its_objects() {
    let Some(library) = libpython() else { return };
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("embeds.c");
    let program = place.path().join("embeds");
    std::fs::write(
        &source,
        format!(
            "extern char PyCode_Type[416], PyUnicode_Type[416], _PyRuntime[64];\n\
             void Py_Initialize(void); int PyRun_SimpleString(const char *);\n\
             char *volatile used[3];\n\
             int main(void) {{ used[0] = PyCode_Type; used[1] = PyUnicode_Type; used[2] = _PyRuntime; Py_Initialize(); return PyRun_SimpleString({SLEEP:?}); }}\n"
        ),
    )
    .unwrap();
    let linked = Command::new("gcc")
        .args(["-no-pie", "-fno-pic", "-w"])
        .args([&source, &library])
        .arg(format!("-Wl,-rpath,{}", library.parent().unwrap().display()))
        .arg("-o")
        .arg(&program)
        .status()
        .unwrap();
    assert!(linked.success());
    let copied = |name| Symtab::of(&program).by_name(name).is_some();
    assert!(copied("PyCode_Type") && copied("_PyRuntime"), "the linker made no copies: nothing is tested");
    let target = Target::start(Command::new(&program).env("PYTHONHOME", sigwalk_embed::HOME));
    let walked = target.walked(is_asleep);
    assert_eq!(walked["threads"][0]["end"], "complete");
    assert_eq!(walked["interpreter_file"], std::fs::canonicalize(&library).unwrap().to_str().unwrap());
    assert_eq!(walked["executable"], program.to_str().unwrap());
}

/// An upgrade replaces the library under the running process. Without the right to open /proc/PID/map_files that is said.
#[test]
fn a_library_that_was_removed_under_its_process() {
    let Some(library) = libpython() else { return };
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join(library.file_name().unwrap());
    std::fs::copy(&library, &copy).unwrap();
    let target = Target::start(python().args(["-c", SLEEP]).env("LD_PRELOAD", &copy));
    assert_eq!(target.walked(is_asleep)["interpreter_file"], copy.to_str().unwrap());
    std::fs::remove_file(&copy).unwrap();
    let output = walk(&[&target.pid().to_string(), "--json"]);
    let region =
        std::fs::read_dir(format!("/proc/{}/map_files", target.pid())).unwrap().next().unwrap().unwrap();
    if std::fs::File::open(region.path()).is_ok() {
        let walked: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(is_asleep(&walked), "{walked:#}");
    } else {
        refused(&output, 6, &["(deleted)", "replaced or removed under the running process"]);
    }
}

#[test]
fn what_is_no_process_or_no_python_is_a_usage_error_that_names_it() {
    refused(&walk(&["999999999"]), 2, &["there is no process 999999999", "pgrep"]);
    let target = Target::start(Command::new("sleep").arg("100000"));
    refused(&walk(&[&target.pid().to_string()]), 2, &["is not a Python process", "/sleep"]);

    let mut exited = Command::new("true").spawn().unwrap();
    let pid = exited.id().to_string();
    let begun = Instant::now();
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    while !stat().contains(") Z ") {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    refused(&walk(&[&pid]), 2, &["(true)", "it has exited, and its parent has not waited for it"]);
    exited.wait().unwrap();
    refused(&walk(&[&pid]), 2, &["there is no process"]);
}

/// Python is in the process, but was never started.
#[test]
fn a_process_without_a_python_thread_says_so() {
    let Some(library) = libpython() else { return };
    let target = Target::start(Command::new("sleep").arg("100000").env("LD_PRELOAD", &library));
    let begun = Instant::now();
    let output = loop {
        let output = walk(&[&target.pid().to_string()]);
        if output.status.code() == Some(4) || begun.elapsed() > Duration::from_secs(60) {
            break output;
        }
    };
    refused(&output, 4, &["Python runs no thread in process", "not started yet, or finalised"]);
}

/// What a CPython looks like whose symbols nobody exported, to this program: the section is there, the names are not.
/// A Python that is too old has `_PyRuntime`, and no `Py_Version`.
#[test]
fn files_that_lack_symbols_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    let cookie = u64::from_le_bytes(*b"xdebugpy");
    let section = "__attribute__((section(\".PyRuntime\"))) long";
    for (name, source, options, expected) in [
        (
            "stripped",
            format!("{section} _PyRuntime[8];"),
            "-s",
            "symbol table was stripped: _PyRuntime is not in it",
        ),
        ("old", format!("{section} _PyRuntime[8];"), "-rdynamic", "runs CPython 3.7 to 3.10"),
        ("older", "void Py_Initialize(void) {}".into(), "-rdynamic", "runs a Python older than CPython 3.7"),
        (
            "half",
            format!("{section} _PyRuntime[8]; unsigned long Py_Version = 0x30d05f0;"),
            "-rdynamic",
            "PyCode_Type is not in it",
        ),
        (
            "free-threaded",
            format!(
                "{section} _PyRuntime[8] = {{{cookie}, 0x30d05f0, 1}}; unsigned long Py_Version = 0x30d05f0; \
                 long PyCode_Type[52], PyUnicode_Type[52], PyBytes_Type[52];"
            ),
            "-rdynamic",
            "CPython 3.13.5 is a free-threaded build",
        ),
        (
            "new",
            format!(
                "{section} _PyRuntime[8]; unsigned long Py_Version = 0x31000f0; \
                 long PyCode_Type[52], PyUnicode_Type[52], PyBytes_Type[52];"
            ),
            "-rdynamic",
            "CPython 3.16.0 (hexversion 0x031000f0) is not supported",
        ),
    ] {
        let (file, program) = (place.path().join("source.c"), place.path().join(name));
        std::fs::write(&file, format!("{source}\nint pause(void); int main(void) {{ return pause(); }}\n"))
            .unwrap();
        let built = Command::new("gcc").args(["-w", options, "-o"]).args([&program, &file]).status().unwrap();
        assert!(built.success());
        let target = Target::start(&mut Command::new(&program));
        refused(&walk(&[&target.pid().to_string()]), 6, &[expected, name]);
    }
}

/// Root may read everything, so the right is taken from `stress` where the test has it, and the process is another user's.
#[test]
fn a_process_of_another_user_needs_rights() {
    const CAP_SYS_PTRACE: libc::c_ulong = 19;
    // SAFETY: plain calls.
    let is_root = unsafe { libc::geteuid() } == 0;
    if !is_root {
        // Process 1 is root's, and nobody else may read it.
        refused(&walk(&["1"]), 6, &["process 1 may not be read by user", "user 0's", "or as root"]);
        return;
    }
    let target = Target::start(Command::new("sleep").arg("100000").uid(65534).gid(65534));
    let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
    command.args(["walk", &target.pid().to_string()]);
    // SAFETY: one system call between fork and exec; exec then leaves root without that capability.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    refused(&command.output().unwrap(), 6, &["may not be read by user 0, it is user 65534's", "or as root"]);
}
