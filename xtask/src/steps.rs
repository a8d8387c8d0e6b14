//! Running one step after the other, each with its name and its time.

use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Does one step and says how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("» {name}");
    let started = Instant::now();
    let done = work()?;
    println!("  {name}: done in {:.1} s", started.elapsed().as_secs_f64());
    Ok(done)
}

/// Runs a program with its output shown; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if !status.success() {
        bail!("`{}` failed ({status})", in_words(command));
    }
    Ok(())
}

/// Runs a program and hands back what it printed. The output is shown only when it fails.
pub fn run_quietly(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        let mut screen = std::io::stderr();
        screen.write_all(&output.stdout).and_then(|()| screen.write_all(&output.stderr)).ok();
        bail!("`{}` failed ({})", in_words(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed something odd", in_words(command)))
}

fn not_started(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().display();
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!("{program} is not installed, or not on PATH"),
        _ => anyhow::anyhow!("{program} did not start: {error}"),
    }
}

/// The command as a person would type it.
fn in_words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
