//! The image of a thread in a file: what a walk of it may touch, and the walk's answer.
//!
//! Shared by the writer (`stress/embed/examples/capture.rs`) and the fuzz targets. All numbers little-endian:
//!
//! ```text
//!  0  8 bytes   magic "sigwalk\0"
//!  8  u32       format, 1
//! 12  u32       Py_Version
//! 16  u64 × 6   tstate, PyCode_Type, PyUnicode_Type, PyBytes_Type, _PyRuntime, size of _PyRuntime
//! 64  u32 × 2   number of frames, number of regions
//!     each frame, innermost first:                     code u64, lasti i32, line i32
//!     each region, sorted by start, none overlapping:  start u64, length u32, the bytes
//! ```

/// First bytes of every image.
const MAGIC: &[u8; 8] = b"sigwalk\0";
/// Version of the format.
const FORMAT: u32 = 1;

/// A frame of the walk's answer on the undisturbed image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Address of the code object.
    pub code: u64,
    /// Instruction offset, bytes.
    pub lasti: i32,
    /// Line.
    pub line: i32,
}

/// Captured bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Address of the first byte.
    pub start: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A captured thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `Py_Version`
    pub version: u32,
    /// The thread state.
    pub tstate: u64,
    /// `PyCode_Type`
    pub code_type: u64,
    /// `PyUnicode_Type`
    pub unicode_type: u64,
    /// `PyBytes_Type`
    pub bytes_type: u64,
    /// `_PyRuntime`, of which the first KiB is in the image.
    pub runtime: u64,
    /// Size of `_PyRuntime`.
    pub runtime_size: u64,
    /// What CPython itself said of the stack.
    pub frames: Vec<Answer>,
    /// The memory.
    pub pieces: Vec<Piece>,
}

impl Image {
    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT.to_le_bytes());
        out.extend(self.version.to_le_bytes());
        for word in
            [self.tstate, self.code_type, self.unicode_type, self.bytes_type, self.runtime, self.runtime_size]
        {
            out.extend(word.to_le_bytes());
        }
        out.extend((self.frames.len() as u32).to_le_bytes());
        out.extend((self.pieces.len() as u32).to_le_bytes());
        for frame in &self.frames {
            out.extend(frame.code.to_le_bytes());
            out.extend(frame.lasti.to_le_bytes());
            out.extend(frame.line.to_le_bytes());
        }
        for piece in &self.pieces {
            out.extend(piece.start.to_le_bytes());
            out.extend((piece.bytes.len() as u32).to_le_bytes());
            out.extend(&piece.bytes);
        }
        out
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(file: &[u8]) -> Result<Image, &'static str> {
        let mut rest = Cursor(file);
        if rest.array::<8>()? != *MAGIC {
            return Err("no image: the magic is missing");
        }
        if rest.u32()? != FORMAT {
            return Err("an image of another format version");
        }
        let version = rest.u32()?;
        let mut words = [0; 6];
        for word in &mut words {
            *word = rest.u64()?;
        }
        let [tstate, code_type, unicode_type, bytes_type, runtime, runtime_size] = words;
        let (frame_count, piece_count) = (rest.u32()?, rest.u32()?);
        let mut frames = Vec::new();
        for _ in 0..frame_count {
            frames.push(Answer { code: rest.u64()?, lasti: rest.u32()? as i32, line: rest.u32()? as i32 });
        }
        let (mut pieces, mut end) = (Vec::new(), 0);
        for _ in 0..piece_count {
            let (start, len) = (rest.u64()?, rest.u32()?);
            if start < end {
                return Err("regions are not sorted, or overlap");
            }
            end = start.checked_add(u64::from(len)).ok_or("a region leaves the address space")?;
            pieces.push(Piece { start, bytes: rest.take(len as usize)?.to_vec() });
        }
        if !rest.0.is_empty() {
            return Err("bytes behind the last region");
        }
        Ok(Image {
            version,
            tstate,
            code_type,
            unicode_type,
            bytes_type,
            runtime,
            runtime_size,
            frames,
            pieces,
        })
    }
}

/// What is left of a file.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        self.array().map(u64::from_le_bytes)
    }
}
