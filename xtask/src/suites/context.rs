//! What suites share.

use std::path::PathBuf;

use anyhow::Result;

use crate::{build, server};

/// What several suites need, made once per run.
pub struct SuiteContext {
    /// Whether suites leave out what only repeats, because all of them are run.
    pub(super) is_brief: bool,
    package_built: bool,
    server: Option<PathBuf>,
}

impl SuiteContext {
    pub const fn new(is_brief: bool) -> Self {
        Self { is_brief, package_built: false, server: None }
    }

    pub(super) fn package(&mut self) -> Result<()> {
        if !self.package_built {
            build::unmeasured()?;
            self.package_built = true;
        }
        Ok(())
    }

    pub(super) fn server(&mut self) -> Result<PathBuf> {
        match &self.server {
            Some(executable) => Ok(executable.clone()),
            None => Ok(self.server.insert(server::build()?).clone()),
        }
    }
}
