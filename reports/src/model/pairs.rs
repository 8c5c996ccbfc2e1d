//! Walkers compared on the same seeds: two trials of one campaign that differ in the walker alone are a pair.
//!
//! Where the seed decides everything (an allocator hook, a stepped window of which it chooses a part) the two walkers met the same stacks. Where timing
//! decides they met the same target for the same time, and pairs are pairs in name: the test stays valid, and is no
//! sharper than one without pairs.

use super::cell::{CellStats, Event};
use crate::stats::{holm, mcnemar};
use crate::text::fnv1a;
use roaring::RoaringBitmap;
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

/// Walkers of one group, in the order in which they were met.
#[derive(Debug, Default)]
struct Together(Vec<Walker>);

/// What became of the trials of one walker: sets of the numbers that [`Pairs`] gave their seeds. A compressed set of a million trials
/// takes some hundred kilobytes, and is intersected as a whole.
#[derive(Debug, Default)]
struct Walker {
    name: String,
    judged: bool,
    ran: RoaringBitmap,
    /// Crashed or hung in a walk.
    died: RoaringBitmap,
    /// Ended by a crash or a hang, in a walk or not: what would have come after is not known.
    over: RoaringBitmap,
    silent: RoaringBitmap,
}

/// Walkers of one group that are compared, each with each.
const MOST: usize = 64;

/// Trials by seed: a few bits each, not the trials themselves.
#[derive(Debug, Default)]
pub struct Pairs {
    groups: BTreeMap<Key, Together>,
    /// Cells that found their place: the group, and the walker's within it.
    places: HashMap<String, (Key, usize)>,
    /// Seeds by number. All cells of a campaign have the same.
    seeds: HashMap<u64, u32>,
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
        // A seed that is no number was not drawn by us: as a name it is as good.
        let seed = u64::from_str_radix(&trial.seed, 16).unwrap_or_else(|_| fnv1a(&trial.seed));
        let next = self.seeds.len() as u32;
        let seed = *self.seeds.entry(seed).or_insert(next);
        let Some(walker) = self.place(cell) else {
            self.beyond += 1;
            return;
        };
        if !walker.ran.insert(seed) {
            return;
        }
        let died = [Event::CrashFrame, Event::CrashThreadList, Event::CrashThreadName, Event::Hang];
        if died.iter().any(|event| event.in_trial(trial)) {
            walker.died.insert(seed);
        }
        if matches!(trial.outcome, Outcome::Crash | Outcome::Hang) {
            walker.over.insert(seed);
        }
        if Event::Impossible.in_trial(trial) {
            walker.silent.insert(seed);
        }
    }

    fn place(&mut self, cell: &CellStats) -> Option<&mut Walker> {
        let declared = &cell.cell;
        if !self.places.contains_key(&declared.id) {
            let key =
                (declared.workload.clone(), declared.interpreter.clone(), cell.target_label(), cell.params());
            let Together(walkers) = self.groups.entry(key.clone()).or_default();
            let (name, judged) = (declared.walker.clone(), declared.judged);
            self.places.insert(declared.id.clone(), (key, walkers.len()));
            if walkers.len() < MOST {
                walkers.push(Walker { name, judged, ..Walker::default() });
            }
        }
        let (key, place) = &self.places[&declared.id];
        self.groups.get_mut(key)?.0.get_mut(*place)
    }

    /// All comparisons that have a pair: by workload and event, the smallest p first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (key, group) in &self.groups {
            let mut walkers: Vec<&Walker> = group.0.iter().collect();
            walkers.sort_by_key(|walker| &walker.name);
            for (at, first) in walkers.iter().enumerate() {
                for second in &walkers[at + 1..] {
                    rows.extend(
                        [Compared::Died, Compared::Silent]
                            .into_iter()
                            .filter_map(|compared| row(key, compared, [first, second])),
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

fn row(key: &Key, compared: Compared, [first, second]: [&Walker; 2]) -> Option<Row> {
    let mut both = &first.ran & &second.ran;
    let ran = both.len();
    let [of_first, of_second] = match compared {
        Compared::Died => [&first.died, &second.died],
        Compared::Silent if !(first.judged && second.judged) => return None,
        Compared::Silent => {
            both -= &first.over;
            both -= &second.over;
            [&first.silent, &second.silent]
        }
    };
    let pairs = both.len();
    let only =
        [(of_first - of_second).intersection_len(&both), (of_second - of_first).intersection_len(&both)];
    let (workload, interpreter, target, params) = key.clone();
    let p = mcnemar(only[0], only[1]);
    let row = Row {
        workload,
        interpreter,
        target,
        params,
        compared,
        walkers: [first.name.clone(), second.name.clone()],
        pairs,
        only,
        left_out: ran - pairs,
        p,
        adjusted: p,
    };
    (pairs > 0).then_some(row)
}
