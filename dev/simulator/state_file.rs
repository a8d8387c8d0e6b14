//! Keeps the simulator's state in a file, so that incidents survive a restart.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use statibeat_simulator::Simulator;

/// The file, if one was asked for, and the revision that is in it.
pub struct StateFile {
    path: Option<PathBuf>,
    saved: Mutex<u64>,
}

impl StateFile {
    /// Loads the file if it is there.
    pub fn open(path: Option<PathBuf>, simulator: &Simulator) -> Result<Self, String> {
        if let Some(path) = path.as_ref().filter(|path| path.exists()) {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            simulator.restore(&text).map_err(|fault| format!("{}: {fault}", path.display()))?;
        }
        if let Some(folder) = path.as_ref().and_then(|path| path.parent()) {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Self { path, saved: Mutex::new(simulator.revision()) })
    }

    /// Writes the file when something changed. A half-written file never takes the place of a whole one.
    pub fn save(&self, simulator: &Simulator) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = simulator.revision();
        if *saved == revision {
            return Ok(());
        }
        let draft = path.with_extension("draft");
        let written = fs::write(&draft, simulator.snapshot()).and_then(|()| fs::rename(&draft, path));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        *saved = revision;
        Ok(())
    }
}
