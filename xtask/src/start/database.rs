//! The local database: migrated like any other, but never silently kept when its beginnings have changed.
//!
//! Until the first release a migration may still change. What a local database was made from is therefore copied beside it,
//! and compared at the next start.

use crate::process::run_quietly;
use crate::project::Project;
use crate::wrangler::{LOCAL, Wrangler};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const MIGRATIONS: &str = "migrations";
/// Copies of the migrations that the local database has seen.
const SEEN: &str = ".wrangler/state/migrations";
/// Where wrangler keeps the database itself.
const DATABASE: &str = ".wrangler/state/v3/d1";

type Files = BTreeMap<String, Vec<u8>>;

/// Fails early where the migrations do not continue from the local database.
pub fn check(project: &Project) -> Result<()> {
    ensure!(
        follows(&files(&project.path(SEEN))?, &files(&project.path(MIGRATIONS))?, is_there(project)),
        "the local database was made by another version of the migrations: `npm run reset` starts afresh, and forgets what was connected and posted here"
    );
    Ok(())
}

/// Returns whether wrangler has a local database.
pub fn is_there(project: &Project) -> bool {
    project.path(DATABASE).exists()
}

/// Brings the local database, that was checked, up to the migrations.
pub fn prepare(project: &Project, wrangler: &Wrangler) -> Result<()> {
    let wanted = files(&project.path(MIGRATIONS))?;
    let seen = files(&project.path(SEEN))?;
    if seen == wanted {
        return Ok(());
    }
    run_quietly(&mut wrangler.migrate(LOCAL))?;
    fs::create_dir_all(project.path(SEEN)).context(SEEN)?;
    for (name, content) in wanted {
        fs::write(project.path(SEEN).join(&name), content).with_context(|| format!("noting {name}"))?;
    }
    Ok(())
}

/// Adds the connections of the simulator's large organization; a second time adds nothing.
pub fn add_large_organization(wrangler: &Wrangler) -> Result<()> {
    run_quietly(&mut wrangler.execute_file(LOCAL, "dev/large.sql")).map(drop)
}

/// `true` if the migrations continue from those that a database has seen: nothing that it has seen may have changed, and
/// one that has seen nothing must not be there.
fn follows(seen: &Files, wanted: &Files, is_there: bool) -> bool {
    let is_unchanged = seen.iter().all(|(name, content)| wanted.get(name) == Some(content));
    is_unchanged && !(is_there && seen.is_empty())
}

/// The SQL files of a folder; none where there is no folder.
fn files(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{Files, follows};

    fn set(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect()
    }

    #[test]
    fn database_accepts_added_migrations_and_rejects_changed_ones() {
        let (none, first) = (set(&[]), set(&[("0001.sql", "a")]));
        assert!(follows(&none, &first, false), "a new one");
        assert!(follows(&first, &first, true), "nothing to do");
        assert!(follows(&first, &set(&[("0001.sql", "a"), ("0002.sql", "b")]), true), "one more");
        assert!(!follows(&first, &set(&[("0001.sql", "A")]), true), "changed");
        assert!(!follows(&first, &none, true), "gone");
        assert!(!follows(&none, &first, true), "made by something else");
    }
}
