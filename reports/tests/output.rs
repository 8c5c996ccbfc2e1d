//! A report that cannot be written, or is not finished, leaves the one before it whole.

mod common;

use common::{plain_run, report};
use sigwalk_record::exit;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const FILES: [&str; 4] = ["out.html", "summary.json", "summary.md", "trials.csv"];

fn program() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("report"))
}

fn is_untouched(dir: &Path, before: &[Vec<u8>]) {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.retain(|name| name != "figures");
    assert_eq!(names, FILES, "something was left behind");
    for (name, before) in FILES.iter().zip(before) {
        assert!(fs::read(dir.join(name)).unwrap() == *before, "{name} has changed");
    }
}

/// A build is stopped while it reads: the records come through a pipe, so nothing hangs on how fast anybody is.
#[test]
fn ctrl_c_leaves_the_report_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    plain_run(&runs, 5);
    report(dir.path()).args(["build", "runs", "--out", "out/out.html"]).assert().success();
    let out = dir.path().join("out");
    let before = FILES.map(|name| fs::read(out.join(name)).unwrap());

    let rows = runs.join("trials.jsonl");
    let text = fs::read(&rows).unwrap();
    fs::remove_file(&rows).unwrap();
    assert!(Command::new("mkfifo").arg(&rows).status().unwrap().success());
    let child = program()
        .args(["build", "runs", "--out", "out/out.html"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opens when the other side is opened: the build is in the middle of its records then.
    let mut pipe = OpenOptions::new().write(true).open(&rows).unwrap();
    pipe.write_all(&text).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(exit::INTERRUPTED), "{}", String::from_utf8_lossy(&output.stderr));
    is_untouched(&out, &before);
}

/// A disk of 24 KiB has room for the report before, and for none of the size that is to replace it.
#[test]
fn a_full_disk_leaves_the_report_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    fs::create_dir(dir.path().join("disk")).unwrap();
    let script = "mount -t tmpfs -o size=24k none disk || exit 77
for name in out.html summary.md summary.json; do echo before >disk/$name; done
\"$0\" build runs --out disk/out.html 2>stderr
code=$?
ls -A disk >left; cat disk/out.html disk/summary.md disk/summary.json >>left
exit $code";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(program().get_program());
    let output = match command.current_dir(dir.path()).output() {
        Ok(output) if output.status.code() != Some(77) && dir.path().join("left").exists() => output,
        refused => {
            eprintln!("skipped: no file system may be mounted here: {refused:?}");
            return;
        }
    };
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let stderr = read("stderr");
    assert_eq!(output.status.code(), Some(exit::MISSING_CAPABILITY), "{stderr}");
    assert!(
        stderr.contains("not written: no storage space") && stderr.contains("free some space"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(read("left"), "out.html\nsummary.json\nsummary.md\nbefore\nbefore\nbefore\n");
}

/// Root may write everywhere, so that it becomes nobody first.
#[test]
fn a_directory_of_somebody_else_is_refused_and_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    fs::create_dir(dir.path().join("closed")).unwrap();
    for (name, mode) in [(".", 0o755), ("closed", 0o555)] {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let is_root = fs::write(dir.path().join("closed/probe"), "").is_ok();
    // The program itself may lie where nobody may go.
    fs::copy(program().get_program(), dir.path().join("report")).unwrap();
    let mut command = if is_root { Command::new("setpriv") } else { Command::new("env") };
    if is_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let output = command
        .args(["./report", "build", "runs", "--out", "closed/report.html"])
        .current_dir(dir.path())
        .output();
    let output = match output {
        Ok(output) if output.status.code() != Some(127) => output,
        refused => {
            eprintln!("skipped: root cannot become another user here: {refused:?}");
            return;
        }
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit::MISSING_CAPABILITY), "{stderr}");
    assert!(
        stderr.starts_with("report: closed/trials.csv: not written: permission denied; make"),
        "{stderr}"
    );
}

/// `report text` to a full disk is a failure; to a reader that has seen enough it is none.
#[test]
fn standard_output_that_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    plain_run(&dir.path().join("runs"), 5);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program().args(["text", "runs"]).current_dir(dir.path()).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit::MISSING_CAPABILITY), "{stderr}");
    assert!(stderr.starts_with("report: standard output: No space left on device"), "{stderr}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = program().args(["text", "runs"]).current_dir(dir.path()).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(exit::OK));
}
