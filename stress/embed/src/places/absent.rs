//! Where the shim was not compiled: `of_this_thread` says so.

/// `struct sigwalk_place`
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub start: u64,
    pub size: u64,
}

pub(super) unsafe fn sigwalk_places(_: *mut Place, _: *mut Place, _: *mut Place) {
    unreachable!("the places are not available");
}

pub(super) fn version() -> u32 {
    0
}
