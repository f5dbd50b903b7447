//! A part of a text, as two offsets instead of a slice: four bytes, and no counter to keep.

/// From `start` up to `end`. Texts are at most 65,535 bytes long, as datagrams are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u16,
    pub end: u16,
}

impl Span {
    /// Offsets beyond 65,535 are cut off; the callers have checked the length.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Self { start: short(start), end: short(end) }
    }

    /// Where `part` lies in `whole`, of which it is a slice.
    pub(super) fn of(whole: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        Self::new(start, start + part.len())
    }

    /// The part itself; empty if `whole` is another text.
    pub(super) fn in_(self, whole: &[u8]) -> &[u8] {
        whole.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}
