//! The random bytes of one request, drawn many at a time: a call out of the wasm for each id costs more than its bytes.

use std::cell::RefCell;

/// Bytes of one draw: more than a read of a page takes.
const DRAWN: usize = 128;

/// Bytes that were drawn for one request and not given out yet. They are kept for no other one.
pub struct RandomBytes {
    draw: fn(&mut [u8]),
    left: RefCell<Vec<u8>>,
}

impl RandomBytes {
    /// `draw` fills a buffer with unpredictable bytes.
    pub fn new(draw: fn(&mut [u8])) -> Self {
        Self { draw, left: RefCell::default() }
    }

    /// Fills a buffer with bytes that are given out once.
    pub fn fill(&self, bytes: &mut [u8]) {
        let mut left = self.left.borrow_mut();
        if left.len() < bytes.len() {
            left.resize(DRAWN.max(bytes.len()), 0);
            (self.draw)(&mut left);
        }
        let rest = left.len() - bytes.len();
        bytes.copy_from_slice(&left[rest..]);
        left.truncate(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static DRAWS: Cell<usize> = const { Cell::new(0) };
        static COUNTER: Cell<u32> = const { Cell::new(0) };
    }

    /// Four bytes at a time that were never drawn before.
    fn draw(bytes: &mut [u8]) {
        DRAWS.set(DRAWS.get() + 1);
        for four in bytes.chunks_mut(4) {
            COUNTER.set(COUNTER.get() + 1);
            four.copy_from_slice(&COUNTER.get().to_be_bytes()[..four.len()]);
        }
    }

    #[test]
    fn no_byte_is_given_out_twice_and_few_draws_are_made() {
        let random = RandomBytes::new(draw);
        let mut given = Vec::new();
        for _ in 0..100 {
            let mut four = [0; 4];
            random.fill(&mut four);
            given.push(four);
        }
        given.sort_unstable();
        given.dedup();
        assert_eq!((given.len(), given[0], DRAWS.get()), (100, [0, 0, 0, 1], 4));
    }

    #[test]
    fn buffer_larger_than_a_draw_and_empty_one_are_filled() {
        let random = RandomBytes::new(draw);
        let mut large = [0; 3 * DRAWN];
        random.fill(&mut large);
        assert!(large.chunks(4).all(|four| four != [0; 4]));
        random.fill(&mut []);
        assert_eq!(DRAWS.get(), 1);
    }

    #[test]
    fn bytes_that_are_left_serve_no_other_request() {
        let (mut first, mut second) = ([0; 4], [0; 4]);
        RandomBytes::new(draw).fill(&mut first);
        RandomBytes::new(draw).fill(&mut second);
        assert_eq!(DRAWS.get(), 2);
        assert_ne!(first, second);
    }
}
