//! Writing the files of a report: all of them whole, or none.

use crate::failure::Failure;
use crate::interrupt;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What stands beside the page, and can be no name of it.
const TAKEN: [&str; 5] = ["summary.md", "summary.json", "trials.csv", "cost.pyperf.json", "figures"];

/// Where a report goes.
#[derive(Debug)]
pub struct Target {
    directory: PathBuf,
    page: String,
}

impl Target {
    /// Checks `--out` and makes its directory.
    ///
    /// # Errors
    /// When it names a directory, or its directory cannot be made.
    pub fn new(out: &Path) -> Result<Self, Failure> {
        let target = Self::file(out)?;
        if TAKEN.contains(&target.page.as_str()) {
            return Err(Failure::usage(format!(
                "{}: {} is written beside the page; give --out another name",
                out.display(),
                target.page
            )));
        }
        Ok(target)
    }

    /// The same for one file with nothing beside it.
    ///
    /// # Errors
    /// As [`Target::new`].
    pub fn file(out: &Path) -> Result<Self, Failure> {
        let shown = out.display();
        let Some(page) = out.file_name().and_then(OsStr::to_str).filter(|_| !out.is_dir()) else {
            return Err(Failure::usage(format!(
                "{shown}: --out names a directory; name a file, e.g. {shown}/report.html"
            )));
        };
        let directory = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        std::fs::create_dir_all(&directory).map_err(|error| refused(&directory, &error))?;
        Ok(Self { directory, page: page.to_owned() })
    }

    /// A directory whose files have names of their own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn directory(out: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(out).map_err(|error| refused(out, &error))?;
        Ok(Self { directory: out.to_path_buf(), page: String::new() })
    }

    /// Name of the page within its directory.
    pub fn page_name(&self) -> &str {
        &self.page
    }

    /// Path of a file beside the page, or of the page.
    pub fn path(&self, name: &str) -> PathBuf {
        if self.directory == Path::new(".") { PathBuf::from(name) } else { self.directory.join(name) }
    }

    /// Nothing written yet.
    pub fn stage(&self) -> Staged<'_> {
        Staged { target: self, ready: Vec::new() }
    }
}

/// Files that are on disk under names of their own. Dropped, they are gone.
#[derive(Debug)]
pub struct Staged<'a> {
    target: &'a Target,
    ready: Vec<(NamedTempFile, PathBuf)>,
}

impl Staged<'_> {
    /// Adds a file. `name` may have a directory in front.
    ///
    /// # Errors
    /// When the directory is read-only, the disk is full, and so on.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Failure> {
        interrupt::check()?;
        let path = self.target.path(name);
        let mut file = self.open(name)?;
        file.write_all(content).map_err(|error| refused(&path, &error))?;
        self.close(name, file)
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// A file to be written bit by bit, until [`Staged::close`].
    ///
    /// # Errors
    /// As [`Staged::add`].
    pub fn open(&self, name: &str) -> Result<NamedTempFile, Failure> {
        let path = self.target.path(name);
        // A rename stays within a file system: beside its place, where that is there already.
        let beside = path.parent().filter(|parent| parent.is_dir()).unwrap_or(&self.target.directory);
        tempfile::Builder::new()
            .prefix(".report-")
            // The umask still applies; the default of tempfile (0600) would hide the report from its readers.
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(beside)
            .map_err(|error| refused(&path, &error))
    }

    /// A file is whole.
    ///
    /// # Errors
    /// As [`Staged::add`].
    pub fn close(&mut self, name: &str, file: NamedTempFile) -> Result<(), Failure> {
        let path = self.target.path(name);
        file.as_file().sync_all().map_err(|error| refused(&path, &error))?;
        self.ready.push((file, path));
        Ok(())
    }

    /// Gives every file its name, now that all of them are on disk; returns the paths.
    ///
    /// # Errors
    /// When one cannot have it. What can be known beforehand is looked at before the first has its name.
    pub fn commit(self) -> Result<Vec<PathBuf>, Failure> {
        interrupt::check()?;
        for (_, path) in &self.ready {
            if path.is_dir() {
                return Err(refused(path, &io::ErrorKind::AlreadyExists.into()));
            }
            let parent = path.parent().unwrap_or(&self.target.directory);
            std::fs::create_dir_all(parent).map_err(|error| refused(parent, &error))?;
        }
        let mut paths = Vec::new();
        for (file, path) in self.ready {
            file.persist(&path).map_err(|error| refused(&path, &error.error))?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// Why a file was not written, and what to do about it.
pub fn refused(path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or choose another --out"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "what stands there is of another kind; choose another --out"
        }
        _ => "make the directory writable or choose another --out",
    };
    // The temporary name that some errors carry tells a reader nothing.
    let reason = error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |code| io::Error::from_raw_os_error(code).to_string());
    Failure::machine(format!("{}: not written: {reason}; {remedy}", path.display()))
}
