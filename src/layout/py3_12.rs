//! CPython 3.12: checked against 3.12.1.

use super::{
    CodeLayout, FrameLayout, Head, Layout, Outermost, RuntimeLayout, TextLayout, ThreadLayout, Version,
};

pub(super) const LAYOUT: Layout = Layout {
    version: Version::from_hex(0x030c_0000),
    runtime: RuntimeLayout {
        interpreters_head: 40,
        auto_tss_key: Some(1544),
        interp_next: 0,
        threads_head: 72,
        code_object_generation: None,
    },
    thread: ThreadLayout {
        prev: 0,
        next: 8,
        interp: 16,
        head: Head::Cframe { cframe: 56, current_frame: 0 },
        thread_id: 136,
        native_thread_id: 144,
        datastack_chunk: 232,
    },
    frame: FrameLayout {
        executable: 0,
        previous: 8,
        globals: 24,
        builtins: 32,
        instruction: 56,
        owner: 70,
        size: 80,
        entry_owner: Some(3),
        tagged: false,
        outermost: Outermost::EntryFrame,
    },
    code: CodeLayout {
        ob_type: 8,
        units: 16,
        filename: 112,
        name: 120,
        qualname: 128,
        version: Some(92),
        linetable: 136,
        firstlineno: 68,
        monitoring: Some(168),
        monitoring_lines: 40,
        firsttraceable: 176,
        adaptive: 192,
        size: 200,
    },
    text: TextLayout {
        bytes_size: 16,
        bytes_data: 32,
        length: 16,
        state: 32,
        ascii_data: 40,
        compact_data: 56,
    },
};
