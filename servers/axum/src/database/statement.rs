//! What a statement is about, by its first words.

use super::{DatabaseError, Result};

/// Refuses what begins or ends a transaction, and what changes more than it, which is for the library to do: the messages of others are
/// in the same transaction, and on the same connection.
pub(super) fn check(sql: &str) -> Result<()> {
    for comments in [Comments::Flat, Comments::Nested] {
        let mut words = words(behind_comments(sql, comments));
        let mut first = words.next().unwrap_or_default();
        if is_one_of(&["EXPLAIN"], first) {
            // SQLite carries some out to explain them.
            first = words.find(|word| !is_one_of(&["QUERY", "PLAN"], word)).unwrap_or_default();
        }
        if is_one_of(&OF_TRANSACTIONS, first) {
            return Err(DatabaseError::Application("the transaction is the library's to begin and to end"));
        }
        let is_of_connection = is_one_of(&OF_CONNECTIONS, first);
        if is_of_connection && !words.next().is_some_and(|second| is_one_of(&["CONSTRAINTS"], second)) {
            return Err(DatabaseError::Application(
                "the connection is the library's, for everybody's statements: a setting is read by SELECT, and made before the start",
            ));
        }
    }
    Ok(())
}

fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|one| one.eq_ignore_ascii_case(word))
}

fn words(sql: &str) -> impl Iterator<Item = &str> {
    // What is no word ends the first: a name in quotes, a number.
    let is_of_word = |letter: char| letter.is_ascii_alphabetic();
    sql.split_whitespace().map(move |word| word.split(|letter| !is_of_word(letter)).next().unwrap_or_default())
}

/// How comments end, which SQLite and PostgreSQL see differently.
#[derive(Clone, Copy)]
enum Comments {
    /// With the first end.
    Flat,
    /// With as many as there were beginnings.
    Nested,
}

/// The statement from its first word on. Only one is taken at a time, but empty ones before it are.
fn behind_comments(mut sql: &str, comments: Comments) -> &str {
    loop {
        // SQLite takes a byte order mark for a space.
        sql = sql.trim_start_matches(|letter: char| letter.is_whitespace() || [';', '\u{FEFF}'].contains(&letter));
        let behind = if sql.starts_with("--") {
            sql.split_once('\n').map(|(_, behind)| behind)
        } else if let Some(comment) = sql.strip_prefix("/*") {
            behind_comment(comment, comments)
        } else {
            return sql;
        };
        sql = behind.unwrap_or_default();
    }
}

/// What is behind a comment that has begun.
fn behind_comment(mut comment: &str, comments: Comments) -> Option<&str> {
    let mut depth = 1;
    loop {
        let end = comment.find("*/")?;
        match comment.find("/*").filter(|begin| *begin < end) {
            Some(begin) if matches!(comments, Comments::Nested) => {
                depth += 1;
                comment = comment.get(begin + 2..)?;
            }
            _ => {
                depth -= 1;
                comment = comment.get(end + 2..)?;
                if depth == 0 {
                    return Some(comment);
                }
            }
        }
    }
}

const OF_TRANSACTIONS: [&str; 8] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];

/// Settings, prepared statements, and protocols of their own.
const OF_CONNECTIONS: [&str; 7] = ["PRAGMA", "SET", "RESET", "DISCARD", "DEALLOCATE", "PREPARE", "COPY"];

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_for_the_library_to_do_is_refused_however_it_is_written() {
        for refused in [
            "\u{FEFF}COMMIT",
            "/* /* nested */ */ COMMIT",
            "/*/* x */ y */ROLLBACK",
            "/* /* flat */ END",
            "EXPLAIN QUERY PLAN PRAGMA query_only(1)",
            "PREPARE TRANSACTION 'x'",
            "set\tlocal search_path TO nowhere",
            "SET/**/ROLE nobody",
            "DEALLOCATE ALL",
            "copy notes FROM STDIN",
        ] {
            assert!(check(refused).is_err(), "{refused}");
        }
        for taken in [
            "SELECT 1",
            "UPDATE notes SET text = 'COMMIT'",
            "-- COMMIT",
            "/* COMMIT",
            "SET CONSTRAINTS ALL IMMEDIATE",
            "SELECT name FROM pragma_table_info('notes')",
            "EXPLAIN SELECT 1",
            "",
        ] {
            assert!(check(taken).is_ok(), "{taken}");
        }
    }
}
