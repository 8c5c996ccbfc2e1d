//! `stress soak` over small programs: what it counts, whom it blames, what it calls changed. On the interpreter it was built for.
#![allow(unsafe_code)]

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Half a second of work, so that there is something to interrupt.
const WORK: &str = "
import time
end = time.process_time() + 0.3
while time.process_time() < end: sum(range(100))
";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stress"));
        command.current_dir(self.0.path()).arg("soak").args(arguments);
        command
    }
    fn soak(&self, options: &[&str], program: &[&str]) -> Output {
        self.command(&[options, &["--out", "run", "--"], program].concat()).output().unwrap()
    }
    /// The one run of the only walker, and its record.
    #[track_caller]
    fn only_run(&self) -> (Value, Value) {
        let summary: Value = serde_json::from_slice(&fs::read(self.path("run/soak.json")).unwrap()).unwrap();
        let trials = fs::read_to_string(self.path("run/trials.jsonl")).unwrap();
        assert_eq!(trials.lines().count(), 1, "{trials}");
        (summary["with"][0].clone(), serde_json::from_str(&trials).unwrap())
    }
}

#[track_caller]
fn ended(output: &Output, code: i32) {
    let said = [&output.stdout[..], &output.stderr].concat();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn a_program_and_its_fork_are_walked_and_end_as_they_do_without() {
    let place = Place::new();
    let program = format!(
        "import os, subprocess, sys
child = os.fork()
{WORK}
if not child: os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(subprocess.check_output([sys.executable, '-c', 'import sys; print(sys.version)'], text=True))
print(sorted(os.listdir('/proc/self/fd')))
sys.exit(5)"
    );
    ended(&place.soak(&[], &["-c", &program]), 0);
    let (run, trial) = place.only_run();
    assert_eq!(run["end"], "exit status 5");
    assert_eq!(
        run["stdout_same"], true,
        "the executed child is the same interpreter, and the storm opens no file"
    );
    assert_eq!(run["processes_stormed"], 2, "{run}");
    assert!(run["tallies"]["complete"].as_u64().unwrap() > 50, "{run}");
    assert!(run["signals"].as_u64() >= run["walks"].as_u64());
    let samples = |what: &str| run["samples"][what].as_u64().unwrap();
    assert_eq!(samples("produced"), run["walks"].as_u64().unwrap(), "one a walk: {run}");
    assert_eq!(
        samples("produced"),
        samples("carried") + samples("overwritten") + samples("lost") + samples("left"),
        "{run}"
    );
    assert!(samples("carried") > 50 && samples("stacks") > 1, "{run}");
    assert!(trial["cell"].as_str().unwrap().contains("/soak/"), "{trial}");
    assert_eq!(trial["phase"], "done");
}

#[test]
fn a_program_that_crashes_by_itself_is_nobodys_finding() {
    let place = Place::new();
    ended(&place.soak(&[], &["-c", &format!("{WORK}\nimport os; os.abort()")]), 0);
    let (run, trial) = place.only_run();
    assert_eq!(run["end"], "signal 6");
    assert!(trial["note"].as_str().unwrap().contains("as without the storm"), "{trial}");
    assert!(
        !["crash", "hang", "contract_violation"].contains(&trial["outcome"].as_str().unwrap()),
        "{trial}"
    );
}

/// A frame whose `previous` is nowhere, while C code sleeps: raw loads die of it, guarded ones do not.
const BROKEN_CHAIN: &str = "
import ctypes, sys
usleep = ctypes.CDLL(None).usleep
def sleep_with_broken_chain():
    frame = ctypes.c_void_p.from_address(id(sys._getframe()) + 24).value
    previous = ctypes.c_size_t.from_address(frame + (48 if sys.version_info < (3, 12) else 8))
    right, bad = previous.value, 0x6eef_dead_0000
    previous.value = bad
    usleep(300000)
    previous.value = right
sleep_with_broken_chain()
";

#[test]
fn a_walker_that_crashes_is_blamed() {
    let place = Place::new();
    ended(&place.soak(&["--walker", "pr-b1"], &["-c", BROKEN_CHAIN]), 3);
    let (_, trial) = place.only_run();
    assert_eq!(
        (trial["outcome"].as_str(), trial["phase"].as_str()),
        (Some("crash"), Some("walk")),
        "{trial}"
    );
    assert_eq!(trial["crash"]["signal"], 11);
    let site = trial["crash"]["site"].as_str().unwrap();
    assert!(site.contains("pr_b1") || site.contains("raw"), "{site}");
}

#[test]
fn a_walker_that_recovers_from_the_same_is_not() {
    let place = Place::new();
    ended(&place.soak(&["--walker", "guarded"], &["-c", BROKEN_CHAIN]), 0);
    let (_, trial) = place.only_run();
    let tallies = &trial["tallies"];
    let noticed: u64 =
        ["recovered_faults", "truncated", "rejected"].map(|t| tallies[t].as_u64().unwrap()).iter().sum();
    assert!(noticed > 0, "{trial}");
}

/// 1 where a signal interrupted a sleep that nobody begins again.
const EINTR: &str = "import ctypes, sys; sys.exit(ctypes.CDLL(None).usleep(300000) != 0)";

#[test]
fn a_changed_exit_status_is_reported_and_walker_none_tells_why() {
    let place = Place::new();
    ended(&place.soak(&["--walker", "none"], &["-c", EINTR]), 3);
    let (run, trial) = place.only_run();
    assert_eq!(trial["outcome"], "contract_violation");
    assert_eq!(trial["note"], "exit status 1; without the storm: exit status 0");
    assert_eq!(run["walks"], 0);

    // A walker's run with a change is followed by its control.
    let place = Place::new();
    ended(&place.soak(&[], &["-c", EINTR]), 3);
    let (_, trial) = place.only_run();
    assert!(trial["note"].as_str().unwrap().contains("; signals without walks do the same"), "{trial}");
}

#[test]
fn a_program_that_never_ends_under_signals_is_a_hang_outside_of_walks() {
    let place = Place::new();
    let program = "import ctypes\nwhile ctypes.CDLL(None).usleep(500000): pass";
    let begun = Instant::now();
    ended(&place.soak(&["--timeout", "8"], &["-c", program]), 3);
    assert!(begun.elapsed() > Duration::from_secs(8));
    let (_, trial) = place.only_run();
    assert_eq!(
        (trial["outcome"].as_str(), trial["phase"].as_str()),
        (Some("hang"), Some("target")),
        "{trial}"
    );
}

/// Stands for CPython's `test` package: writes results of three tests, one of which does not expect EINTR, and one of which
/// never has the same result twice.
const RUNNER: &str = "
import ctypes, os, sys
path = sys.argv[sys.argv.index('--junit-xml') + 1]
slept = ctypes.CDLL(None).usleep(300000) == 0
case = '<testcase name=\"test.test_{0}.T.test_it\">{1}</testcase>'
bad = '<failure>no</failure>'
toggle = os.path.exists('toggle')
os.remove('toggle') if toggle else open('toggle', 'w').close()
open(path, 'w').write('<testsuites>' + case.format('steady', '') + case.format('sleeper', '' if slept else bad)
    + case.format('moody', bad if toggle else '') + '</testsuites>')
";

#[test]
fn tests_with_another_result_are_named_and_unstable_ones_are_not_judged() {
    let place = Place::new();
    fs::create_dir(place.path("test")).unwrap();
    fs::write(place.path("test/__init__.py"), "").unwrap();
    fs::write(place.path("test/__main__.py"), RUNNER).unwrap();
    ended(&place.soak(&[], &["-m", "test"]), 3);
    let (run, trial) = place.only_run();
    assert_eq!(trial["outcome"], "contract_violation", "{trial}");
    let changes =
        serde_json::json!([{"test": "test.test_sleeper.T.test_it", "with": "failure", "without": "ok"}]);
    assert_eq!(run["changes"], changes);
    assert_eq!((run["modules"].as_u64(), run["modules_same"].as_u64()), (Some(2), Some(1)), "{run}");
    let summary: Value = serde_json::from_slice(&fs::read(place.path("run/soak.json")).unwrap()).unwrap();
    assert_eq!(summary["unstable"], serde_json::json!(["test.test_moody.T.test_it"]));
}

#[test]
fn an_interrupted_soak_keeps_what_is_finished() {
    let place = Place::new();
    let mut command = place.command(&["--runs", "100", "--out", "run", "--", "-c", WORK]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !fs::read_to_string(place.path("run/trials.jsonl")).is_ok_and(|text| text.lines().count() > 0) {
        assert!(begun.elapsed() < Duration::from_secs(120), "no record");
        std::thread::sleep(Duration::from_millis(20));
    }
    // SAFETY: our own child, not reaped yet.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    ended(&child.wait_with_output().unwrap(), 130);
    let manifest: Value =
        serde_json::from_slice(&fs::read(place.path("run/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["complete"], false);
    assert!(fs::read_to_string(place.path("run/trials.jsonl")).unwrap().ends_with('\n'));
}

#[test]
fn bad_input_is_one_line_with_the_remedy() {
    for (options, program, code, expected) in [
        (&["--walker", "gaurded"][..], "pass", 2, "unknown walker \"gaurded\"; known: none, pr-b1"),
        (&["--walker", "remote"], "pass", 2, "outside the process"),
        (&["--walker", "faulthandler"], "pass", 2, "for `stress run`"),
        (&["--timeout", "1"], "import time; time.sleep(60)", 2, "give a longer --timeout"),
    ] {
        let place = Place::new();
        let output = place.soak(options, &["-c", program]);
        ended(&output, code);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(expected) && said.trim_end().lines().count() == 1,
            "{said:?} lacks {expected:?}"
        );
    }
}
