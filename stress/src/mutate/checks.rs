//! What single checks are worth: each drawn fault is walked by a policy without any check, with all, with each alone, and
//! with all but each.
//!
//! A load that faults counts as a crash here, also of the policy whose walker recovers from it: it is the checks that are
//! asked about, not the reader.

use super::change::Change;
use super::counters::Counters;
use super::stack::Captured;
use super::subjects::{Answer, FRAMES, How, MANY_LOADS, stopped_short};
use super::tally::{self, Outcome};
use sigwalk::addr::Addr;
use sigwalk::checks::{Check, Mask};
use sigwalk::frame::{Frame, FrameBuf};
use sigwalk::walk::{End, Request};
use sigwalk::walkers::{FAMILIES, Family};
use sigwalk_embed::Live;
use sigwalk_record::{Check as Row, Harm, Mutation, SCHEMA};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Loads a walk may make at first, and where those were too few for the frames that it has followed: a buffer full of a large
/// function's lines is no hang.
const LOADS: [u32; 2] = [1 << 16, MANY_LOADS];

/// Healthy stacks that are walked, as rows name them.
const CONTROLS: [&str; 4] = ["healthy", "entry frame", "init shim", "just-created frame"];

/// Numbers of a row, in the order of [`column()`].
const COLUMNS: usize = 16;

fn column(row: &mut Row, index: usize) -> &mut u64 {
    fn harm(harm: &mut Harm, index: usize) -> &mut u64 {
        match index {
            0 => &mut harm.crash,
            1 => &mut harm.hang,
            _ => &mut harm.silent,
        }
    }
    match index {
        0 => &mut row.walks,
        1..=3 => harm(&mut row.bare, index - 1),
        4..=6 => harm(&mut row.whole, index - 4),
        7..=9 => harm(&mut row.alone, index - 7),
        10..=12 => harm(&mut row.only, index - 10),
        13 => &mut row.worse,
        14 => &mut row.alarms,
        _ => &mut row.only_alarms,
    }
}

const WALKS: usize = 0;
const BARE: usize = 1;
const WHOLE: usize = 4;
const ALONE: usize = 7;
const ONLY: usize = 10;
const WORSE: usize = 13;
const ALARMS: usize = 14;
const ONLY_ALARMS: usize = 15;

/// Words that [`Counters`] keeps for these.
pub fn words(pairs: usize) -> usize {
    FAMILIES.iter().map(|family| family.checks.len()).sum::<usize>() * (pairs + CONTROLS.len()) * COLUMNS
}

/// First word of a row. Controls stand behind the pairs.
fn place(family: usize, check: usize, pair: usize, pairs: usize) -> usize {
    let before: usize = FAMILIES[..family].iter().map(|family| family.checks.len()).sum();
    ((before + check) * (pairs + CONTROLS.len()) + pair) * COLUMNS
}

/// One family on one stack.
pub struct Checks<'a> {
    live: &'a Live,
    family: usize,
    rows: &'static [AtomicU32],
    pairs: usize,
    buffer: Box<[Frame; FRAMES]>,
    answer: Answer,
    /// What is right on the healthy stack. None: the policy refuses that.
    truth: Option<Vec<Frame>>,
}

impl<'a> Checks<'a> {
    /// Walks the healthy stack, and what else is healthy, by all policies of the family.
    pub fn new(
        live: &'a Live,
        family: &'static Family,
        counters: &Counters,
        stack: &Captured<'_>,
        request: &Request<'_>,
        truth: &[Frame],
    ) -> Checks<'a> {
        let mut checks = Checks {
            live,
            family: FAMILIES.iter().position(|other| other.name == family.name).expect("a family"),
            rows: counters.more(),
            pairs: counters.pairs(),
            buffer: Box::new([Frame::default(); FRAMES]),
            answer: Answer::default(),
            truth: Some(truth.to_vec()),
        };
        checks.controls(stack, request);
        if checks.walk(Mask::ALL, request) != Outcome::Unharmed {
            checks.truth = None;
        }
        checks
    }

    fn checks(&self) -> &'static [Check] {
        FAMILIES[self.family].checks
    }

    fn walk(&mut self, on: Mask, request: &Request<'_>) -> Outcome {
        let mut out = FrameBuf::new(&mut self.buffer[..]);
        for loads in LOADS {
            out.clear();
            let walk = (FAMILIES[self.family].walk)(on, &self.live.readers, loads, request, &mut out);
            self.answer.how = How::Ended(walk);
            if !stopped_short(&walk) {
                break;
            }
        }
        self.answer.frames.clear();
        self.answer.frames.extend_from_slice(out.frames());
        tally::judge(true, &self.answer, self.truth.as_deref().unwrap_or_default()).outcome
    }

    /// Walks a fault that is in place.
    pub fn all(&mut self, pair: usize, request: &Request<'_>) {
        if self.truth.is_none() {
            return;
        }
        // All of them, also where all checks together give the right answer: a check may have made it one. The previous of the
        // outermost frame may hold anything, as long as `frame-freed` takes it for the end.
        let (bare, whole) = (self.walk(Mask::NONE, request), self.walk(Mask::ALL, request));
        for (index, &check) in self.checks().iter().enumerate() {
            let [alone, without] =
                [Mask::NONE.with(check), Mask::ALL.without(check)].map(|on| self.walk(on, request));
            let row = place(self.family, index, pair, self.pairs);
            self.add(row + WALKS);
            self.add_harm(row + BARE, bare);
            self.add_harm(row + WHOLE, whole);
            if harm(alone).is_none() {
                self.add_harm(row + ALONE, bare);
            }
            if harm(whole).is_none() {
                self.add_harm(row + ONLY, without);
            } else if harm(without).is_none() {
                self.add(row + WORSE);
            }
            if bare == Outcome::Unharmed && alone == Outcome::Noticed {
                self.add(row + ALARMS);
            }
            if without == Outcome::Unharmed && whole == Outcome::Noticed {
                self.add(row + ONLY_ALARMS);
            }
        }
    }

    /// What is healthy: the stack; its entry frames and shims as innermost frames, which they are for a moment; its innermost
    /// frame as it was before its first instruction.
    fn controls(&mut self, stack: &Captured<'_>, request: &Request<'_>) {
        self.control(0, request);
        for raw in &stack.chain {
            let kind = match kind(self.live, raw.frame, raw.code) {
                Kind::Entry => 1,
                Kind::Shim => 2,
                Kind::Python => continue,
            };
            self.changed(kind, Change::word(stack.head.0.plus(stack.head.1), 8, raw.frame.get()), request);
        }
        let layout = &self.live.interpreter.layout;
        let first = &stack.chain[stack.python[0]];
        // 3.11 and 3.12 keep the instruction before the next one.
        let before = if layout.version.triple().1 < 13 { 2 } else { 0 };
        let start = first.code.plus(layout.code.adaptive).get() - before;
        if stack.python[0] == 0 {
            self.changed(3, Change::word(first.frame.plus(layout.frame.instruction), 8, start), request);
        }
    }

    fn changed(&mut self, control: usize, mut change: Change, request: &Request<'_>) {
        // Where the word is there already, nothing has to be changed.
        let made = change.make(&mut Default::default());
        self.control(control, request);
        if made {
            change.undo();
        }
    }

    fn control(&mut self, control: usize, request: &Request<'_>) {
        let complete = |this: &mut Self, on| {
            this.walk(on, request);
            matches!(this.answer.how, How::Ended(walk) if walk.end == End::Complete)
        };
        let (bare, whole) = (complete(self, Mask::NONE), complete(self, Mask::ALL));
        for (index, &check) in self.checks().iter().enumerate() {
            let row = place(self.family, index, self.pairs + control, self.pairs);
            self.add(row + WALKS);
            if bare && !complete(self, Mask::NONE.with(check)) {
                self.add(row + ALARMS);
            }
            if !whole && complete(self, Mask::ALL.without(check)) {
                self.add(row + ONLY_ALARMS);
            }
        }
    }

    fn add(&self, index: usize) {
        let word = &self.rows[index];
        word.store(word.load(Relaxed).wrapping_add(1), Relaxed);
    }

    fn add_harm(&self, from: usize, outcome: Outcome) {
        if let Some(harm) = harm(outcome) {
            self.add(from + harm);
        }
    }
}

/// Which harm an outcome is, if any.
fn harm(outcome: Outcome) -> Option<usize> {
    match outcome {
        Outcome::WouldCrash => Some(0),
        Outcome::Hang => Some(1),
        _ if outcome.is_silent() => Some(2),
        _ => None,
    }
}

enum Kind {
    Entry,
    Shim,
    Python,
}

fn kind(live: &Live, frame: Addr, code: Addr) -> Kind {
    let layout = &live.interpreter.layout;
    let owner = live.word(frame.plus(layout.frame.owner)).map(|word| word as u8);
    if layout.frame.entry_owner.is_some() && owner == layout.frame.entry_owner {
        return Kind::Entry;
    }
    // The shim of a specialised `__init__` says that its RESUME is behind its end, so that it is never complete.
    let units = live.word(code.plus(layout.code.units));
    let resume = live.word(code.plus(layout.code.firsttraceable)).map(|word| word & 0xffff_ffff);
    match (units, resume) {
        (Some(units), Some(resume)) if resume > units && units < 16 => Kind::Shim,
        _ => Kind::Python,
    }
}

/// Rows with walks in them. `pairs` are the names of field and model.
pub fn rows(words: &[u64], pairs: &[(&str, &str)], interpreter: &str, stacks: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (family, of) in FAMILIES.iter().enumerate() {
        for (index, check) in of.checks.iter().enumerate() {
            for pair in 0..pairs.len() + CONTROLS.len() {
                let from = place(family, index, pair, pairs.len());
                let Some(words) = words.get(from..from + COLUMNS).filter(|words| words[WALKS] > 0) else {
                    continue;
                };
                let (field, model) = match pairs.get(pair) {
                    Some(named) => *named,
                    None => (Mutation::CONTROL.0, CONTROLS[pair - pairs.len()]),
                };
                let mut row = Row {
                    schema: SCHEMA,
                    interpreter: interpreter.into(),
                    family: of.name.into(),
                    check: check.name().into(),
                    field: field.into(),
                    model: model.into(),
                    stacks,
                    ..Row::default()
                };
                for (column_index, word) in words.iter().enumerate() {
                    *column(&mut row, column_index) = *word;
                }
                rows.push(row);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_they_are_counted() {
        let pairs = [("a", "b"), ("c", "d")];
        let mut all = vec![0; words(pairs.len())];
        let from = place(1, 2, 1, pairs.len());
        for index in 0..COLUMNS {
            all[from + index] = index as u64 + 1;
        }
        all[place(FAMILIES.len() - 1, 0, pairs.len() + 3, pairs.len())] = 9;
        let rows = rows(&all, &pairs, "x", 5);
        assert_eq!(rows.len(), 2);
        let row = &rows[0];
        assert_eq!(
            (row.family.as_str(), row.check.as_str()),
            (FAMILIES[1].name, FAMILIES[1].checks[2].name())
        );
        assert_eq!(
            (row.field.as_str(), row.walks, row.bare.hang, row.only.silent, row.only_alarms),
            ("c", 1, 3, 13, 16)
        );
        assert!(rows[1].is_control() && rows[1].model == CONTROLS[3]);
    }
}
