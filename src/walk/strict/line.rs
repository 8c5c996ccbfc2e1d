//! The line of a frame whose code object and instruction offset are believed.

use super::{At, Rejected, Request, Site, Stop};
use crate::addr::Addr;
use crate::frame::Frame;
use crate::line_table::{self, LineError};
use crate::reader::{Block, Reader};

/// The line of byte offset `lasti`, or [`crate::frame::NO_LINE`].
fn of<R: Reader>(reader: &R, request: &Request<'_>, code: Addr, lasti: i32) -> Result<i32, Stop> {
    let interpreter = request.interpreter;
    let layout = &interpreter.layout;
    let first = reader.u32_at(code, layout.code.firstlineno).at(Site::CodeFirstlineno)? as i32;
    let table = reader.addr_at(code, layout.code.linetable).at(Site::CodeLinetable)?;
    if !table.is_pointer_shaped()
        || reader.addr_at(table, layout.code.ob_type).at(Site::LinetableType)? != interpreter.bytes_type
    {
        return Err(Rejected::Linetable.into());
    }
    let len = reader.u64_at(table, layout.text.bytes_size).at(Site::LinetableSize)?;
    match line_table::line_at(reader, table.plus(layout.text.bytes_data), len, first, lasti) {
        Ok(line) => Ok(line.or_minus_one()),
        Err(LineError::Fault(fault)) => Err(fault).at(Site::Linetable),
        Err(_) => Err(Rejected::Linetable.into()),
    }
}

/// Fills the lines of finished frames in. On an error, its index.
#[inline(always)]
pub(super) fn fill<R: Reader>(
    reader: &R,
    request: &Request<'_>,
    frames: &mut [Frame],
) -> Result<(), (usize, Stop)> {
    for (index, frame) in frames.iter_mut().enumerate() {
        frame.line = of(reader, request, frame.code, frame.lasti).map_err(|stop| (index, stop))?;
    }
    Ok(())
}

/// Where the lines of packed frames will be looked up: the head of each line table, as far as it is likely to be needed.
pub(super) fn tables<'a, R: Reader>(
    reader: &'a R,
    request: &'a Request<'_>,
    packed: &'a [Frame],
) -> impl Iterator<Item = Block> + Clone + 'a {
    let layout = &request.interpreter.layout;
    let untag = layout.frame.untag();
    packed.iter().filter_map(move |packed| {
        let code = Addr::new(packed.code.get() & untag);
        let table = reader.addr_at(code, layout.code.linetable).ok()?;
        let (_, _, _, instruction) = super::unpack(*packed);
        let lasti = instruction.minus(code.plus(layout.code.adaptive));
        // A byte of the table a unit of code is more than most need; what is behind is read when it is wanted.
        let guess = lasti.min(2 << 10) as u32 / 2 + 96;
        table.is_pointer_shaped().then_some(Block { at: table, len: layout.text.bytes_data + guess })
    })
}
