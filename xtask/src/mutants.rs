//! Breaks the state machine on purpose, one way after the other, and shows that the simulation notices.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::job::Job;
use crate::{paths, progress, sim};

/// One deliberate mistake: in this file of `src/proto`, this text becomes that.
struct Mutant {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// Builds every mutant apart from the shipped code and runs the simulation with each until it notices.
pub fn run() -> Result<()> {
    let workspace = paths::target()?.join("sim-mutants");
    write_workspace(&workspace)?;
    Job::cargo(format!("mutants · building {}", MUTANTS.len()))
        .args(["build", "--release", "--bins"])
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .directory(&workspace)
        .run()?;
    let limit = MOST_RUNS.to_string();
    let mut survivors = Vec::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let program = workspace.join("target/release").join(format!("mutant-{number}{}", std::env::consts::EXE_SUFFIX));
        notice(mutant.name, program, &["--until-broken", "--runs", &limit], &mut survivors)?;
    }
    sim::build()?;
    for (name, flaw) in FLAWS {
        let options = ["--until-broken", "--break", flaw, "--runs", &limit];
        notice(name, sim::program()?, &options, &mut survivors)?;
    }
    ensure!(survivors.is_empty(), "not noticed in {limit} runs: {}", survivors.join("; "));
    progress::say(format!("each of {} mistakes was noticed", MUTANTS.len() + FLAWS.len()));
    Ok(())
}

fn notice(name: &'static str, program: PathBuf, options: &[&str], survivors: &mut Vec<&'static str>) -> Result<()> {
    match Job::new(format!("mutant · {name}"), program).args(options).attempt()? {
        Ok(said) => progress::say(format!("  noticed: {}", said.trim())),
        Err(said) => {
            progress::say(format!("  {}", said.trim()));
            survivors.push(name);
        }
    }
    Ok(())
}

/// Every mutant is a crate of its own with a simulation of its own, all built at once.
fn write_workspace(workspace: &Path) -> Result<()> {
    let sources = paths::root().join("tests/sim/src");
    let mut members = String::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let core = workspace.join(format!("core-{number}"));
        let changed = mutated(mutant)?;
        for entry in fs::read_dir(proto())? {
            let path = entry?.path();
            let Some(name) = path.file_name().filter(|_| path.is_file()) else { continue };
            let text = if name == mutant.file { changed.clone() } else { fs::read_to_string(&path)? };
            write(&core.join("src/proto").join(name), &text)?;
        }
        write(&core.join("src/lib.rs"), "#![allow(warnings)]\nextern crate alloc;\npub mod proto;\n")?;
        write(&core.join("Cargo.toml"), &core_manifest(number))?;
        let sim = workspace.join(format!("sim-{number}"));
        write(&sim.join("Cargo.toml"), &sim_manifest(number, &sources))?;
        members += &format!("\"core-{number}\", \"sim-{number}\", ");
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{PROFILE}");
    write(&workspace.join("Cargo.toml"), &manifest)?;
    // The same versions as everywhere, and none that has to be fetched.
    write(&workspace.join("Cargo.lock"), &fs::read_to_string(paths::root().join("Cargo.lock"))?)
}

fn mutated(mutant: &Mutant) -> Result<String> {
    let path = proto().join(mutant.file);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    match text.matches(mutant.from).count() {
        1 => Ok(text.replacen(mutant.from, mutant.to, 1)),
        count => bail!(
            "the mutant \"{}\" wants to change a text that {} has {count} times, not once; adapt xtask/src/mutants.rs:\n{}",
            mutant.name,
            mutant.file,
            mutant.from
        ),
    }
}

fn proto() -> PathBuf {
    paths::root().join("src/proto")
}

fn core_manifest(number: usize) -> String {
    format!(
        "[package]\nname = \"core-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire\"\ndoctest = false\n\n[dependencies]\nfastrand = \"2\"\n"
    )
}

fn sim_manifest(number: usize, sources: &Path) -> String {
    let [library, program] = ["lib.rs", "main.rs"].map(|file| sources.join(file).to_string_lossy().replace('\\', "/"));
    format!(
        "[package]\nname = \"sim-{number}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\nname = \"everwire_sim\"\npath = \"{library}\"\n\n\
         [[bin]]\nname = \"mutant-{number}\"\npath = \"{program}\"\n\n\
         [dependencies]\neverwire = {{ path = \"../core-{number}\", package = \"core-{number}\" }}\nfastrand = \"2\"\n"
    )
}

/// Writes what differs, so that cargo builds what has changed and no more.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

const PROFILE: &str = "[profile.release]\nopt-level = 1\nincremental = false\n";
/// Within so many runs each has to be noticed.
const MOST_RUNS: u32 = 20_000;

/// What can be wrong around the client, and the name that the simulation has for it.
const FLAWS: &[(&str, &str)] = &[
    ("the server processes duplicates", "dedupe"),
    ("the server's forgotten streams start over", "offsets"),
    ("what was sent to a plain server stays on disk", "outbox"),
];

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an acknowledgement covers one message more",
        file: "reliable.rs",
        from: "self.in_flight.pop_front_if(|message| message.seq <= seq)",
        to: "self.in_flight.pop_front_if(|message| message.seq <= seq + 1)",
    },
    Mutant {
        name: "messages in flight end with their connection",
        file: "facts.rs",
        from: "        let code = close.code;\n",
        to: "        let code = close.code;\n        self.in_flight.clear();\n",
    },
    Mutant {
        name: "an acknowledgement of what was never sent is believed",
        file: "reliable.rs",
        from: "if seq > link.prev || seq < link.acked {",
        to: "if seq < link.acked {",
    },
    Mutant {
        name: "frames of a replaced socket are believed",
        file: "facts.rs",
        from: "if self.socket() != Some(arrived_on) || matches!",
        to: "if self.socket().is_none() || matches!",
    },
    Mutant {
        name: "the close of a replaced socket is believed",
        file: "facts.rs",
        from: "if self.socket() != Some(closed) {",
        to: "if self.socket().is_none() {",
    },
    Mutant {
        name: "what is sent again starts with the second message",
        file: "link.rs",
        from: "            window,\n            sent: 0,",
        to: "            window,\n            sent: 1,",
    },
    Mutant {
        name: "repeated events are delivered",
        file: "incoming.rs",
        from: "            Position::At(at) if place.offset <= at => return Arrival::Repeated,\n",
        to: "",
    },
    Mutant {
        name: "a gap does not move the position",
        file: "incoming.rs",
        from: "            Position::At(at) if offset > at => Told::Missing(at + 1, Some(offset)),",
        to: "            Position::At(at) if offset > at => return Told::Missing(at + 1, Some(offset)),",
    },
    Mutant {
        name: "events before the welcome are delivered",
        file: "reliable.rs",
        from: "State::Greeting { .. }) if place.is_some() => return false,",
        to: "State::Greeting { .. }) if false => return false,",
    },
    Mutant {
        name: "prev is always one less",
        file: "link.rs",
        from: "        Numbers { seq, prev }\n",
        to: "        let _ = prev;\n        Numbers { seq, prev: seq - 1 }\n",
    },
    Mutant {
        name: "no acknowledgement is ever overdue",
        file: "link.rs",
        from: "        self.ack_by = self.ack_by.min(ack_by);\n",
        to: "",
    },
    Mutant {
        name: "the window is ignored",
        file: "link.rs",
        from: "self.sent < self.window as usize",
        to: "self.sent < 100_000",
    },
    Mutant {
        name: "sessions are not joined again",
        file: "reliable.rs",
        from: "        self.rejoin(socket);\n",
        to: "",
    },
    Mutant {
        name: "sessions are joined again after the queue",
        file: "reliable.rs",
        from: "        self.rejoin(socket);\n        self.pump(now);\n",
        to: "        self.pump(now);\n        self.rejoin(socket);\n",
    },
    Mutant {
        name: "sessions that were left are joined again",
        file: "sessions.rs",
        from: "self.joined.retain(|(known, _)| known != session);",
        to: "let _ = session;",
    },
    Mutant {
        name: "messages of an earlier page go out under the own name",
        file: "reliable.rs",
        from: "self.sender = next.and_then(|message| message.sender.clone());",
        to: "let _ = next;",
    },
    Mutant {
        name: "the second hello does not wait for acknowledgements",
        file: "sending.rs",
        from: "if self.in_flight.is_empty() {",
        to: "if true {",
    },
    Mutant {
        name: "frames of acknowledged messages are kept",
        file: "reliable.rs",
        from: "            self.outputs.push_back(Output::Release { frame, is_done: true });\n",
        to: "",
    },
    Mutant {
        name: "every reply is believed",
        file: "reliable.rs",
        from: "(!self.requests.remove(seq)).then_some(Violation::UnexpectedReply)",
        to: "(!self.requests.remove(seq) && false).then_some(Violation::UnexpectedReply)",
    },
    Mutant {
        name: "every protocol error is told",
        file: "reliable.rs",
        from: "self.recent_violations <= TOLD_VIOLATIONS",
        to: "self.recent_violations <= u32::MAX",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_the_text_that_it_changes() {
        for mutant in MUTANTS {
            let changed = mutated(mutant).unwrap();
            assert!(mutant.to.is_empty() || changed.contains(mutant.to), "{}", mutant.name);
        }
    }
}
