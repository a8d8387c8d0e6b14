//! Programs that run next to each other and end together.
//!
//! Each child gets a process group of its own: Ctrl-C in the terminal then reaches only this tool, which ends the
//! children in order, and a child that does not listen is ended with everything it started.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Time that a child gets to end by itself.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The number of last lines that are shown when a child has died.
const TAIL: usize = 15;

/// Children that are ended when this goes out of scope.
#[derive(Default)]
pub struct Children(Vec<Running>);

struct Running {
    name: &'static str,
    child: Child,
    log: Option<PathBuf>,
}

impl Children {
    /// Starts a program. Its output goes to `log`, or to the screen when there is none.
    pub fn start(&mut self, name: &'static str, command: &mut Command, log: Option<PathBuf>) -> Result<()> {
        if let Some(path) = &log {
            let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        self.spawn(name, command, log)
    }

    fn spawn(&mut self, name: &'static str, command: &mut Command, log: Option<PathBuf>) -> Result<()> {
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn().with_context(|| format!("the {name} did not start"))?;
        self.0.push(Running { name, child, log });
        Ok(())
    }

    /// Starts a program as `start` does, and also prints what `shown` takes from a line of its output.
    pub fn start_showing(
        &mut self,
        name: &'static str,
        command: &mut Command,
        log: Option<PathBuf>,
        shown: fn(&str) -> Option<&str>,
    ) -> Result<()> {
        let Some(path) = log else { return self.start(name, command, None) };
        let (output, input) = std::io::pipe().context("making a pipe")?;
        let mut file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        command.stdout(input.try_clone()?).stderr(input);
        self.spawn(name, command, Some(path))?;
        // The command holds the pipe's other end; the reader must see it closed once the child has ended.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        std::thread::spawn(move || {
            // Both streams of the program share the pipe, so a line may hold half a character.
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if let Some(text) = shown(&line) {
                    println!("{text}");
                }
                writeln!(file, "{line}").ok();
            }
        });
        Ok(())
    }

    /// Says which child has ended, why, and what it wrote last.
    pub fn check(&mut self) -> Result<()> {
        for running in &mut self.0 {
            if let Some(status) = running.child.try_wait()? {
                anyhow::bail!("the {} stopped ({status}){}", running.name, running.last_words());
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for running in &mut self.0 {
            running.ask_to_end();
        }
        let deadline = Instant::now() + TIMEOUT;
        for running in &mut self.0 {
            running.wait_until(deadline);
        }
    }
}

impl Running {
    #[cfg(unix)]
    fn ask_to_end(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGTERM, 1);
    }

    #[cfg(not(unix))]
    fn ask_to_end(&mut self) {
        self.child.kill().ok();
    }

    /// Waits for the end; after the deadline the whole process group is ended.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        #[cfg(unix)]
        self.signal(nix::sys::signal::Signal::SIGKILL, -1);
        self.child.wait().ok()
    }

    /// `sign` -1 means the child's process group. A child that was waited for is gone and gets nothing.
    #[cfg(unix)]
    fn signal(&mut self, signal: nix::sys::signal::Signal, sign: i32) {
        if let (Ok(None), Ok(id)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(sign * id), signal).ok();
        }
    }

    fn last_words(&self) -> String {
        let Some(text) = self.log.as_ref().and_then(|log| fs::read_to_string(log).ok()) else { return String::new() };
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n  ");
        if tail.is_empty() { String::new() } else { format!("; it wrote last:\n  {tail}") }
    }
}
