//! How an answer differs from the truth. The silent kinds of `sigwalk_record::Tallies`, decided exactly: both stacks are known.

use crate::page::Tally;
use sigwalk::frame::{Frame, NO_LASTI};

/// What is wrong with `said`, which claims to be all frames; `None` when it is exactly the truth. `there` is how many frames
/// there are, of which `truth` has as many as fitted.
pub fn difference(truth: &[Frame], there: usize, said: &[Frame]) -> Option<Tally> {
    if said.len() == there && same(truth, said) {
        return None;
    }
    let functions = |truth: &[Frame], said: &[Frame]| {
        truth.len() == said.len() && truth.iter().zip(said).all(|(truth, said)| is_function(truth, said))
    };
    let inner = truth.get(..said.len()).unwrap_or_default();
    let outer = said.get(said.len().saturating_sub(truth.len())..).unwrap_or_default();
    Some(if said.len() == there && functions(truth, said) {
        Tally::WrongLine
    } else if said.len() < there && same(inner, said) {
        Tally::Prefix
    } else if said.len() > there && same(truth, outer) {
        Tally::Stale
    } else {
        Tally::Splice
    })
}

/// Whether the frames are the same, in the same order.
pub fn same(truth: &[Frame], said: &[Frame]) -> bool {
    truth.len() == said.len()
        && truth.iter().zip(said).all(|(truth, said)| {
            is_function(truth, said)
                && truth.line == said.line
                && (said.lasti == NO_LASTI || truth.lasti == said.lasti)
        })
}

fn is_function(truth: &Frame, said: &Frame) -> bool {
    truth.code == said.code && (said.frame.is_null() || truth.frame == said.frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigwalk::addr::Addr;

    /// A frame of the function `code`, with a frame address of its own.
    fn frame(code: u64, line: i32) -> Frame {
        Frame { frame: Addr::new(code * 16), code: Addr::new(code), lasti: 2 * line, line }
    }

    fn truth() -> Vec<Frame> {
        vec![frame(1, 10), frame(2, 20), frame(3, 30)]
    }

    fn judged(change: impl FnOnce(&mut Vec<Frame>)) -> Option<Tally> {
        let mut said = truth();
        change(&mut said);
        difference(&truth(), 3, &said)
    }

    #[test]
    fn the_truth_is_no_difference() {
        assert_eq!(judged(|_| ()), None);
        assert_eq!(judged(|said| said[1].lasti = NO_LASTI), None, "not every walker gives the offset");
        assert_eq!(judged(|said| said[1].frame = Addr::NULL), None, "nor the frame");
        assert_eq!(difference(&[], 0, &[]), None);
    }

    #[test]
    fn each_kind_of_difference_has_its_name() {
        assert_eq!(judged(|said| said[1].line += 1), Some(Tally::WrongLine));
        assert_eq!(judged(|said| said[2].line -= 1), Some(Tally::WrongLine));
        assert_eq!(judged(|said| said[0].lasti += 2), Some(Tally::WrongLine), "an offset is a finer line");
        assert_eq!(judged(|said| said.truncate(2)), Some(Tally::Prefix));
        assert_eq!(judged(Vec::clear), Some(Tally::Prefix));
        assert_eq!(judged(|said| said.insert(0, frame(9, 1))), Some(Tally::Stale));
        assert_eq!(
            judged(|said| *said = said.split_off(1)),
            Some(Tally::Splice),
            "the innermost frame is missing"
        );
        assert_eq!(judged(|said| said.retain(|frame| frame.line != 20)), Some(Tally::Splice));
        assert_eq!(judged(|said| said.swap(0, 1)), Some(Tally::Splice), "the order counts");
        assert_eq!(judged(|said| said.push(frame(9, 1))), Some(Tally::Splice));
        assert_eq!(
            judged(|said| said[2].frame = Addr::new(8)),
            Some(Tally::Splice),
            "another frame of the function"
        );
    }

    #[test]
    fn an_answer_that_ends_where_the_buffer_does_is_a_prefix() {
        assert_eq!(difference(&truth(), 4, &truth()), Some(Tally::Prefix));
        assert_eq!(difference(&[], 0, &truth()), Some(Tally::Stale));
    }
}
