//! The loop: lines in, lines out. Requests run side by side up to a bound; the rest waits in order.

use crate::lines::Input;
use crate::log::Log;
use futures_channel::mpsc::Receiver;
use futures_util::future::{AbortHandle, Either, abortable, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use statibeat_mcp::mcp::ServerHandler;
use statibeat_mcp::mcp::stdio::{self, Incoming, Line, Peer, Work};
use statibeat_mcp::page::settings::LogLevel;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;

/// Requests that run at once; more would only queue at StatiBeat.
const MOST_AT_ONCE: usize = 16;
/// Requests that wait. Beyond them the pipe fills up, and the client waits.
pub const MOST_WAITING: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub enum ServeEnd {
    /// The client closed its end; everything it asked for was answered.
    Closed,
    Stopped,
    /// The client does not listen any more.
    Deaf,
}

type FinishedCall = (Option<String>, Option<Option<Line>>);

/// One run of the loop.
struct Loop<'a, W> {
    handler: &'a dyn ServerHandler,
    output: W,
    log: Log,
    peer: Peer,
    waiting: VecDeque<(Option<String>, Work)>,
    running: HashMap<String, AbortHandle>,
}

/// Serves one client until there is a reason to end.
pub async fn serve(handler: &dyn ServerHandler, mut input: Receiver<Input>, output: impl Write, log: Log) -> ServeEnd {
    let mut served =
        Loop { handler, output, log, peer: Peer::default(), waiting: VecDeque::new(), running: HashMap::new() };
    let mut work = FuturesUnordered::new();
    let mut is_open = true;
    loop {
        while work.len() < MOST_AT_ONCE
            && let Some((key, next)) = served.waiting.pop_front()
        {
            work.push(served.begin(key, next));
        }
        let event = match (is_open && served.waiting.len() < MOST_WAITING, work.is_empty()) {
            (false, true) => return ServeEnd::Closed,
            (true, true) => Either::Left(input.next().await),
            (false, false) => Either::Right(work.next().await),
            (true, false) => match select(pin!(input.next()), pin!(work.next())).await {
                Either::Left((line, _)) => Either::Left(line),
                Either::Right((ended, _)) => Either::Right(ended),
            },
        };
        let kept_up = match event {
            Either::Left(None | Some(Input::Closed)) => {
                is_open = false;
                Ok(())
            }
            Either::Left(Some(Input::Stop)) => return ServeEnd::Stopped,
            Either::Left(Some(Input::TooLong)) => served.write(&served.peer.refuse_long()),
            Either::Left(Some(Input::Line(line))) => {
                served.take(&line);
                Ok(())
            }
            Either::Right(ended) => served.finish(ended),
        };
        if kept_up.is_err() {
            return ServeEnd::Deaf;
        }
    }
}

impl<'a, W: Write> Loop<'a, W> {
    fn take(&mut self, line: &[u8]) {
        match self.peer.read(line) {
            Incoming::Request { key, work } => self.waiting.push_back((key, work)),
            Incoming::Nothing => {}
            Incoming::Cancel(key) => {
                self.log.line(LogLevel::Debug, &format!("request {key} is cancelled"));
                self.waiting.retain(|(waiting, _)| waiting.as_ref() != Some(&key));
                if let Some(handle) = self.running.remove(&key) {
                    handle.abort();
                }
            }
        }
    }

    fn begin(&mut self, key: Option<String>, work: Work) -> impl Future<Output = FinishedCall> + use<'a, W> {
        let (answer, handle) = abortable(stdio::answer(self.handler, work));
        if let Some(key) = &key {
            self.log.line(LogLevel::Debug, &format!("request {key} begins"));
            self.running.insert(key.clone(), handle);
        }
        async move { (key, answer.await.ok()) }
    }

    fn finish(&mut self, ended: Option<FinishedCall>) -> io::Result<()> {
        let Some((key, answer)) = ended else { return Ok(()) };
        if let Some(key) = &key {
            self.log.line(LogLevel::Debug, &format!("request {key} has ended"));
            self.running.remove(key);
        }
        let Some(Some(Line { body, fault })) = answer else { return Ok(()) };
        if let Some(fault) = fault {
            self.log.line(LogLevel::Warn, &fault);
        }
        self.write(&body)
    }

    /// JSON has no line feeds of its own.
    fn write(&mut self, body: &[u8]) -> io::Result<()> {
        self.output.write_all(&[body, b"\n"].concat())?;
        self.output.flush()
    }
}
