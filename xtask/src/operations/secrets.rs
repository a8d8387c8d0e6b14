//! `.secrets/<environment>.json`: the one place where an environment's secrets can be read again. Cloudflare gives none back.
//!
//! Only its owner may read the file, git ignores it, and nothing of it is printed unless asked for.

use super::key_rings::{ForcedStep, Secrets, Step, promotion, utc_day};
use super::smoke;
use crate::files::write_secret;
use crate::process::step;
use crate::project::Project;
use crate::start::local_secrets;
use crate::wrangler::{LOCAL, Wrangler};
use crate::wrangler_config::WranglerConfig;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const FOLDER: &str = ".secrets";

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml; `local` for `npm start`, whose secrets are stored in .dev.vars.
    #[arg(long, value_name = "NAME")]
    env: String,
    /// Store them on Cloudflare, without showing them.
    #[arg(long)]
    store: bool,
    /// Take one step of a rotation.
    #[arg(long, conflicts_with = "store")]
    rotate: Option<Step>,
    /// Rotate only this key ring, by its variable.
    #[arg(long, requires = "rotate")]
    ring: Option<String>,
    /// Promote although a check refuses it; the reason is kept in the file.
    #[arg(long, value_name = "REASON", requires = "rotate")]
    force: Option<String>,
}

/// Makes or stores the secrets, or takes one step of a rotation.
pub fn secrets(project: &Project, options: &Options) -> Result<()> {
    WranglerConfig::read(project)?.environment(&options.env)?;
    let path = path(project, &options.env);
    if options.store { store(project, &options.env, &path) } else { make_or_rotate(project, options, &path) }
}

/// Hands the secrets to wrangler through a pipe: they never pass a screen or a command line.
fn store(project: &Project, environment: &str, path: &Path) -> Result<()> {
    ensure!(path.exists(), "{} is not there: `npm run secrets -- --env {environment}` makes it", path.display());
    let mut secrets = read(path)?;
    let values = serde_json::to_vec(&secrets.values())?;
    if environment == LOCAL {
        local_secrets::store(project, &secrets.values())?;
        secrets.mark_stored(jiff::Timestamp::now());
        println!("stored in .dev.vars: the next `npm start` takes them");
        return write(path, &secrets);
    }
    let wrangler = Wrangler::new(project)?;
    step("store the secrets", || {
        let mut bulk = wrangler.command(&["secret", "bulk"], environment);
        let mut child = bulk.stdin(Stdio::piped()).spawn().context("wrangler did not start")?;
        child.stdin.take().context("no input")?.write_all(&values).context("handing over the secrets")?;
        ensure!(child.wait()?.success(), "wrangler did not store the secrets");
        secrets.mark_stored(jiff::Timestamp::now());
        write(path, &secrets)
    })
}

/// Makes what is missing, takes the step that was asked for, and says what to do next.
fn make_or_rotate(project: &Project, options: &Options, path: &Path) -> Result<()> {
    let now = jiff::Timestamp::now();
    let is_new = !path.exists();
    let mut secrets = if is_new { Secrets::new(utc_day(now)) } else { read(path)? };
    if let Some(step) = options.rotate {
        ensure!(!is_new, "{} is not there, so there is nothing to rotate", path.display());
        if step == Step::Promote {
            check_promotion(project, options, &mut secrets, now)?;
        }
        secrets.rotate(step, options.ring.as_deref(), now)?;
    }
    if is_new || options.rotate.is_some() {
        write(path, &secrets)?;
    }
    let done = match options.rotate {
        None if is_new => "made",
        None => "is there",
        Some(_) => "changed",
    };
    println!("{} {done}.\n\n{}", path.display(), next(&options.env, options.rotate));
    Ok(())
}

/// Refuses to promote keys that some server cannot know yet, unless the operator gave a reason; the reason is kept.
fn check_promotion(project: &Project, options: &Options, secrets: &mut Secrets, now: jiff::Timestamp) -> Result<()> {
    let published = smoke::published_keys(project, &options.env);
    let problems = promotion::problems(secrets, options.ring.as_deref(), now, &published);
    for problem in &problems {
        println!("  {problem}");
    }
    match (&options.force, problems.is_empty()) {
        (_, true) => Ok(()),
        (None, false) => bail!(
            "promoting now would make servers meet signatures whose key they lack. Nothing was changed; \
             `--force '<reason>'` promotes all the same and keeps the reason in the file"
        ),
        (Some(reason), false) => {
            ensure!(
                !reason.trim().is_empty(),
                "--force needs a reason, which is kept in the file. Nothing was changed"
            );
            println!("  forced: {reason}");
            secrets.forced.push(ForcedStep { forced_at: now, reason: reason.clone(), problems });
            Ok(())
        }
    }
}

/// The health token of an environment, where its file is at hand.
pub fn health_token(project: &Project, environment: &str) -> Option<String> {
    read(&path(project, environment)).ok().map(|secrets| secrets.health_token)
}

fn path(project: &Project, environment: &str) -> PathBuf {
    project.path(FOLDER).join(format!("{environment}.json"))
}

fn read(path: &Path) -> Result<Secrets> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    // The reader's own message would quote what stands there.
    let secrets: Secrets = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{} cannot be read at line {}", path.display(), error.line()))?;
    secrets.check().with_context(|| path.display().to_string())?;
    Ok(secrets)
}

/// Replaces the file as a whole: a power cut must not leave half of the only copy.
fn write(path: &Path, secrets: &Secrets) -> Result<()> {
    let draft = path.with_extension("json.new");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    write_secret(&draft, &serde_json::to_string_pretty(secrets)?)?;
    fs::rename(&draft, path).with_context(|| format!("writing {}", path.display()))
}

fn next(environment: &str, step: Option<Step>) -> String {
    let store = format!("npm run secrets -- --env {environment} --store");
    let rotate = |step: &str| format!("npm run secrets -- --env {environment} --rotate {step}");
    match step {
        None => format!(
            "Put a copy of the file into your vault: Cloudflare gives no secret back, and without the file no key can be\n\
             rotated without signing everybody out.\n\n\
             \x20 store it on Cloudflare    {store}\n\
             \x20 rotate, first step        {}\n\
             \x20 rotate, second step       {}\n\
             \x20 drop what is past         {}",
            rotate("prepare"),
            rotate("promote"),
            rotate("retire")
        ),
        Some(Step::Prepare) => format!(
            "The new keys are recognized once they are stored; they sign nothing yet.\n\n\
             \x20 now                       {store}\n\
             \x20 a day after that          {} (refused before)",
            rotate("promote")
        ),
        Some(Step::Promote) => format!(
            "The new keys sign once they are stored; the old ones are still recognized.\n\n\
             \x20 now                       {store}\n\
             \x20 in a year at the latest   {}",
            rotate("retire")
        ),
        Some(Step::Retire) => format!("What nothing can come back with any more is gone.\n\n\x20 now   {store}"),
        Some(Step::Replace) => {
            format!(
                "Once stored, what the old keys signed is refused; docs/operations.md says who notices.\n\n\x20 now   {store}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_file_comes_back_as_it_was_written_and_only_its_owner_reads_it() {
        let folder = std::env::temp_dir().join(format!("statibeat-secrets-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("staging.json");
        let mut secrets = Secrets::new(date(2026, 1, 1));
        let stored_at = "2026-01-01T00:00:00Z".parse().expect("a time");
        secrets.mark_stored(stored_at);
        secrets.forced.push(ForcedStep {
            forced_at: stored_at,
            reason: "leaked".to_owned(),
            problems: vec!["early".to_owned()],
        });
        write(&path, &secrets).expect("written");
        let found = read(&path).expect("read");
        assert_eq!((found.values(), &found.forced), (secrets.values(), &secrets.forced));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, r#"{"rings": {"HOSTED_MCP_CHECKSUM_KEYS": "secret-value"}}"#).expect("spoiled");
        let error = format!("{:#}", read(&path).err().expect("unreadable"));
        assert!(error.contains("line 1") && !error.contains("secret-value"), "{error}");
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn next_steps_name_the_environment_and_no_secret() {
        for step in [None, Some(Step::Prepare), Some(Step::Promote), Some(Step::Retire), Some(Step::Replace)] {
            assert!(next("staging", step).contains("npm run secrets -- --env staging --store"));
        }
    }
}
