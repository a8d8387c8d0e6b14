//! Running one step after the other, each with its name and its time, and the programs that they call.

use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Does one step and prints how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("» {name}");
    let started = Instant::now();
    let done = work()?;
    println!("  {name}: done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(done)
}

/// Runs a program with its output shown; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| start_error(command, &error))?;
    if !status.success() {
        bail!("`{}` failed ({status})", in_words(command));
    }
    Ok(())
}

/// Runs a program and returns what it printed. The output is shown only when it fails.
pub fn run_quietly(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| start_error(command, &error))?;
    if !output.status.success() {
        let mut screen = std::io::stderr();
        screen.write_all(&output.stdout).and_then(|()| screen.write_all(&output.stderr)).ok();
        bail!("`{}` failed ({})", in_words(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("the output of `{}` is not UTF-8", in_words(command)))
}

pub fn start_error(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().display();
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!("{program} is not installed, or not on PATH"),
        _ => anyhow::anyhow!("{program} did not start: {error}"),
    }
}

/// The command as a person would type it.
fn in_words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}
