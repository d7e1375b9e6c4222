//! Programs that the commands need: found, or installed, or explained.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::job::Job;
use crate::{debian, fuzz, paths, progress, wasm};

/// Where the pinned toolchain keeps its files.
pub fn sysroot() -> Result<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).current_dir(paths::root()).output();
    let output = output.context("`rustc` could not be started; install Rust with rustup")?;
    ensure!(output.status.success(), "`rustc --print sysroot`: {}", String::from_utf8_lossy(&output.stderr));
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

pub fn wasm_target() -> Result<()> {
    if sysroot()?.join("lib/rustlib").join(wasm::TARGET).join("lib").is_dir() {
        return Ok(());
    }
    Job::new(format!("set-up · Rust target {}", wasm::TARGET), "rustup")
        .args(["target", "add", wasm::TARGET])
        .hint("Without rustup, install the standard library for this target with the Rust of your system.")
        .run()
}

/// The toolchain that fuzz targets are built with.
pub fn nightly() -> Result<()> {
    let present = Command::new("rustup").args(["run", fuzz::NIGHTLY, "rustc", "--version"]).output();
    if present.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Job::new("set-up · Rust toolchain nightly", "rustup")
        .args(["toolchain", "install", fuzz::NIGHTLY, "--profile", "minimal"])
        .hint("Fuzzing needs rustup and its nightly toolchain.")
        .run()
}

pub fn chromium() -> Result<PathBuf> {
    Tool {
        name: "Chromium",
        variable: "CHROMIUM",
        programs: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
        places: &[
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        ],
        debian: &["chromium", "chromium-driver"],
        macos: "brew install --cask google-chrome",
        windows: "winget install Google.Chrome",
    }
    .find()
}

pub fn chromedriver() -> Result<PathBuf> {
    Tool {
        name: "ChromeDriver",
        variable: "CHROMEDRIVER",
        programs: &["chromedriver"],
        places: &[],
        debian: &["chromium", "chromium-driver"],
        macos: "brew install --cask chromedriver",
        windows: "winget install Chromium.ChromeDriver",
    }
    .find()
}

pub fn firefox() -> Result<PathBuf> {
    Tool {
        name: "Firefox",
        variable: "FIREFOX",
        programs: &["firefox-esr", "firefox"],
        places: &["/Applications/Firefox.app/Contents/MacOS/firefox", r"C:\Program Files\Mozilla Firefox\firefox.exe"],
        debian: &["firefox-esr"],
        macos: "brew install --cask firefox",
        windows: "winget install Mozilla.Firefox",
    }
    .find()
}

pub fn webkit_driver() -> Result<PathBuf> {
    Tool {
        name: "WebKit's driver",
        variable: "WEBKITDRIVER",
        programs: &["WebKitWebDriver", "safaridriver"],
        places: &[],
        debian: &["webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb", "xauth"],
        macos: "it comes with Safari; run `safaridriver --enable` once",
        windows: "there is none for Windows; leave the suite out",
    }
    .find()
}

pub fn xvfb_run() -> Result<PathBuf> {
    Tool {
        name: "xvfb-run",
        variable: "XVFB_RUN",
        programs: &["xvfb-run"],
        places: &[],
        debian: &["xvfb", "xauth"],
        macos: "not needed there",
        windows: "not needed there",
    }
    .find()
}

pub fn geckodriver() -> Result<PathBuf> {
    match overridden("GECKODRIVER")? {
        Some(path) => Ok(path),
        None => Crate { package: "geckodriver", program: "geckodriver", version: "0.37.1", exact: false }.find(),
    }
}

/// The runner must be of exactly the version that the crate is built with.
pub fn wasm_bindgen_test_runner() -> Result<PathBuf> {
    let program = "wasm-bindgen-test-runner";
    Crate { package: "wasm-bindgen-cli", program, version: WASM_BINDGEN, exact: true }.find()
}

pub fn cargo_deny() -> Result<PathBuf> {
    Crate { package: "cargo-deny", program: "cargo-deny", version: "0.20.2", exact: false }.find()
}

pub fn cargo_semver_checks() -> Result<PathBuf> {
    let program = "cargo-semver-checks";
    Crate { package: program, program, version: "0.51.0", exact: false }.find()
}

pub fn cargo_fuzz() -> Result<PathBuf> {
    Crate { package: "cargo-fuzz", program: "cargo-fuzz", version: "0.13.2", exact: false }.find()
}

const WASM_BINDGEN: &str = "0.2.130";

struct Tool {
    name: &'static str,
    variable: &'static str,
    programs: &'static [&'static str],
    places: &'static [&'static str],
    debian: &'static [&'static str],
    macos: &'static str,
    windows: &'static str,
}

impl Tool {
    fn find(&self) -> Result<PathBuf> {
        if let Some(path) = overridden(self.variable)?.or_else(|| self.installed()) {
            return Ok(path);
        }
        if debian::install(self.debian)?
            && let Some(path) = self.installed()
        {
            return Ok(path);
        }
        bail!("{}", self.how_to_install())
    }

    fn installed(&self) -> Option<PathBuf> {
        let places = self.places.iter().map(PathBuf::from).filter(|place| place.is_file());
        self.programs.iter().find_map(|program| paths::which(program)).or_else(|| places.into_iter().next())
    }

    fn how_to_install(&self) -> String {
        let Self { name, variable, macos, windows, .. } = self;
        let debian = self.debian.join(" ");
        format!(
            "{name} was not found and could not be installed. Set {variable} to its path, or install it:\n  \
             Debian, as root: apt-get install {debian}\n  macOS: {macos}\n  Windows: {windows}"
        )
    }
}

fn overridden(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let found = if path.components().count() == 1 { paths::which(&path.to_string_lossy()) } else { Some(path.clone()) };
    match found.filter(|path| path.is_file()) {
        Some(path) => Ok(Some(path)),
        None => bail!("{variable} names {}, which is not there", path.display()),
    }
}

/// A program that cargo compiles when it is missing.
struct Crate {
    package: &'static str,
    program: &'static str,
    version: &'static str,
    /// Whether any other version is as good as none.
    exact: bool,
}

impl Crate {
    fn find(&self) -> Result<PathBuf> {
        let home = paths::cargo_home()?;
        // Another version that somebody put on PATH stays what it is.
        let aside = paths::target()?.join("tools");
        let on_path = paths::which(self.program);
        let known = [on_path.clone(), Some(self.within(&home)), Some(self.within(&aside))];
        if let Some(path) = known.into_iter().flatten().find(|path| self.serves(path)) {
            return Ok(path);
        }
        self.install(if on_path.is_none() { &home } else { &aside })
    }

    fn within(&self, directory: &Path) -> PathBuf {
        directory.join("bin").join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX))
    }

    fn serves(&self, path: &Path) -> bool {
        let version = || Command::new(path).arg("--version").output();
        path.is_file() && (!self.exact || version().is_ok_and(|output| mentions(&output.stdout, self.version)))
    }

    fn install(&self, directory: &Path) -> Result<PathBuf> {
        let Self { package, program, version, .. } = self;
        progress::say(format!("{program} {version} is missing; compiling it takes some minutes, once"));
        // A registry may no longer offer a version that the locked set names; then the newest compatible ones serve.
        if self.compile(directory, &["--locked"]).attempt()?.is_err() {
            progress::say("the locked dependencies cannot be had; trying with compatible ones");
            self.compile(directory, &[])
                .hint(format!("Check the network, or put `{program}` {version} on PATH by hand."))
                .run()
                .with_context(|| format!("{package} could not be installed"))?;
        }
        Ok(self.within(directory))
    }

    fn compile(&self, directory: &Path, options: &[&str]) -> Job {
        Job::cargo(format!("set-up · cargo install {}", self.package))
            .args(["install", self.package, "--version", self.version, "--root"])
            .arg(directory)
            // These tools run for seconds; compiling them takes most of the time.
            .args(["--config", "profile.release.opt-level=1"])
            .args(options)
    }
}

fn mentions(printed: &[u8], version: &str) -> bool {
    String::from_utf8_lossy(printed).split_whitespace().any(|word| word == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_has_the_version_that_the_lock_file_has() {
        let lock_file = std::fs::read_to_string(paths::root().join("Cargo.lock")).unwrap();
        assert!(lock_file.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{WASM_BINDGEN}\"")));
    }

    #[test]
    fn a_missing_tool_is_explained_per_platform() {
        let tool = Tool {
            name: "Hammer",
            variable: "HAMMER",
            programs: &[],
            places: &[],
            debian: &["hammer", "nails"],
            macos: "brew install hammer",
            windows: "winget install Hammer",
        };
        let text = tool.how_to_install();
        for part in ["HAMMER", "apt-get install hammer nails", "brew install hammer", "winget install Hammer"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
