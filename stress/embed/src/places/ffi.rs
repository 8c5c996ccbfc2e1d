//! The shim's functions, as `c/places.c` has them.

/// `struct sigwalk_place`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub start: u64,
    pub size: u64,
}

unsafe extern "C" {
    #[link_name = "sigwalk_places_version"]
    static VERSION: u32;

    pub(super) fn sigwalk_places(state: *mut Place, breaker: *mut Place, gil: *mut Place);
}

/// PY_VERSION_HEX of the headers.
pub(super) fn version() -> u32 {
    // SAFETY: a constant of the shim.
    unsafe { VERSION }
}
