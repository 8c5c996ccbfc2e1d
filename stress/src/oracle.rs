//! The oracle: labels a stack possible or impossible from the target's program text.
//!
//! Every function of a target has its own code object and every call site its own line, so each consecutive pair of
//! frames proves itself: the outer one must be a caller of the inner one, and must stand at a line where it calls it.
//! The target hands over its call graph; the check runs in the handler, right after the walk, without allocation.

use sigwalk::frame::{Frame, NO_LINE};
use std::sync::atomic::{AtomicBool, Ordering};

/// The caller of a root: the end of a chain.
pub const END: u64 = 0;

/// Stands for every code object that the oracle was not told of, where a target makes code while it runs (`exec` in a
/// loop): such code has no address that could be known beforehand. Which of them a frame shows is then not judged; where it
/// stands, who called it, whom it calls and at which of its lines still is.
pub const FRESH: u64 = u64::MAX;

/// A call site: `caller` (a code object, or [`END`]) calls `callee` at `line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Address of the callee's code object.
    pub callee: u64,
    /// Address of the caller's code object, or [`END`].
    pub caller: u64,
    /// Line of the call; 0 for [`END`].
    pub line: i32,
}

/// A code object of the target.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its address.
    pub address: u64,
    /// Its name, for notes.
    pub name: String,
    /// Lines its instructions have; [`NO_LINE`] when some have none.
    pub lines: Vec<i32>,
}

/// What is known of the target's stacks. Immutable once trials begin.
#[derive(Debug, Default)]
pub struct Oracle {
    codes: Vec<Code>,
    edges: Vec<Edge>,
    /// A stack with an unknown code object is not judged instead of impossible: for phases in which CPython runs code of
    /// its own (finalisation).
    pub lenient: AtomicBool,
}

/// What the oracle says of a stack that a walker called complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be.
    Possible,
    /// It has an edge, or a code object, that does not exist.
    Splice,
    /// The functions can be, a line cannot.
    WrongLine,
    /// It ends at a frame that no chain ends with.
    Prefix,
}

impl Oracle {
    /// From the call graph.
    #[must_use]
    pub fn new(mut codes: Vec<Code>, mut edges: Vec<Edge>) -> Self {
        codes.sort_by_key(|code| code.address);
        codes.iter_mut().for_each(|code| code.lines.sort_unstable());
        edges.sort_unstable();
        Oracle { codes, edges, lenient: AtomicBool::new(false) }
    }

    /// For a program whose call graph nobody knows: every stack is possible.
    #[must_use]
    pub fn absent() -> &'static Self {
        static ABSENT: Oracle =
            Oracle { codes: Vec::new(), edges: Vec::new(), lenient: AtomicBool::new(true) };
        &ABSENT
    }

    fn code(&self, address: u64) -> Option<&Code> {
        match self.codes.binary_search_by_key(&address, |code| code.address) {
            Ok(index) => self.codes.get(index),
            Err(_) => self.codes.last().filter(|code| code.address == FRESH),
        }
    }

    /// The address by which edges know the code object: its own, or [`FRESH`].
    fn known(&self, address: u64) -> u64 {
        self.code(address).map_or(address, |code| code.address)
    }

    /// Name of the function, or the address.
    #[must_use]
    pub fn describe(&self, frame: &Frame) -> String {
        match self.code(frame.code.get()) {
            Some(code) => format!("{}:{}", code.name, frame.line),
            None => format!("?{}:{}", frame.code, frame.line),
        }
    }

    /// Judges a stack, innermost frame first. An empty stack is possible: the thread was between two calls.
    #[must_use]
    pub fn judge(&self, frames: &[Frame]) -> Verdict {
        let unknown = if self.lenient.load(Ordering::Relaxed) { Verdict::Possible } else { Verdict::Splice };
        let mut wrong_line = false;
        for (index, frame) in frames.iter().enumerate() {
            let Some(code) = self.code(frame.code.get()) else {
                return unknown;
            };
            wrong_line |= code.lines.binary_search(&frame.line).is_err();
            let outer = frames.get(index + 1);
            let caller = outer.map_or(END, |outer| self.known(outer.code.get()));
            let calls = self.edges_between(code.address, caller);
            if calls.is_empty() {
                return match outer {
                    Some(outer) if self.code(outer.code.get()).is_none() => unknown,
                    Some(_) => Verdict::Splice,
                    None => Verdict::Prefix,
                };
            }
            if let Some(outer) = outer {
                wrong_line |= calls.iter().all(|edge| edge.line != outer.line);
            }
        }
        if wrong_line { Verdict::WrongLine } else { Verdict::Possible }
    }

    fn edges_between(&self, callee: u64, caller: u64) -> &[Edge] {
        let key = |edge: &Edge| (edge.callee, edge.caller);
        let from = self.edges.partition_point(|edge| key(edge) < (callee, caller));
        let to = self.edges.partition_point(|edge| key(edge) <= (callee, caller));
        &self.edges[from..to]
    }
}

/// Lines of a code object as the target hands them over: `None` means that some instruction has no line.
#[must_use]
pub fn line_or_none(line: Option<i32>) -> i32 {
    line.unwrap_or(NO_LINE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk::addr::Addr;

    const LEAF: u64 = 0x10;
    const NODE: u64 = 0x20;
    const ROOT: u64 = 0x30;

    fn oracle() -> Oracle {
        let code =
            |address, name: &str, lines: &[i32]| Code { address, name: name.into(), lines: lines.into() };
        let edge = |callee, caller, line| Edge { callee, caller, line };
        Oracle::new(
            vec![code(LEAF, "leaf", &[1, 2]), code(NODE, "node", &[5, 6, 7]), code(ROOT, "root", &[9])],
            vec![edge(LEAF, NODE, 6), edge(LEAF, NODE, 7), edge(NODE, ROOT, 9), edge(ROOT, END, 0)],
        )
    }

    fn stack(frames: &[(u64, i32)]) -> Vec<Frame> {
        frames.iter().map(|&(code, line)| Frame { code: Addr::new(code), line, ..Frame::default() }).collect()
    }

    #[test]
    fn each_kind_of_wrong_answer_has_its_verdict() {
        let oracle = oracle();
        for (frames, verdict) in [
            (&[][..], Verdict::Possible),
            (&[(LEAF, 2), (NODE, 7), (ROOT, 9)], Verdict::Possible),
            (&[(NODE, 5), (ROOT, 9)], Verdict::Possible),
            (&[(LEAF, 2), (NODE, 5), (ROOT, 9)], Verdict::WrongLine), // node does not call at 5
            (&[(LEAF, 3), (NODE, 6), (ROOT, 9)], Verdict::WrongLine), // leaf has no line 3
            (&[(LEAF, 2), (ROOT, 9)], Verdict::Splice),               // root does not call leaf
            (&[(0x99, 2), (NODE, 6), (ROOT, 9)], Verdict::Splice),    // nobody's code
            (&[(LEAF, 2), (NODE, 7)], Verdict::Prefix),               // node is no root
        ] {
            assert_eq!(oracle.judge(&stack(frames)), verdict, "{frames:?}");
        }
    }

    #[test]
    fn fresh_code_is_judged_by_where_it_stands() {
        let code = Code { address: FRESH, name: "fresh".into(), lines: vec![1, 3] };
        let edge = |callee, caller, line| Edge { callee, caller, line };
        let Oracle { mut codes, mut edges, .. } = oracle();
        codes.push(code);
        edges.extend([edge(FRESH, NODE, 5), edge(FRESH, FRESH, 3), edge(LEAF, FRESH, 1)]);
        let oracle = Oracle::new(codes, edges);
        for (frames, verdict) in [
            (&[(0x99, 1), (0x98, 3), (NODE, 5), (ROOT, 9)][..], Verdict::Possible),
            (&[(LEAF, 1), (0x99, 1), (NODE, 5), (ROOT, 9)], Verdict::Possible),
            (&[(0x99, 2), (NODE, 5), (ROOT, 9)], Verdict::WrongLine), // no fresh code has a line 2
            (&[(0x99, 1), (NODE, 6), (ROOT, 9)], Verdict::WrongLine), // node does not run it there
            (&[(LEAF, 1), (0x99, 3), (NODE, 5), (ROOT, 9)], Verdict::WrongLine), // it calls leaf at 1
            (&[(NODE, 5), (0x99, 1), (NODE, 5), (ROOT, 9)], Verdict::Splice), // it does not call node
            (&[(0x99, 1)], Verdict::Prefix),
        ] {
            assert_eq!(oracle.judge(&stack(frames)), verdict, "{frames:?}");
        }
    }

    #[test]
    fn a_lenient_oracle_judges_only_what_it_knows() {
        let oracle = Oracle { lenient: AtomicBool::new(true), ..oracle() };
        assert_eq!(oracle.judge(&stack(&[(LEAF, 2), (0x99, 1)])), Verdict::Possible);
        assert_eq!(oracle.judge(&stack(&[(LEAF, 2), (ROOT, 9)])), Verdict::Splice);
        assert_eq!(oracle.judge(&stack(&[(LEAF, 2), (NODE, 7)])), Verdict::Prefix);
    }
}
