//! What the errors of PostgreSQL say about it, and about what it was asked to do.

use std::{error::Error as _, io};

use tokio_postgres::error::SqlState;

/// Whether PostgreSQL could not do its work, and may be able to later. Everything else is about what it was asked to do.
pub fn is_of_storage(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => is_code_of_storage(code.code()),
        // What the driver itself refuses, such as parameters that do not fit the statement, is a mistake of whoever wrote it.
        None => error.is_closed() || is_of_system(error),
    }
}

/// PostgreSQL, appendix A: error codes by classes. A handler can raise any other, and would each time that its message comes.
fn is_code_of_storage(code: &str) -> bool {
    let classes = ["08", "40", "53", "58"];
    let codes = ["25006", "25P03", "25P04", "55P03", "57P01", "57P02", "57P03", "57P04", "57P05"];
    classes.iter().any(|class| code.starts_with(class)) || codes.contains(&code)
}

/// Whether it has no room or no right to store, whatever it is asked to do.
pub fn is_lasting(error: &tokio_postgres::Error) -> bool {
    error.code().map(SqlState::code).is_some_and(is_lasting_code)
}

/// A disk that is full or fails, and a standby. A statement can raise the others of their classes each time that it comes.
fn is_lasting_code(code: &str) -> bool {
    ["53100", "58030", "25006"].contains(&code)
}

/// What has an error of the system behind it, as what cannot be connected to has.
fn is_of_system(error: &tokio_postgres::Error) -> bool {
    cause_of_system(error).is_some()
}

/// The error of the system behind it.
pub fn cause_of_system(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

/// Whether nobody listens, or it starts or stops, or has no connection left.
pub fn may_pass(error: &tokio_postgres::Error) -> bool {
    match error.code().map(SqlState::code) {
        Some(code) => ["53300", "57P01", "57P02", "57P03"].contains(&code),
        // A URL that is none has no error of the system behind it.
        None => error.is_closed() || is_of_system(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_code_of_storage, is_lasting_code};

    #[test]
    fn what_a_statement_asks_too_much_of_is_not_lasting() {
        for code in ["53100", "58030", "25006"] {
            assert!(is_lasting_code(code), "{code}");
        }
        for code in ["53000", "53200", "53300", "53400", "58000", "58P01"] {
            assert!(!is_lasting_code(code), "{code}");
        }
    }

    #[test]
    fn only_what_may_pass_is_a_failure_of_the_storage() {
        for code in ["08006", "40001", "40P01", "53100", "55P03", "57P01", "58030", "25006"] {
            assert!(is_code_of_storage(code), "{code}");
        }
        // Raised by a trigger, too large for an index, in the way of a constraint, after an error that nobody heeded, cancelled, a bug of an extension.
        for code in ["P0001", "54000", "23505", "25P02", "57014", "XX000", "0A000"] {
            assert!(!is_code_of_storage(code), "{code}");
        }
    }
}
