//! An order of texts in which each stands near those that it shares most with.
//!
//! gzip finds repetitions within 32 kB, and the compiler makes many copies of a generic function, also of one that was inlined
//! into functions with other names.

use std::collections::HashMap;

/// Bytes of a piece, by which texts are compared.
const PIECE: usize = 6;
/// Every second piece is compared, chosen by its hash and so the same ones in every text.
const SAMPLED: u64 = 2;
/// A piece that stands in more texts than this tells nothing.
const COMMON: usize = 128;
/// Bytes that gzip looks back, with room for the text that is to come.
const WINDOW: usize = 30_000;

/// The pieces of each text that others have too, and the texts of each piece, all by number.
struct Pieces {
    of_text: Vec<Vec<usize>>,
    texts: Vec<Vec<usize>>,
}

impl Pieces {
    fn read(texts: &[&[u8]]) -> Self {
        let mut numbers: HashMap<u64, usize> = HashMap::new();
        let mut pieces = Self { of_text: vec![Vec::new(); texts.len()], texts: Vec::new() };
        for (text, bytes) in texts.iter().enumerate() {
            for hash in bytes.windows(PIECE).map(hash).filter(|hash| hash % SAMPLED == 0) {
                let piece = *numbers.entry(hash).or_insert(pieces.texts.len());
                if piece == pieces.texts.len() {
                    pieces.texts.push(Vec::new());
                }
                if pieces.texts[piece].last() != Some(&text) {
                    pieces.texts[piece].push(text);
                    pieces.of_text[text].push(piece);
                }
            }
        }
        for of_text in &mut pieces.of_text {
            of_text.retain(|piece| (2..=COMMON).contains(&pieces.texts[*piece].len()));
        }
        pieces
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// Begins with the first text. Each next one is that which shares most with what stands within the window, in proportion to the root
/// of its own size; where none shares anything, the first that is left. The same texts in the same order give the same result.
pub fn order(texts: &[&[u8]]) -> Vec<usize> {
    let pieces = Pieces::read(texts);
    let mut left: Vec<usize> = (0..texts.len()).collect();
    let mut ordered: Vec<usize> = Vec::with_capacity(texts.len());
    let (mut start, mut size) = (0, 0);
    // `present`: uses of each piece in the window; `shared`: number of each text's pieces in the window.
    let (mut present, mut shared) = (vec![0_u32; pieces.texts.len()], vec![0_usize; texts.len()]);
    let sizes: Vec<usize> = pieces.of_text.iter().map(|pieces| pieces.len().max(1)).collect();
    while !left.is_empty() {
        // Squared, so that whole numbers do.
        let is_nearer =
            |one: usize, other: usize| shared[one].pow(2) * sizes[other] > shared[other].pow(2) * sizes[one];
        let mut best = 0;
        for at in 1..left.len() {
            if is_nearer(left[at], left[best]) {
                best = at;
            }
        }
        let next = left.remove(best);
        ordered.push(next);
        size += texts[next].len();
        for piece in &pieces.of_text[next] {
            present[*piece] += 1;
            if present[*piece] == 1 {
                pieces.texts[*piece].iter().for_each(|text| shared[*text] += 1);
            }
        }
        while size > WINDOW && start + 1 < ordered.len() {
            let gone = ordered[start];
            (start, size) = (start + 1, size - texts[gone].len());
            for piece in &pieces.of_text[gone] {
                present[*piece] -= 1;
                if present[*piece] == 0 {
                    pieces.texts[*piece].iter().for_each(|text| shared[*text] -= 1);
                }
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn texts_that_share_most_stand_side_by_side_and_every_text_is_there_once() {
        let texts = [
            "one, two, three, four, five",
            "alpha beta gamma delta epsilon",
            "one, two, three, four, six",
            "",
            "alpha beta gamma delta zeta",
        ];
        let texts = texts.map(str::as_bytes);
        let ordered = order(&texts);
        assert_eq!(ordered[..2], [0, 2]);
        let place = |text| ordered.iter().position(|other| *other == text).expect("each is there");
        assert_eq!(place(1).abs_diff(place(4)), 1, "{ordered:?}");
        let mut all = ordered.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn text_that_shares_only_with_what_left_the_window_keeps_its_place() {
        let long: Vec<u8> =
            (0..40_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let texts: [&[u8]; 4] =
            [b"a first text with words", &long, b"something of its own", b"a first text with words."];
        assert_eq!(order(&texts)[..2], [0, 3]);
        assert_eq!(order(&[]), Vec::<usize>::new());
    }
}
