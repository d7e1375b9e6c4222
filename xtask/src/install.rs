//! Installing: announced before it happens, or only explained where `--no-install` forbids it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Result, bail};

use crate::progress;

/// Something that a command needs beyond Rust and Node.
pub trait Need: Sync {
    /// What is not there, if anything.
    fn missing(&self) -> Result<Option<Missing>>;

    /// Puts it there; only [`provide`] calls this.
    fn install(&self) -> Result<()>;
}

pub type Needs = &'static [&'static dyn Need];

/// What is not there, and how it gets there.
pub struct Missing(Way);

enum Way {
    Commands(String),
    ByHand(String),
}

impl Missing {
    /// What this tool installs by itself, with the commands that it runs one after the other.
    pub fn installable(what: impl Display, place: impl Display, commands: &[String]) -> Self {
        Self(Way::Commands(format!("{what}, into {place}, by `{}`", commands.join(" && "))))
    }

    /// What only a person can install, with the sentence that says how.
    pub fn by_hand(how: impl Into<String>) -> Self {
        Self(Way::ByHand(how.into()))
    }

    fn line(self) -> String {
        match self.0 {
            Way::Commands(line) | Way::ByHand(line) => line,
        }
    }
}

/// Forbids every installation of this process; only before anything else is asked here.
pub fn forbid() {
    _ = INSTALLER.set(Installer { forbidden: true, ..Installer::default() });
}

/// Says what will be installed for a command before it starts; where that is forbidden, fails with everything that is missing.
pub fn announce(needs: &[&dyn Need]) -> Result<()> {
    INSTALLER.get_or_init(Installer::default).announce(needs)
}

/// Installs what is missing, if it may.
pub fn provide(need: &dyn Need) -> Result<()> {
    INSTALLER.get_or_init(Installer::default).provide(need)
}

#[derive(Default)]
struct Installer {
    forbidden: bool,
    announced: Mutex<BTreeSet<String>>,
}

impl Installer {
    fn announce(&self, needs: &[&dyn Need]) -> Result<()> {
        let answers = needs.iter().map(|need| need.missing());
        if self.forbidden {
            return refuse(answers.filter_map(|answer| match answer {
                Ok(missing) => missing.map(Missing::line),
                Err(error) => Some(format!("{error:#}")),
            }));
        }
        for missing in answers {
            // What cannot even be looked for fails where it is needed, and only there.
            if let Ok(Some(Missing(Way::Commands(line)))) = missing {
                self.announce_once(line);
            }
        }
        Ok(())
    }

    fn provide(&self, need: &dyn Need) -> Result<()> {
        match need.missing()?.map(|missing| missing.0) {
            None => Ok(()),
            Some(Way::ByHand(how)) => bail!(how),
            Some(Way::Commands(line)) if self.forbidden => refuse([line]),
            Some(Way::Commands(line)) => {
                self.announce_once(line);
                need.install()
            }
        }
    }

    fn announce_once(&self, line: String) {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if !announced.contains(&line) {
            progress::say(format!("will install {line}"));
            announced.insert(line);
        }
    }
}

fn refuse(lines: impl IntoIterator<Item = String>) -> Result<()> {
    let lines = lines.into_iter().collect::<BTreeSet<_>>();
    if lines.is_empty() {
        return Ok(());
    }
    let lines = lines.into_iter().map(|line| format!("\n  {line}")).collect::<String>();
    bail!("missing, and not installed because of --no-install; the commands are for the root of the checkout:{lines}")
}

static INSTALLER: OnceLock<Installer> = OnceLock::new();

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Default)]
    struct Hammer {
        is_there: AtomicBool,
    }

    impl Need for Hammer {
        fn missing(&self) -> Result<Option<Missing>> {
            let commands = ["buy hammer".to_owned(), "carry hammer".to_owned()];
            let is_there = self.is_there.load(Ordering::Relaxed);
            Ok((!is_there).then(|| Missing::installable("a hammer", "the box", &commands)))
        }

        fn install(&self) -> Result<()> {
            self.is_there.store(true, Ordering::Relaxed);
            Ok(())
        }
    }

    struct Anvil;

    impl Need for Anvil {
        fn missing(&self) -> Result<Option<Missing>> {
            Ok(Some(Missing::by_hand("an anvil is heavy; ask the smith")))
        }

        fn install(&self) -> Result<()> {
            panic!("nobody installs an anvil")
        }
    }

    struct Furnace;

    impl Need for Furnace {
        fn missing(&self) -> Result<Option<Missing>> {
            bail!("there is no chimney")
        }

        fn install(&self) -> Result<()> {
            panic!("nobody knows whether there is a furnace")
        }
    }

    fn forbidding() -> Installer {
        Installer { forbidden: true, ..Installer::default() }
    }

    #[test]
    fn what_will_be_installed_is_said_once_with_place_and_command() {
        let (installer, hammer) = (Installer::default(), Hammer::default());
        installer.announce(&[&hammer, &Anvil, &Furnace, &hammer]).unwrap();
        assert!(!hammer.is_there.load(Ordering::Relaxed), "announcing installs nothing");
        installer.provide(&hammer).unwrap();
        assert!(hammer.is_there.load(Ordering::Relaxed));
        let said = installer.announced.into_inner().unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(said, ["a hammer, into the box, by `buy hammer && carry hammer`"]);
    }

    #[test]
    fn what_only_a_person_can_install_is_explained_where_it_is_needed() {
        let error = Installer::default().provide(&Anvil).unwrap_err();
        assert_eq!(error.to_string(), "an anvil is heavy; ask the smith");
    }

    #[test]
    fn where_installing_is_forbidden_everything_that_is_missing_is_named_at_once() {
        let hammer = Hammer::default();
        let error = forbidding().announce(&[&hammer, &Anvil, &Furnace]).unwrap_err().to_string();
        let lines = error.lines().skip(1).map(str::trim).collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "a hammer, into the box, by `buy hammer && carry hammer`",
                "an anvil is heavy; ask the smith",
                "there is no chimney",
            ]
        );
        assert!(!hammer.is_there.load(Ordering::Relaxed));
    }

    #[test]
    fn where_installing_is_forbidden_nothing_is_installed_later_either() {
        let hammer = Hammer::default();
        let error = forbidding().provide(&hammer).unwrap_err().to_string();
        assert!(error.contains("--no-install") && error.contains("buy hammer"), "{error}");
        assert!(!hammer.is_there.load(Ordering::Relaxed));
    }

    #[test]
    fn where_nothing_is_missing_nothing_is_forbidden() {
        let hammer = Hammer { is_there: true.into() };
        forbidding().announce(&[&hammer]).unwrap();
        forbidding().provide(&hammer).unwrap();
    }
}
