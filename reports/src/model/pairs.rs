//! Walkers compared on the same seeds: two trials of one campaign that differ in the walker alone are a pair.
//!
//! Where the seed decides everything (an allocator hook, a stepped window of which it chooses a part) the two walkers met the same stacks. Where timing
//! decides they met the same target for the same time, and pairs are pairs in name: the test stays valid, and is no
//! sharper than one without pairs.

use super::cell::{CellStats, Event};
use crate::stats::{holm, mcnemar};
use crate::text::fnv1a;
use sigwalk_record::{Cell, Outcome, Trial};
use std::collections::{BTreeMap, HashMap};

/// Adjusted p-values up to this are called a difference.
pub const LEVEL: f64 = 0.05;

/// What is compared. Each is a family of tests of its own, for each workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compared {
    /// The process died in a walk, or a walk did not end.
    Died,
    /// A wrong stack, not said to be one.
    Silent,
}

impl Compared {
    /// The name in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Compared::Died => "crash_or_hang",
            Compared::Silent => "silent_wrong",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Compared::Died => "crashes or hangs in more trials",
            Compared::Silent => "is silently wrong in more trials",
        }
    }
}

/// (workload, interpreter, target, parameters): trials within one differ in walker and seed.
type Key = (String, String, String, String);

/// Walkers of one group as bits, in the order in which they were met.
#[derive(Debug, Default)]
struct Together {
    walkers: Vec<(String, bool)>,
    by_seed: HashMap<u64, Marks>,
}

/// What became of the trials with one seed: a bit for each walker.
#[derive(Debug, Default, Clone, Copy)]
struct Marks {
    ran: u64,
    /// Crashed or hung in a walk.
    died: u64,
    /// Ended by a crash or a hang, in a walk or not: what would have come after is not known.
    over: u64,
    silent: u64,
}

/// Walkers of one group that have a bit.
const MOST: usize = 64;

/// Trials by seed: four words each, not the trials themselves.
#[derive(Debug, Default)]
pub struct Pairs {
    groups: BTreeMap<Key, Together>,
    /// Cells that found their place: the group, and the bit.
    places: HashMap<String, (Key, u32)>,
    /// Trials of walkers beyond [`MOST`].
    pub beyond: u64,
}

/// Two walkers on the same seeds.
#[derive(Debug)]
pub struct Row {
    /// Workload.
    pub workload: String,
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Target and fault.
    pub target: String,
    /// Parameters of the target.
    pub params: String,
    /// What is compared.
    pub compared: Compared,
    /// The walkers.
    pub walkers: [String; 2],
    /// Pairs of trials.
    pub pairs: u64,
    /// Pairs in which only the first, and only the second, had the event.
    pub only: [u64; 2],
    /// Pairs that were left out, because one of the two was over early.
    pub left_out: u64,
    /// Exact McNemar.
    pub p: f64,
    /// The same, adjusted by Holm over the family.
    pub adjusted: f64,
}

impl Row {
    /// Whether some pair differs.
    pub fn differs(&self) -> bool {
        self.only != [0, 0]
    }

    /// In words.
    pub fn verdict(&self) -> String {
        let more = usize::from(self.only[1] > self.only[0]);
        if !self.differs() {
            "no pair differs".to_owned()
        } else if self.adjusted <= LEVEL {
            format!("{} {}", self.walkers[more], self.compared.verb())
        } else {
            "no difference shown".to_owned()
        }
    }
}

impl Pairs {
    /// Takes a trial.
    pub fn add(&mut self, cell: &CellStats, trial: &Trial) {
        if trial.outcome == Outcome::HarnessError || is_the_same_each_time(&cell.cell) {
            return;
        }
        let Some((group, bit)) = self.place(cell) else {
            self.beyond += 1;
            return;
        };
        // A seed that is no number was not drawn by us: as a name it is as good.
        let seed = u64::from_str_radix(&trial.seed, 16).unwrap_or_else(|_| fnv1a(&trial.seed));
        let marks = group.by_seed.entry(seed).or_default();
        if marks.ran & bit != 0 {
            return;
        }
        let died = [Event::CrashFrame, Event::CrashThreadList, Event::CrashThreadName, Event::Hang];
        let mut set = |word: fn(&mut Marks) -> &mut u64, holds: bool| {
            *word(marks) |= if holds { bit } else { 0 };
        };
        set(|marks| &mut marks.ran, true);
        set(|marks| &mut marks.died, died.iter().any(|event| event.in_trial(trial)));
        set(|marks| &mut marks.over, matches!(trial.outcome, Outcome::Crash | Outcome::Hang));
        set(|marks| &mut marks.silent, Event::Impossible.in_trial(trial));
    }

    fn place(&mut self, cell: &CellStats) -> Option<(&mut Together, u64)> {
        let declared = &cell.cell;
        if !self.places.contains_key(&declared.id) {
            let key =
                (declared.workload.clone(), declared.interpreter.clone(), cell.target_label(), cell.params());
            let group = self.groups.entry(key.clone()).or_default();
            let bit = group.walkers.len() as u32;
            group.walkers.push((declared.walker.clone(), declared.judged));
            self.places.insert(declared.id.clone(), (key, bit));
        }
        let (key, bit) = &self.places[&declared.id];
        let group = self.groups.get_mut(key)?;
        ((*bit as usize) < MOST).then_some((group, 1 << bit))
    }

    /// All comparisons that have a pair: by workload and event, the smallest p first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (key, group) in &self.groups {
            let mut bits: Vec<usize> = (0..group.walkers.len().min(MOST)).collect();
            bits.sort_by_key(|&bit| &group.walkers[bit].0);
            for (at, &first) in bits.iter().enumerate() {
                for &second in &bits[at + 1..] {
                    rows.extend(
                        [Compared::Died, Compared::Silent]
                            .into_iter()
                            .filter_map(|compared| group.row(key, compared, [first, second])),
                    );
                }
            }
        }
        let family = |row: &Row| (row.workload.clone(), row.compared);
        let mut families = BTreeMap::<_, Vec<usize>>::new();
        for (index, row) in rows.iter().enumerate() {
            families.entry(family(row)).or_default().push(index);
        }
        for members in families.values() {
            let p: Vec<f64> = members.iter().map(|&index| rows[index].p).collect();
            for (&index, adjusted) in members.iter().zip(holm(&p)) {
                rows[index].adjusted = adjusted;
            }
        }
        // Stable: equal ones stay in the order of their groups.
        rows.sort_by(|a, b| {
            family(a).cmp(&family(b)).then(b.differs().cmp(&a.differs())).then(a.p.total_cmp(&b.p))
        });
        rows
    }
}

/// A window that is stepped instruction by instruction, from its first to its last, is the same in every trial: a hundred of them are one
/// observation, and a test would take them for a hundred.
pub fn is_the_same_each_time(cell: &Cell) -> bool {
    let at_every_one = cell.params.get("stride").is_none_or(|stride| stride == "1");
    cell.workload == "step" && at_every_one && !cell.params.contains_key("burst")
}

impl Together {
    fn row(&self, key: &Key, compared: Compared, bits: [usize; 2]) -> Option<Row> {
        let walkers = bits.map(|bit| &self.walkers[bit]);
        if compared == Compared::Silent && !walkers.iter().all(|(_, judged)| *judged) {
            return None;
        }
        let [first, second] = bits.map(|bit| 1_u64 << bit);
        let (mut pairs, mut only, mut left_out) = (0, [0, 0], 0);
        for marks in self.by_seed.values() {
            if marks.ran & (first | second) != first | second {
                continue;
            }
            let event = match compared {
                Compared::Died => marks.died,
                Compared::Silent if marks.over & (first | second) != 0 => {
                    left_out += 1;
                    continue;
                }
                Compared::Silent => marks.silent,
            };
            pairs += 1;
            match (event & first != 0, event & second != 0) {
                (true, false) => only[0] += 1,
                (false, true) => only[1] += 1,
                _ => {}
            }
        }
        let (workload, interpreter, target, params) = key.clone();
        let p = mcnemar(only[0], only[1]);
        let walkers = walkers.map(|(name, _)| name.clone());
        let row = Row {
            workload,
            interpreter,
            target,
            params,
            compared,
            walkers,
            pairs,
            only,
            left_out,
            p,
            adjusted: p,
        };
        (pairs > 0).then_some(row)
    }
}
