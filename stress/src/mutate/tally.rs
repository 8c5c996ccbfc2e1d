//! What became of a walk over changed memory.

use super::names;
use super::subjects::{Answer, How};
use sigwalk::frame::Frame;
use sigwalk::reader::FaultKind;
use sigwalk::walk::{End, Site, Truncated, Walk};
use sigwalk_record::Mutation;

macro_rules! outcomes {
    ($($variant:ident = $field:ident;)*) => {
        /// An outcome, as the columns of a row have it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Outcome { $($variant,)* }

        impl Outcome {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Outcome] = &[$(Outcome::$variant),*];

            /// Its name in records.
            pub const fn name(self) -> &'static str {
                match self { $(Outcome::$variant => stringify!($field),)* }
            }

            /// Its column of a row.
            pub fn column(self, row: &mut Mutation) -> &mut u64 {
                match self { $(Outcome::$variant => &mut row.$field,)* }
            }
        }
    };
}

outcomes! {
    Unharmed = unharmed;
    Noticed = noticed;
    Recovered = recovered;
    WouldCrash = would_crash;
    Hang = hang;
    Splice = splice;
    WrongCode = wrong_code;
    WrongLine = wrong_line;
    Prefix = prefix;
    WrongName = wrong_name;
}

impl Outcome {
    /// A wrong answer that is called complete.
    pub const fn is_silent(self) -> bool {
        use Outcome::*;
        matches!(self, Splice | WrongCode | WrongLine | Prefix | WrongName)
    }
}

/// What became of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Of a crash: index of the load that failed.
    pub site: Option<usize>,
    /// Of a hang: frames followed until it was ended.
    pub hops: u32,
}

/// Judges a walk by the walker's own answer on the healthy stack, its names too where it delivers any.
pub fn judge_all(raw: bool, answer: &Answer, undisturbed: &Answer) -> Verdict {
    let verdict = judge(raw, answer, &undisturbed.frames);
    let (Some(named), Some(healthy)) = (&answer.named, &undisturbed.named) else { return verdict };
    match (verdict.outcome, named.against(healthy)) {
        (Outcome::Unharmed, names::Verdict::Missing) => Verdict { outcome: Outcome::Noticed, ..verdict },
        (Outcome::Unharmed, names::Verdict::Wrong) => Verdict { outcome: Outcome::WrongName, ..verdict },
        _ => verdict,
    }
}

/// The same of the frames alone.
pub fn judge(raw: bool, answer: &Answer, undisturbed: &[Frame]) -> Verdict {
    let of = |outcome| Verdict { outcome, site: None, hops: 0 };
    match answer.how {
        How::Crashed(site) => Verdict { site: Some(site), ..of(Outcome::WouldCrash) },
        How::Endless(hops) => Verdict { hops, ..of(Outcome::Hang) },
        How::Ended(walk) => match fault(&walk) {
            Some((_, FaultKind::Budget)) => Verdict { hops: walk.hops, ..of(Outcome::Hang) },
            Some((site, _)) if raw => Verdict { site: Some(site as usize), ..of(Outcome::WouldCrash) },
            Some(_) => of(Outcome::Recovered),
            None if walk.end == End::Complete => of(compare(&answer.frames, undisturbed)),
            None => of(Outcome::Noticed),
        },
    }
}

fn fault(walk: &Walk) -> Option<(Site, FaultKind)> {
    match walk.end {
        End::Truncated(Truncated::Fault(site, fault)) => Some((site, fault.kind)),
        _ => None,
    }
}

/// What the PR's API delivers is compared: code objects and lines. A wrong offset on the right line harms nobody.
fn compare(frames: &[Frame], undisturbed: &[Frame]) -> Outcome {
    let same = |of: fn(&Frame) -> u64, n: usize| frames.iter().map(of).eq(undisturbed[..n].iter().map(of));
    let code = |frame: &Frame| frame.code.get();
    let line = |frame: &Frame| u64::from(frame.line as u32);
    let place = |frame: &Frame| frame.frame.get();
    let all = undisturbed.len();
    if frames.len() < all {
        let n = frames.len();
        return if same(code, n) && same(line, n) { Outcome::Prefix } else { Outcome::Splice };
    }
    match (same(code, all), same(line, all)) {
        (true, true) => Outcome::Unharmed,
        (true, false) => Outcome::WrongLine,
        (false, _) if same(place, all) => Outcome::WrongCode,
        (false, _) => Outcome::Splice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk::addr::Addr;

    #[test]
    fn wrong_answers_are_told_apart() {
        let frame =
            |place, code, line| Frame { frame: Addr::new(place), code: Addr::new(code), lasti: 0, line };
        let truth = [frame(8, 100, 1), frame(16, 200, 2)];
        for (frames, expected) in [
            (vec![frame(8, 100, 1), frame(16, 200, 2)], Outcome::Unharmed),
            (vec![Frame { lasti: 4, ..frame(8, 100, 1) }, frame(16, 200, 2)], Outcome::Unharmed),
            (vec![frame(8, 100, 1)], Outcome::Prefix),
            (vec![], Outcome::Prefix),
            (vec![frame(8, 100, 7)], Outcome::Splice),
            (vec![frame(8, 100, 1), frame(16, 200, 3)], Outcome::WrongLine),
            (vec![frame(8, 100, 1), frame(16, 300, 2)], Outcome::WrongCode),
            (vec![frame(8, 100, 1), frame(24, 300, 2)], Outcome::Splice),
            (vec![frame(8, 100, 1), frame(12, 200, 2), frame(16, 200, 2)], Outcome::Splice),
        ] {
            assert_eq!(compare(&frames, &truth), expected, "{frames:?}");
        }
    }
}
