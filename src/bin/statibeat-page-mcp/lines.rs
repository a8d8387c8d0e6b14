//! Lines of standard input, read on a thread of their own and handed over in order. A line longer than is read is skipped
//! to its end, never kept.

use futures_channel::mpsc::Sender;
use futures_executor::block_on;
use futures_util::future::poll_fn;
use std::io::{BufRead, ErrorKind};
use std::thread;

/// The longest line that is read. The longest regular one is a tool's call with every text at its limit, some 60 kB.
pub const LONGEST: usize = 4 * 1024 * 1024;

/// Messages in the order of arrival.
pub enum Input {
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line that was too long.
    TooLong,
    /// The client closed its end.
    Closed,
    /// A signal asked us to stop.
    Stop,
}

/// Reads until the end, or until nobody listens. The channel's bound holds the reading back while there is enough to do.
pub fn read_on_a_thread(mut input: impl BufRead + Send + 'static, mut sender: Sender<Input>) {
    thread::spawn(move || {
        loop {
            let next = read(&mut input);
            let is_end = matches!(next, Input::Closed);
            if block_on(poll_fn(|ctx| sender.poll_ready(ctx))).is_err() || sender.start_send(next).is_err() || is_end {
                return;
            }
        }
    });
}

/// The next line that is not blank.
fn read(input: &mut impl BufRead) -> Input {
    loop {
        match read_to_end_of_line(input) {
            None => return Input::Closed,
            Some((_, true)) => return Input::TooLong,
            Some((line, false)) if !line.trim_ascii().is_empty() => return Input::Line(line),
            Some((_, false)) => {}
        }
    }
}

fn read_to_end_of_line(input: &mut impl BufRead) -> Option<(Vec<u8>, bool)> {
    let (mut line, mut is_too_long, mut is_begun) = (Vec::new(), false, false);
    loop {
        let available = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // A pipe that breaks ends like one that was closed.
            Err(_) => &[],
        };
        if available.is_empty() {
            return is_begun.then_some((line, is_too_long));
        }
        is_begun = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        if !is_too_long && line.len() + part.len() <= LONGEST {
            line.extend_from_slice(part);
        } else {
            (line, is_too_long) = (Vec::new(), true);
        }
        let used = end.map_or(available.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Some((line, is_too_long));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            found.push(match read(&mut bytes) {
                Input::Line(line) => String::from_utf8_lossy(&line).into_owned(),
                Input::TooLong => "too long".to_owned(),
                Input::Closed | Input::Stop => return found,
            });
        }
    }

    #[test]
    fn lines_end_at_a_line_feed_and_blank_ones_are_nothing() {
        assert_eq!(all(b"a\n\n \t\r\nb\r\nc"), ["a", "b\r", "c"]);
        assert!(all(b"").is_empty() && all(b"\n\n").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_to_its_end() {
        let mut bytes = vec![b'x'; LONGEST + 1];
        bytes.extend(b"\nnext\n");
        bytes.extend(vec![b'y'; LONGEST]);
        let found = all(&bytes);
        assert_eq!((found[0].as_str(), found[1].as_str(), found[2].len()), ("too long", "next", LONGEST));
    }
}
