//! Tallies of guided fuzzing: what can happen and where, never how often. Read from the files that the fuzz target `walk`
//! writes (`fuzz/stats/README.md` has their format).

use serde::Deserialize;
use std::collections::BTreeMap;

/// One file. Members that are not of use here are not read.
#[derive(Debug, Deserialize)]
pub struct File {
    /// Inputs that were run.
    pub executions: u64,
    /// One row a (walker, interpreter).
    pub walks: Vec<Walks>,
    /// One row a (walker, interpreter, site).
    pub rows: Vec<Row>,
}

/// What the walks of one walker came to, over the images of one interpreter.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Walks {
    /// Version of the interpreter that an image was captured from.
    pub interpreter: String,
    /// Walker.
    pub walker: String,
    /// How many.
    pub walks: u64,
    /// A load outside the image, by a walker that reads raw.
    pub would_crash: u64,
    /// The same load by another walker, which reported it.
    pub recovered: u64,
    /// Still walking after the last load that it had.
    pub hang: u64,
}

/// The same by the load that failed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Row {
    /// Version of the interpreter that an image was captured from.
    pub interpreter: String,
    /// Walker.
    pub walker: String,
    /// What the load was after.
    pub site: String,
    /// As in [`Walks`].
    pub would_crash: u64,
    /// As in [`Walks`].
    pub hang: u64,
}

/// All tallies.
#[derive(Debug, Default)]
pub struct Fuzzed {
    /// The directory as the user named it; nothing when none was named.
    pub dir: Option<String>,
    /// Files read.
    pub files: u64,
    /// Inputs that were run.
    pub executions: u64,
    /// By walker and interpreter.
    pub walks: BTreeMap<(String, String), Walks>,
    /// Would-be crashes and hangs by walker, what happened, site and interpreter.
    pub sites: BTreeMap<(String, &'static str, String), BTreeMap<String, u64>>,
}

impl Fuzzed {
    /// Adds a file.
    pub fn add(&mut self, file: File) {
        self.files += 1;
        self.executions += file.executions;
        for row in file.walks {
            let known = self.walks.entry((row.walker.clone(), row.interpreter.clone())).or_default();
            *known = Walks {
                walks: known.walks + row.walks,
                would_crash: known.would_crash + row.would_crash,
                recovered: known.recovered + row.recovered,
                hang: known.hang + row.hang,
                ..row
            };
        }
        for row in file.rows {
            for (what, count) in [("would crash", row.would_crash), ("would hang", row.hang)] {
                if count > 0 {
                    let place = (row.walker.clone(), what, row.site.clone());
                    *self.sites.entry(place).or_default().entry(row.interpreter.clone()).or_default() +=
                        count;
                }
            }
        }
    }
}
