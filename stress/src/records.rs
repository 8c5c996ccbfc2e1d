//! A run directory that is written: append-only records and a manifest that says whether they are all.

use crate::failure::Failure;
use sigwalk_record::{Environment, Kind, Manifest};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The directory of one run.
pub struct RunDir {
    path: PathBuf,
    manifest: Manifest,
    lines: File,
}

/// Now, RFC 3339, UTC.
#[must_use]
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let remedy = match error.kind() {
        ErrorKind::StorageFull => "; free some space and go on with --resume: what was written is kept",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; give a directory you may write with --out"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "; give a directory with --out",
        _ => "",
    };
    let message = format!("{}: {error}{remedy}", path.display());
    // A place that cannot be written is the machine's lack, or the command line's, not a defect of ours.
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Failure::missing(message),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => Failure::usage(message),
        _ => Failure::internal(message),
    }
}

impl RunDir {
    /// A new run in `path`, which must not hold one.
    ///
    /// # Errors
    /// It holds one, or cannot be written.
    pub fn create(path: &Path, manifest: Manifest) -> Result<RunDir, Failure> {
        let lines = path.join(manifest.kind.file());
        if path.join("manifest.json").exists() || lines.exists() {
            return Err(Failure::usage(format!(
                "{} holds a run already; give another --out{}",
                path.display(),
                if manifest.kind == Kind::Trials { ", or --resume to go on with it" } else { "" }
            )));
        }
        fs::create_dir_all(path).map_err(|error| failed(path, &error))?;
        // The manifest first: a run that was killed between the two can be resumed.
        write_manifest(path, &manifest)?;
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&lines)
            .map_err(|error| failed(&lines, &error))?;
        Ok(RunDir { path: path.to_owned(), manifest, lines: file })
    }

    /// The run in `path` once more: what it has recorded goes, for a writer that keeps elsewhere what it has done.
    ///
    /// # Errors
    /// It is whole, or cannot be written.
    pub fn again(path: &Path, manifest: Manifest) -> Result<RunDir, Failure> {
        if path.join("manifest.json").exists() {
            if read_manifest(path)?.complete {
                return Err(Failure::usage(format!("{} is a whole run; give another --out", path.display())));
            }
            let lines = path.join(manifest.kind.file());
            for file in [lines, path.join("manifest.json")] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&file, &error)),
                    _ => {}
                }
            }
        }
        RunDir::create(path, manifest)
    }

    /// Writes a file of records that stands beside the main one. None where there are no records.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn beside<T: serde::Serialize>(&self, name: &str, records: &[T]) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for record in records {
            text += &serde_json::to_string(record).map_err(|error| Failure::internal(error.to_string()))?;
            text.push('\n');
        }
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, &error))
    }

    /// Goes on with the run of trials in `path`: drops a last line that was cut by a kill, and returns which trials are
    /// there. A directory without a run is begun anew.
    ///
    /// # Errors
    /// It is of another campaign or another interpreter, a line is corrupt, or it cannot be written.
    pub fn resume(path: &Path, manifest: Manifest) -> Result<(RunDir, HashSet<u64>), Failure> {
        let manifest_path = path.join("manifest.json");
        if !manifest_path.exists() {
            return Ok((RunDir::create(path, manifest)?, HashSet::new()));
        }
        let text = fs::read_to_string(&manifest_path).map_err(|error| failed(&manifest_path, &error))?;
        let before: Manifest = sigwalk_record::read(text.as_bytes())
            .map_err(|error| Failure::incompatible(format!("{}: {error}", manifest_path.display())))?;
        if before.campaign.id != manifest.campaign.id || before.interpreter != manifest.interpreter {
            return Err(Failure::incompatible(format!(
                "{} is a run of campaign {} on {}, not of {} on {}; give another --out",
                path.display(),
                before.campaign.id,
                before.interpreter.tag,
                manifest.campaign.id,
                manifest.interpreter.tag
            )));
        }
        // A whole run may go on with what a shard has; a shard holds nothing of another.
        if manifest.shard.is_some() && manifest.shard != before.shard {
            let named = |shard: Option<(u64, u64)>| {
                shard.map_or("all trials".into(), |(k, n)| format!("shard {k}/{n}"))
            };
            return Err(Failure::incompatible(format!(
                "{} is a run of {}, not of {}; give another --out",
                path.display(),
                named(before.shard),
                named(manifest.shard)
            )));
        }
        let of = |manifest: &Manifest| {
            let machine = &manifest.environment;
            let [placement, variables] = conditions(machine);
            let build =
                [&machine.commit, &machine.profile, &machine.cpu, &machine.kernel].map(String::as_str);
            build.into_iter().chain([placement, variables]).collect::<Vec<_>>().join(", ")
        };
        if of(&before) != of(&manifest) {
            return Err(Failure::incompatible(format!(
                "{} was begun by another build, on another machine or in another environment ({}, now {}); give another --out",
                path.display(),
                of(&before),
                of(&manifest)
            )));
        }
        let lines_path = path.join(manifest.kind.file());
        let mut lines = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&lines_path)
            .map_err(|error| failed(&lines_path, &error))?;
        let (finished, keep) = finished_trials(&lines_path, &lines)?;
        lines
            .set_len(keep)
            .and_then(|()| lines.seek(std::io::SeekFrom::End(0)))
            .map_err(|e| failed(&lines_path, &e))?;
        let manifest = Manifest { started: before.started, ..manifest };
        write_manifest(path, &manifest)?;
        Ok((RunDir { path: path.to_owned(), manifest, lines }, finished))
    }

    /// Appends one record: one write, so that a kill cuts at most the last line.
    ///
    /// # Errors
    /// The disk is full, or the record cannot be written.
    pub fn append<T: serde::Serialize>(&mut self, record: &T) -> Result<(), Failure> {
        let mut line = serde_json::to_string(record).map_err(|error| Failure::internal(error.to_string()))?;
        line.push('\n');
        self.append_bytes(line.as_bytes())
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// As [`RunDir::append`].
    pub fn append_bytes(&mut self, lines: &[u8]) -> Result<(), Failure> {
        self.lines
            .write_all(lines)
            .map_err(|error| failed(&self.path.join(self.manifest.kind.file()), &error))
    }

    /// Ends the run.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn finish(mut self, complete: bool) -> Result<(), Failure> {
        self.manifest.complete = complete;
        // Merged records ended when the last of them did.
        if self.manifest.ended.is_empty() {
            self.manifest.ended = now();
        }
        write_manifest(&self.path, &self.manifest)
    }
}

/// What else decides a result, and is no property of the build or the machine: whether addresses stand still, and the variables that
/// the interpreter reads (PYTHONMALLOC).
#[must_use]
pub fn conditions(environment: &Environment) -> [&str; 2] {
    ["placement", "PYTHON"].map(|name| environment.other.get(name).map_or("", String::as_str))
}

fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let path = directory.join("manifest.json");
    let text =
        serde_json::to_string_pretty(manifest).map_err(|error| Failure::internal(error.to_string()))?;
    replace(&path, &(text + "\n"))
}

/// Puts a text in the place of a file, as a whole: whoever reads meanwhile, or after a kill, has the old one or the new one.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let temporary = path.with_extension("json.new");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| failed(path, &error))
}

/// The manifest of the run in `directory`.
///
/// # Errors
/// There is none, or it is of another schema or damaged.
pub fn read_manifest(directory: &Path) -> Result<Manifest, Failure> {
    let path = directory.join("manifest.json");
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::usage(format!("{}: {error}; give the directory of a run", path.display()))
    })?;
    sigwalk_record::read(text.as_bytes())
        .map_err(|error| Failure::incompatible(format!("{}: {error}", path.display())))
}

/// Hands every whole line of a file of records to `take`: its number, its bytes (with the newline), and where it begins.
/// A last line without its newline was cut by a kill, and is passed over. Returns where the last whole line ends.
///
/// # Errors
/// Of the file, or of `take`, whose reason gets the file and the line in front.
pub fn each_line(
    path: &Path,
    file: &File,
    mut take: impl FnMut(u64, &[u8], u64) -> Result<(), String>,
) -> Result<u64, Failure> {
    let mut reader = BufReader::new(file);
    let (mut line, mut number, mut begins) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(|error| failed(path, &error))?;
        number += 1;
        if line.last() != Some(&b'\n') {
            return Ok(begins);
        }
        take(number, &line, begins)
            .map_err(|why| Failure::incompatible(format!("{}:{number}: {why}", path.display())))?;
        begins += read as u64;
    }
}

/// Trials that have a whole line, and where the last whole line ends.
fn finished_trials(path: &Path, file: &File) -> Result<(HashSet<u64>, u64), Failure> {
    #[derive(serde::Deserialize)]
    struct Line {
        trial: u64,
    }
    let mut finished = HashSet::new();
    let keep = each_line(path, file, |_, line, _| {
        let remedy = "move the file away and run again";
        let parsed: Line = serde_json::from_slice(line).map_err(|error| format!("{error}; {remedy}"))?;
        if finished.insert(parsed.trial) {
            Ok(())
        } else {
            Err(format!("trial {} is there already; {remedy}", parsed.trial))
        }
    })?;
    Ok((finished, keep))
}
