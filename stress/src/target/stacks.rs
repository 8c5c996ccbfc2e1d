//! The data stack: what its memory was before, and where its chunks end.

use super::{PLAIN, Target};

/// This family's targets.
pub const ALL: &[Target] = &[
    Target {
        name: "frame-reuse",
        about: "S4: frames of other sizes on the same stretch of the data stack",
        ids: &["S4", "R12", "PR-R2"],
        params: &[
            ("depth", "40", "length of each of the two chains"),
            ("small", "0", "slots more in every other frame"),
            ("large", "20", "slots more in the frames between"),
            ("repeats", "5", "times each chain is called in a pass"),
        ],
        source: include_str!("frame_reuse.py"),
        ..PLAIN
    },
    Target {
        name: "chunk-crossing",
        about: "S5: a chain over several chunks of the data stack, up and down",
        ids: &["S5", "R6", "P3"],
        params: &[
            ("depth", "24", "length of the chain"),
            ("slots", "300", "slots more in each frame"),
            ("repeats", "5", "times it is called in a pass"),
        ],
        source: include_str!("chunk_crossing.py"),
        ..PLAIN
    },
    Target {
        name: "deep",
        about: "S20: a stack of more than 100 frames",
        ids: &["S20", "R13"],
        params: &[
            ("depth", "120", "length of the chain (a walk delivers 128 frames)"),
            ("slots", "0", "slots more in each frame"),
            ("repeats", "3", "times it is called in a pass"),
        ],
        source: include_str!("deep.py"),
        ..PLAIN
    },
    Target {
        name: "large-frames",
        about: "S20: frames that need chunks larger than the usual, of several sizes",
        ids: &["S20"],
        params: &[
            ("depth", "6", "length of the chain"),
            ("slots", "1100", "slots more in the first frame; each next one has half as many more"),
            ("repeats", "2", "times it is called in a pass"),
        ],
        source: include_str!("large_frames.py"),
        ..PLAIN
    },
];
