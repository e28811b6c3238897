//! Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, and a bit that says whether
//! more follow (LEB128). Most numbers of an index are small.

const MORE: u8 = 0x80;

/// Appends a number.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= u32::from(MORE) {
        out.push(number as u8 | MORE);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads numbers that [`put`] wrote. Behind the last one all are 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn number(&mut self) -> u32 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        let mut number = u32::from(first & !MORE);
        let (mut byte, mut shift) = (first, 7);
        while byte & MORE != 0 && shift < u32::BITS {
            let Some((&next, rest)) = self.0.split_first() else {
                break;
            };
            self.0 = rest;
            byte = next;
            number |= u32::from(byte & !MORE) << shift;
            shift += 7;
        }
        number
    }

    /// The bytes of the next numbers, which are passed over.
    #[inline]
    pub(crate) fn pass(&mut self, count: u32) -> &'a [u8] {
        let (mut left, mut end) = (count, 0);
        while left > 0 && end < self.0.len() {
            left -= u32::from(self.0[end] & MORE == 0);
            end += 1;
        }
        let (passed, rest) = self.0.split_at(end);
        self.0 = rest;
        passed
    }
}

/// Counts are far below this: what is indexed at once is some ten megabytes of text.
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX - 1, u32::MAX];
        let mut out = Vec::new();
        for number in numbers {
            put(&mut out, number);
        }
        let mut reader = Reader(&out);
        for number in numbers {
            assert_eq!(reader.number(), number);
        }
        assert_eq!(reader.number(), 0);
        let mut reader = Reader(&out);
        let passed = reader.pass(4);
        assert_eq!((passed.len(), reader.number()), (5, 300));
    }
}
