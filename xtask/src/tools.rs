//! Programs that the commands need: found, or installed, or explained.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::install::{self, Missing, Need};
use crate::job::Job;
use crate::{debian, fuzz, paths, shell, wasm};

/// Where the pinned toolchain keeps its files.
pub fn sysroot() -> Result<PathBuf> {
    let printed = shell::at_root()?.cmd("rustc").args(["--print", "sysroot"]).read();
    Ok(printed.context("Rust is needed: install it with rustup")?.into())
}

pub fn wasm_target() -> Result<()> {
    install::provide(&WasmTarget)
}

/// The toolchain that fuzz targets are built with.
pub fn nightly() -> Result<()> {
    install::provide(&Nightly)
}

pub struct WasmTarget;

impl WasmTarget {
    fn job() -> Job {
        Job::new(format!("set-up · Rust target {}", wasm::TARGET), "rustup")
            .args(["target", "add", wasm::TARGET])
            .hint("Without rustup, install the standard library for this target with the Rust of your system.")
    }
}

impl Need for WasmTarget {
    fn missing(&self) -> Result<Option<Missing>> {
        let libraries = sysroot()?.join("lib/rustlib");
        if libraries.join(wasm::TARGET).join("lib").is_dir() {
            return Ok(None);
        }
        let what = format!("the Rust target {}", wasm::TARGET);
        Ok(Some(Missing::installable(what, libraries.display(), &[Self::job().command_line()?])))
    }

    fn install(&self) -> Result<()> {
        Self::job().run()
    }
}

pub struct Nightly;

impl Nightly {
    fn job() -> Job {
        Job::new("set-up · Rust toolchain nightly", "rustup")
            .args(["toolchain", "install", fuzz::NIGHTLY, "--profile", "minimal"])
            .hint("Fuzzing needs rustup and its nightly toolchain.")
    }
}

impl Need for Nightly {
    fn missing(&self) -> Result<Option<Missing>> {
        if shell::succeeds("rustup", &["run", fuzz::NIGHTLY, "rustc", "--version"]) {
            return Ok(None);
        }
        let command = Self::job().command_line()?;
        Ok(Some(Missing::installable("the Rust toolchain nightly", "rustup's toolchains", &[command])))
    }

    fn install(&self) -> Result<()> {
        Self::job().run()
    }
}

pub static CHROMIUM: Tool = Tool {
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
};

pub static CHROMEDRIVER: Tool = Tool {
    name: "ChromeDriver",
    variable: "CHROMEDRIVER",
    programs: &["chromedriver"],
    places: &[],
    debian: &["chromium", "chromium-driver"],
    macos: "brew install --cask chromedriver",
    windows: "winget install Chromium.ChromeDriver",
};

pub static FIREFOX: Tool = Tool {
    name: "Firefox",
    variable: "FIREFOX",
    programs: &["firefox-esr", "firefox"],
    places: &["/Applications/Firefox.app/Contents/MacOS/firefox", r"C:\Program Files\Mozilla Firefox\firefox.exe"],
    debian: &["firefox-esr"],
    macos: "brew install --cask firefox",
    windows: "winget install Mozilla.Firefox",
};

pub static WEBKIT_DRIVER: Tool = Tool {
    name: "WebKit's driver",
    variable: "WEBKITDRIVER",
    programs: &["WebKitWebDriver", "safaridriver"],
    places: &[],
    debian: &["webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb", "xauth"],
    macos: "it comes with Safari; run `safaridriver --enable` once",
    windows: "there is none for Windows; leave the suite out",
};

pub static XVFB_RUN: Tool = Tool {
    name: "xvfb-run",
    variable: "XVFB_RUN",
    programs: &["xvfb-run"],
    places: &[],
    debian: &["xvfb", "xauth"],
    macos: "not needed there",
    windows: "not needed there",
};

pub static REDIS: Tool = Tool {
    name: "Redis",
    variable: "REDIS_SERVER",
    programs: &["redis-server"],
    places: &[],
    debian: &["redis-server"],
    macos: "brew install redis",
    windows: "there is none for Windows; leave the suite out",
};

pub static NGINX: Tool = Tool {
    name: "nginx",
    variable: "NGINX",
    programs: &["nginx"],
    places: &["/usr/sbin/nginx"],
    debian: &["nginx"],
    macos: "brew install nginx",
    windows: "leave the suite out",
};

pub static CADDY: Tool = Tool {
    name: "Caddy",
    variable: "CADDY",
    programs: &["caddy"],
    places: &[],
    debian: &["caddy"],
    macos: "brew install caddy",
    windows: "leave the suite out",
};

pub static OPENSSL: Tool = Tool {
    name: "OpenSSL",
    variable: "OPENSSL",
    programs: &["openssl"],
    places: &[],
    debian: &["openssl"],
    macos: "it comes with macOS",
    windows: "leave the suite out",
};

pub static SQLITE: Tool = Tool {
    name: "SQLite",
    variable: "SQLITE",
    programs: &["sqlite3"],
    places: &[],
    debian: &["sqlite3"],
    macos: "it comes with macOS",
    windows: "leave the suite out",
};

/// A program that the system brings, or its package manager.
pub struct Tool {
    name: &'static str,
    variable: &'static str,
    programs: &'static [&'static str],
    places: &'static [&'static str],
    debian: &'static [&'static str],
    macos: &'static str,
    windows: &'static str,
}

impl Tool {
    /// The program, installed first if it has to be.
    pub fn find(&self) -> Result<PathBuf> {
        install::provide(self)?;
        self.present()?.with_context(|| self.how_to_install())
    }

    fn present(&self) -> Result<Option<PathBuf>> {
        Ok(overridden(self.variable)?.or_else(|| self.installed()))
    }

    fn installed(&self) -> Option<PathBuf> {
        let places = self.places.iter().map(PathBuf::from).filter(|place| place.is_file());
        self.programs.iter().find_map(|program| paths::which(program)).or_else(|| places.into_iter().next())
    }

    fn how_to_install(&self) -> String {
        let Self { name, variable, macos, windows, .. } = self;
        let debian = self.debian.join(" ");
        format!(
            "{name} was not found. Set {variable} to its path, or install it:\n  \
             Debian, as root: apt-get install {debian}\n  macOS: {macos}\n  Windows: {windows}"
        )
    }
}

impl Need for Tool {
    fn missing(&self) -> Result<Option<Missing>> {
        let missing = || debian::missing(self.name, self.debian, self.how_to_install());
        if self.present()?.is_some() { Ok(None) } else { missing().map(Some) }
    }

    fn install(&self) -> Result<()> {
        debian::install(self.debian)
    }
}

/// The program that a variable names instead of the usual one.
pub fn overridden(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let found = if path.components().count() == 1 { paths::which(&path.to_string_lossy()) } else { Some(path.clone()) };
    match found.filter(|path| path.is_file()) {
        Some(path) => Ok(Some(path)),
        None => bail!("{variable} names {}, which is not there", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
