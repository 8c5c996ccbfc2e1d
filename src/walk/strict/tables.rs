//! Which line tables a walk will look into: for readers that pay by the call.

use super::Request;
use crate::addr::Addr;
use crate::checks::Checks;
use crate::frame::Frame;
use crate::reader::{Block, Reader};

/// Where the lines of packed frames will be looked up: the head of each line table, as far as it is likely to be needed.
pub(super) fn of<'a, C: Checks + 'a, R: Reader>(
    checks: C,
    reader: &'a R,
    request: &'a Request<'_>,
    packed: &'a [Frame],
) -> impl Iterator<Item = Block> + Clone + 'a {
    let layout = &request.interpreter.layout;
    let untag = layout.frame.untag();
    packed.iter().filter_map(move |packed| {
        let code = Addr::new(packed.code.get() & untag);
        let table = reader.addr_at(code, layout.code.linetable).ok()?;
        let (_, _, _, instruction) = super::unpack(checks, *packed);
        let lasti = instruction.minus(code.plus(layout.code.adaptive));
        // A byte of the table a unit of code is more than most need; what is behind is read when it is wanted.
        let guess = lasti.min(2 << 10) as u32 / 2 + 96;
        table.is_pointer_shaped().then_some(Block { at: table, len: layout.text.bytes_data + guess })
    })
}
