//! Settings from the environment: this server's own names, and those of the systems that it takes the place of.

use std::ffi::OsString;

use clap::{
    CommandFactory as _, Parser as _,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

use crate::options::Options;

/// A variable, the option that it stands for, and how its value is spelled there.
struct Variable {
    name: &'static str,
    option: &'static str,
    flag: &'static str,
    values: fn(&str) -> Result<Vec<String>, &'static str>,
}

/// Where two stand for the same option, the first that is set counts.
const VARIABLES: [Variable; 10] = [
    variable("EVERWIRE_JWT_SECRET", "secret", "--secret", as_it_is),
    variable("JWT_SECRET_KEY", "secret", "--secret", as_it_is),
    variable("EVERWIRE_APP_KEY", "app_key", "--app-key", as_it_is),
    variable("EVERWIRE_DATABASE", "database", "--database", as_it_is),
    variable("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "token_life_s", "--token-life-s", minutes),
    variable("WS_HEARTBEAT_INTERVAL", "heartbeat_interval", "--heartbeat-interval-s", as_it_is),
    variable("WS_MAX_MESSAGE_SIZE", "max_message_bytes", "--max-message-bytes", as_it_is),
    variable("WS_CONNECTION_TIMEOUT", "idle_timeout", "--idle-timeout-s", as_it_is),
    variable("WS_RATE_LIMIT_MESSAGES", "rate_limit_per_minute", "--rate-limit-per-minute", as_it_is),
    variable("CORS_ORIGIN", "allow_origin", "--allow-origin", origins),
];

/// Options from a command line and an environment. Flags win; an empty variable is one that is not set.
///
/// # Errors
/// An unknown flag, a value out of range, or an algorithm that this server does not check.
pub fn options(
    command_line: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Options, clap::Error> {
    let set = |name: &str| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let invalid = |name: &str, reason: &str| {
        Options::command().error(ErrorKind::InvalidValue, format!("{name} in the environment: {reason}"))
    };
    if set("JWT_ALGORITHM").is_some_and(|algorithm| algorithm != "HS256") {
        return Err(invalid("JWT_ALGORITHM", "this server checks HS256 only"));
    }
    let mut arguments: Vec<OsString> = command_line.into_iter().collect();
    let given = Options::command().try_get_matches_from(&arguments).map_err(without_secret)?;
    let mut options_set = Vec::new();
    for Variable { name, option, flag, values } in VARIABLES {
        let is_given = given.value_source(option) == Some(ValueSource::CommandLine) || options_set.contains(&option);
        let Some(value) = set(name).filter(|_| !is_given) else { continue };
        let values = values(&value).map_err(|reason| invalid(name, reason))?;
        for value in values {
            let argument = format!("{flag}={value}");
            // By itself, so that the error names the variable; its value is not repeated, for it may be a secret.
            Options::try_parse_from(["everwire-server", &argument])
                .map_err(|_| invalid(name, &format!("not a value for {flag}")))?;
            arguments.push(argument.into());
        }
        options_set.push(option);
    }
    Options::try_parse_from(arguments).map_err(without_secret)
}

/// The same error, which does not repeat what may have a password.
pub fn without_secret(mut error: clap::Error) -> clap::Error {
    let hidden = ["--database", "--redis", "--secret", "--app-key"];
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && hidden.iter().any(|flag| argument.starts_with(flag))
    {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    error
}

const fn variable(
    name: &'static str,
    option: &'static str,
    flag: &'static str,
    values: fn(&str) -> Result<Vec<String>, &'static str>,
) -> Variable {
    Variable { name, option, flag, values }
}

fn as_it_is(value: &str) -> Result<Vec<String>, &'static str> {
    Ok(vec![value.to_owned()])
}

fn minutes(value: &str) -> Result<Vec<String>, &'static str> {
    let seconds = value.parse::<i64>().ok().and_then(|minutes| minutes.checked_mul(60));
    seconds.map(|seconds| vec![seconds.to_string()]).ok_or("not a number of minutes")
}

/// Several are separated by commas; `*` is any.
fn origins(value: &str) -> Result<Vec<String>, &'static str> {
    let origins =
        value.split(',').map(|origin| origin.trim().trim_end_matches('/')).filter(|origin| !origin.is_empty());
    let origins: Vec<String> = origins.map(str::to_owned).collect();
    Ok(if origins.iter().any(|origin| origin == "*") { Vec::new() } else { origins })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::Location;

    fn read(flags: &[&str], environment: &[(&str, &str)]) -> Result<Options, clap::Error> {
        let command_line = ["everwire-server"].iter().chain(flags).map(OsString::from);
        options(command_line, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_names_of_the_originals_are_taken() {
        let environment = [
            ("JWT_SECRET_KEY", "a secret"),
            ("JWT_ALGORITHM", "HS256"),
            ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "45"),
            ("WS_HEARTBEAT_INTERVAL", "20"),
            ("WS_MAX_MESSAGE_SIZE", "20480"),
            ("WS_CONNECTION_TIMEOUT", "120"),
            ("WS_RATE_LIMIT_MESSAGES", "50"),
            ("CORS_ORIGIN", "https://a.example/, https://b.example"),
        ];
        let options = read(&[], &environment).unwrap();
        assert_eq!(options.secret.as_ref().unwrap().as_bytes(), b"a secret");
        assert_eq!(
            (options.token_life_s, options.max_message_bytes, options.rate_limit_per_minute),
            (2700, 20_480, 50)
        );
        assert_eq!(options.heartbeat_interval, Duration::from_secs(20));
        assert_eq!(options.idle_timeout, Duration::from_secs(120));
        assert_eq!(options.allow_origin, ["https://a.example", "https://b.example"]);
        assert!(read(&[], &[("CORS_ORIGIN", "*")]).unwrap().allow_origin.is_empty());
    }

    #[test]
    fn flags_win_over_the_environment_and_our_names_over_those_of_the_originals() {
        let environment = [
            ("EVERWIRE_JWT_SECRET", "ours"),
            ("JWT_SECRET_KEY", "theirs"),
            ("WS_MAX_MESSAGE_SIZE", "1"),
            ("CORS_ORIGIN", "https://a.example"),
        ];
        let options = read(&["--max-message-bytes", "2", "--allow-origin=https://b.example"], &environment).unwrap();
        assert_eq!(options.secret.unwrap().as_bytes(), b"ours");
        assert_eq!((options.max_message_bytes, options.allow_origin), (2, vec!["https://b.example".to_owned()]));
    }

    #[test]
    fn a_database_with_a_password_need_not_be_an_argument_that_others_can_see() {
        let url = "postgres://everwire:a-password@db/everwire";
        let options = read(&[], &[("EVERWIRE_DATABASE", url)]).unwrap();
        assert_eq!(options.database, Some(Location::Postgres(url.to_owned())));
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let names = VARIABLES.map(|variable| (variable.name, " "));
        let options = read(&[], &names).unwrap();
        assert!(options.secret.is_none() && options.app_key.is_none() && options.allow_origin.is_empty());
        assert_eq!((options.token_life_s, options.rate_limit_per_minute), (1800, 100));
        assert!(read(&[], &[("JWT_ALGORITHM", "")]).is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_named_and_not_repeated() {
        for (name, value) in [
            ("JWT_ALGORITHM", "RS256"),
            ("WS_MAX_MESSAGE_SIZE", "10kilobytes"),
            ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "soonish"),
            ("WS_CONNECTION_TIMEOUT", "-7.25"),
        ] {
            let error = read(&[], &[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains(value), "{error}");
        }
        let error = read(&[], &[("JWT_ALGORITHM", "RS256")]).unwrap_err().to_string();
        assert!(error.contains("HS256 only"), "{error}");
    }
}
