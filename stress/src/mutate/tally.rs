//! What became of a walk over changed memory.

use sigwalk::frame::Frame;
use sigwalk::reader::FaultKind;
use sigwalk::walk::{End, Walk};
use sigwalk::walkers::Reads;
use sigwalk_record::Mutation;

/// Counts a walk by comparing it with the walker's own answer on the healthy stack.
pub(super) fn tally(row: &mut Mutation, reads: Reads, walk: &Walk, frames: &[Frame], undisturbed: &[Frame]) {
    row.walks += 1;
    match (walk.fault(), walk.end) {
        (Some((_, FaultKind::Budget)), _) => row.hang += 1,
        (Some((site, _)), _) if reads == Reads::Raw => {
            row.would_crash += 1;
            *row.crash_sites.entry(site.name().into()).or_default() += 1;
        }
        (Some(_), _) => row.recovered += 1,
        (None, End::Complete) => {
            // What the PR's API delivers: code objects and lines. A wrong offset on the right line harms nobody.
            let code = |frame: &Frame| frame.code;
            let answer = |frame: &Frame| (frame.code, frame.line);
            let same = |n: usize| frames.iter().map(answer).eq(undisturbed[..n].iter().map(answer));
            if same(undisturbed.len()) {
                row.unharmed += 1;
            } else if frames.len() < undisturbed.len() && same(frames.len()) {
                row.prefix += 1;
            } else if frames.iter().map(code).eq(undisturbed.iter().map(code)) {
                row.wrong_line += 1;
            } else {
                row.splice += 1;
            }
        }
        (None, End::Truncated(_) | End::Rejected(_)) => row.noticed += 1,
    }
}
