//! The numbers of a message, and what they say about it.

use serde_json::{Map, Value};

/// The largest integer that every JSON reader keeps exact.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A message's place in its client's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub seq: u64,
    /// What must have been processed before it.
    pub prev: u64,
    /// Whether a reply is wanted.
    pub request: bool,
}

/// The numbering of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// It has no `seq` and is at most once.
    Absent,
    Present(Sequence),
    /// `seq` or `prev` is not a number that may be there.
    Wrong,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// It is the next one.
    Next,
    /// It has been processed.
    Duplicate,
    /// One before it is missing.
    Missing,
    /// It says that something follows what has been overtaken.
    Overlap,
}

impl Numbers {
    /// Takes the fields of the reliable mode out of an envelope.
    pub fn take_from(envelope: &mut Map<String, Value>) -> Self {
        let Some(seq) = envelope.remove("seq") else { return Self::Absent };
        let prev = envelope.remove("prev");
        let request = envelope.remove("request") == Some(Value::Bool(true));
        let Some(seq) = number(&seq).filter(|seq| *seq > 0) else { return Self::Wrong };
        let prev = match prev {
            Some(prev) => number(&prev),
            None => Some(seq - 1),
        };
        match prev {
            Some(prev) if prev < seq => Self::Present(Sequence { seq, prev, request }),
            _ => Self::Wrong,
        }
    }
}

impl Sequence {
    /// The table of cases of the protocol.
    pub fn case(self, last: u64) -> Case {
        if self.seq <= last {
            Case::Duplicate
        } else if self.prev == last {
            Case::Next
        } else if self.prev > last {
            Case::Missing
        } else {
            Case::Overlap
        }
    }
}

/// An integer from 0 to [`MAX_NUMBER`].
pub fn number(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number <= MAX_NUMBER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn numbers(envelope: Value) -> Numbers {
        let Value::Object(mut envelope) = envelope else { panic!() };
        Numbers::take_from(&mut envelope)
    }

    #[test]
    fn prev_is_the_number_before_where_it_is_left_out() {
        let present = |seq, prev, request| Numbers::Present(Sequence { seq, prev, request });
        assert_eq!(numbers(json!({ "seq": 7 })), present(7, 6, false));
        assert_eq!(numbers(json!({ "seq": 7, "prev": 0, "request": true })), present(7, 0, true));
        assert_eq!(numbers(json!({ "seq": MAX_NUMBER })), present(MAX_NUMBER, MAX_NUMBER - 1, false));
        assert_eq!(numbers(json!({ "prev": 3 })), Numbers::Absent);
    }

    #[test]
    fn what_is_no_number_is_wrong() {
        for seq in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!([1]), json!(MAX_NUMBER + 1)] {
            assert_eq!(numbers(json!({ "seq": seq })), Numbers::Wrong, "{seq}");
        }
        for prev in [json!(7), json!(8), json!(-1), json!("6"), json!(null)] {
            assert_eq!(numbers(json!({ "seq": 7, "prev": prev })), Numbers::Wrong, "{prev}");
        }
    }

    #[test]
    fn every_message_is_one_of_four_cases() {
        let case = |seq, prev| Sequence { seq, prev, request: false }.case(5);
        assert_eq!(case(6, 5), Case::Next);
        assert_eq!(case(9, 5), Case::Next);
        assert_eq!(case(5, 4), Case::Duplicate);
        assert_eq!(case(1, 0), Case::Duplicate);
        assert_eq!(case(7, 6), Case::Missing);
        assert_eq!(case(7, 3), Case::Overlap);
    }
}
