//! CPython 3.11: checked against 3.11.2 and 3.11.7.

use super::{
    CodeLayout, FrameLayout, Head, Layout, Outermost, RuntimeLayout, TextLayout, ThreadLayout, Version,
};

pub(super) const LAYOUT: Layout = Layout {
    version: Version::from_hex(0x030b_0000),
    runtime: RuntimeLayout {
        interpreters_head: 40,
        auto_tss_key: Some(592),
        interp_next: 0,
        threads_head: 16,
        code_object_generation: None,
    },
    thread: ThreadLayout {
        prev: 0,
        next: 8,
        interp: 16,
        head: Head::Cframe { cframe: 56, current_frame: 8 },
        thread_id: 152,
        native_thread_id: 160,
        datastack_chunk: 296,
    },
    frame: FrameLayout {
        executable: 32,
        previous: 48,
        globals: 8,
        builtins: 16,
        instruction: 56,
        owner: 69,
        size: 80,
        entry_owner: None,
        tagged: false,
        outermost: Outermost::IsEntry(68),
    },
    code: CodeLayout {
        ob_type: 8,
        units: 16,
        filename: 112,
        name: 120,
        qualname: 128,
        version: None,
        linetable: 136,
        firstlineno: 72,
        monitoring: None,
        monitoring_lines: 0,
        firsttraceable: 168,
        adaptive: 184,
        size: 192,
    },
    text: TextLayout {
        bytes_size: 16,
        bytes_data: 32,
        length: 16,
        state: 32,
        ascii_data: 48,
        compact_data: 72,
    },
};
