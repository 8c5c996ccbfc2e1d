//! How often a walker's answers are wrong, as measured: by walk, of the walks of one cell.

use crate::model::cell::CellStats;
use crate::model::records::Records;
use sigwalk_record::Tallies;
use std::collections::BTreeMap;

/// Shares of walks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Errors {
    /// Silent: the outer part is another stack's.
    pub splice: f64,
    /// Silent: another line of a function.
    pub wrong_line: f64,
    /// Silent: cut.
    pub prefix: f64,
    /// Reported, and dropped.
    pub reported: f64,
}

impl Errors {
    /// Of the walks of a cell. A stale stack has frames that were left, and so another inner part: it counts as a splice.
    pub fn of(tallies: &Tallies) -> Option<Errors> {
        let Tallies {
            complete,
            truncated,
            rejected,
            recovered_faults,
            splice,
            wrong_line,
            prefix,
            stale,
            ..
        } = tallies;
        let reported = truncated + rejected + recovered_faults;
        let n = complete + reported + splice + wrong_line + prefix + stale;
        let share = |k: u64| k as f64 / n as f64;
        (n > 0).then(|| Errors {
            splice: share(splice + stale),
            wrong_line: share(*wrong_line),
            prefix: share(*prefix),
            reported: share(reported),
        })
    }

    /// Share of walks that are silently wrong.
    pub fn silent(&self) -> f64 {
        self.splice + self.wrong_line + self.prefix
    }
}

/// A walker's errors in one workload, in one of its targets.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Tag.
    pub interpreter: String,
    /// Workload.
    pub workload: String,
    /// Walker.
    pub walker: String,
    /// `worst` or `median` of the targets, by silently wrong walks.
    pub which: &'static str,
    /// The cell.
    pub cell: String,
    /// Its errors.
    pub errors: Errors,
}

/// Workloads that a sampling profiler may be; others step, or make faults.
const WORKLOADS: [&str; 3] = ["hook", "signal", "other"];

/// Of each walker and workload, the worst target and the median one.
pub fn measured(records: &Records) -> Vec<Measured> {
    let mut groups = BTreeMap::<(&str, usize, &str), Vec<(&CellStats, Errors)>>::new();
    for cell in records.cells.values().filter(|cell| cell.cell.judged && cell.cell.fault.is_empty()) {
        let place = WORKLOADS.iter().position(|workload| *workload == cell.cell.workload);
        if let (Some(place), Some(errors)) = (place, Errors::of(&cell.tallies)) {
            let key = (cell.cell.interpreter.as_str(), place, cell.cell.walker.as_str());
            groups.entry(key).or_default().push((cell, errors));
        }
    }
    let mut all = Vec::new();
    for ((interpreter, place, walker), mut cells) in groups {
        cells.sort_by(|a, b| b.1.silent().total_cmp(&a.1.silent()).then(a.0.cell.id.cmp(&b.0.cell.id)));
        let mut add = |which, at: usize| {
            let (cell, errors) = &cells[at];
            all.push(Measured {
                interpreter: interpreter.to_owned(),
                workload: WORKLOADS[place].to_owned(),
                walker: walker.to_owned(),
                which,
                cell: cell.cell.id.clone(),
                errors: *errors,
            });
        };
        add("worst", 0);
        if cells.len() > 2 {
            add("median", cells.len() / 2);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_walks_that_were_judged() {
        let tallies = Tallies {
            complete: 90,
            splice: 1,
            stale: 1,
            wrong_line: 2,
            prefix: 3,
            rejected: 2,
            recovered_faults: 1,
            no_thread_state: 50,
            ..Tallies::default()
        };
        let errors = Errors::of(&tallies).unwrap();
        assert_eq!(errors, Errors { splice: 0.02, wrong_line: 0.02, prefix: 0.03, reported: 0.03 });
        assert_eq!(Errors::of(&Tallies::default()), None);
    }
}
