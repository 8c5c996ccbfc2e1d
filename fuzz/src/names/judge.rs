//! What a copy must be.

use super::reference::Expected;
use crate::violation;
use sigwalk::text::{Copied, TextError};

/// A copy beside that of the reference.
pub fn copied(seed: &str, into: &[u8], found: Result<Copied, TextError>, expected: &Expected) {
    let same = match (found, &expected.copy) {
        (Ok(found), Ok((bytes, truncated))) => {
            into.get(..found.bytes) == Some(&bytes[..]) && found.truncated == *truncated
        }
        // Which byte could not be read is not promised.
        (Err(TextError::Fault(_)), Err(TextError::Fault(_))) => true,
        (Err(TextError::Fault(_)), _) => expected.may_fault,
        (Err(found), Err(expected)) => found == *expected,
        _ => false,
    };
    if !same {
        violation::copied_text_differs_from_the_reference(
            seed,
            &format!("{found:?}"),
            &format!("{expected:?}"),
        );
    }
}

/// Escaped text is printable ASCII.
pub fn ascii(seed: &str, bytes: &[u8]) {
    if bytes.iter().any(|byte| !(b' '..=b'~').contains(byte)) {
        violation::escaped_text_is_not_printable(seed, bytes);
    }
}
