//! What a statement is about, by its first word.

use super::{DatabaseError, Result};

/// Refuses what begins or ends a transaction, which is for the library to do.
pub(super) fn refuse_to_end(sql: &str) -> Result<()> {
    let first = behind_comments(sql).split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    if OF_TRANSACTIONS.iter().any(|word| word.eq_ignore_ascii_case(first)) {
        return Err(DatabaseError::Application("the transaction is the library's to begin and to end"));
    }
    Ok(())
}

/// The statement from its first word on. Only one is taken at a time, but empty ones before it are.
fn behind_comments(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
        let end = if sql.starts_with("--") {
            sql.find('\n')
        } else if sql.starts_with("/*") {
            sql.find("*/").map(|start| start + 1)
        } else {
            return sql;
        };
        sql = end.and_then(|end| sql.get(end + 1..)).unwrap_or_default();
    }
}

const OF_TRANSACTIONS: [&str; 8] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];
