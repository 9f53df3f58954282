//! `Range` of a download (RFC 9110, section 14), one range only.

use bytes::Bytes;

/// A part of so many bytes; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: usize,
    last: usize,
}

/// What a client has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requested {
    /// All of it; also where the header makes no sense, as the RFC has it.
    Everything,
    /// A part.
    Part(Range),
    /// A part that does not exist.
    Nothing,
}

impl Range {
    /// Reads the header's value for a resource of `size` bytes.
    pub(super) fn read(header: &str, size: usize) -> Requested {
        let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
            return Requested::Everything;
        };
        let end = size.saturating_sub(1);
        let range = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
            (Ok(first), Ok(last)) if first <= last => Self { first, last: last.min(end) },
            (Ok(first), Err(_)) if last.trim().is_empty() => Self { first, last: end },
            (Err(_), Ok(suffix)) if first.trim().is_empty() && suffix > 0 => {
                Self { first: size.saturating_sub(suffix), last: end }
            }
            _ => return Requested::Everything,
        };
        if range.first < size { Requested::Part(range) } else { Requested::Nothing }
    }

    /// That part of the bytes.
    pub(super) fn of(self, bytes: &Bytes) -> Bytes {
        bytes.slice(self.first..=self.last)
    }

    /// The value of `Content-Range`.
    pub(super) fn content_range(self, size: usize) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_there_is() {
        for (header, wanted) in [
            ("", Requested::Everything),
            ("bytes=2-1", Requested::Everything),
            ("items=0-1", Requested::Everything),
            ("bytes=0-1", Requested::Part(Range { first: 0, last: 1 })),
            ("bytes=3-", Requested::Part(Range { first: 3, last: 9 })),
            ("bytes=-3", Requested::Part(Range { first: 7, last: 9 })),
            ("bytes=-30", Requested::Part(Range { first: 0, last: 9 })),
            ("bytes=8-99", Requested::Part(Range { first: 8, last: 9 })),
            ("bytes=10-", Requested::Nothing),
        ] {
            assert_eq!(Range::read(header, 10), wanted, "{header}");
        }
        assert_eq!(Range::read("bytes=0-", 0), Requested::Nothing);
    }
}
