//! One start at a time in one folder, and no reset beneath it: a lock that the system lifts when its holder ends, however.

use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::fs::{self, File, TryLockError};

/// Held by whoever uses `.wrangler/`; outside of it, so that a reset can remove that folder.
const LOCK: &str = "local-state.lock";

/// Takes the lock, or says who has it. Keep the file: dropping it lifts the lock.
pub fn lock(project: &Project) -> Result<File> {
    fs::create_dir_all(&project.target).context("the build folder")?;
    let path = project.target.join(LOCK);
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("`npm start` is running in this folder: stop it first, with Ctrl-C there")
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::lock;
    use crate::project::Project;

    #[test]
    fn the_second_of_two_is_refused_until_the_first_has_ended() {
        let folder = std::env::temp_dir().join(format!("statibeat-lock-{}", std::process::id()));
        let project = Project::new(folder.clone(), folder.clone()).expect("a project");
        let first = lock(&project).expect("free");
        assert!(lock(&project).expect_err("taken").to_string().contains("stop it first"));
        drop(first);
        lock(&project).expect("free again");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
