//! Positions as tests write them: counted from where each stream began, which is a different number in each run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;

/// Where the streams began, by user and name.
#[derive(Clone, Default)]
pub struct Positions {
    beginnings: Arc<Mutex<HashMap<(String, String), u64>>>,
}

impl Positions {
    /// Where a stream began, which is 0 for one that was not seen yet.
    pub fn beginning(&self, user: &str, stream: &str) -> u64 {
        let beginnings = self.beginnings.lock().unwrap();
        beginnings.get(&(user.to_owned(), stream.to_owned())).copied().unwrap_or(0)
    }

    /// From counted to real: the data of a `hello`.
    pub fn sent(&self, user: &str, hello: &mut Value) {
        for (name, position) in hello.get_mut("streams").and_then(Value::as_object_mut).into_iter().flatten() {
            if let Some(counted) = position.as_u64() {
                *position = (self.beginning(user, name) + counted).min(MAX_NUMBER).into();
            }
        }
    }

    /// From real to counted: whatever a server sends.
    pub fn received(&self, user: &str, envelope: &mut Value) {
        if envelope["type"] == "welcome" {
            for (name, position) in envelope["data"]["streams"].as_object_mut().into_iter().flatten() {
                let real = position.as_u64().unwrap();
                let key = (user.to_owned(), name.clone());
                let beginning = *self.beginnings.lock().unwrap().entry(key).or_insert(real);
                *position = real.checked_sub(beginning).expect("a position before the beginning").into();
            }
        } else if envelope["type"] == "stream" {
            let name = envelope["data"]["stream"].as_str().unwrap().to_owned();
            self.count(user, &name, &mut envelope["data"]["offset"]);
        } else if let Some(name) = envelope.get("stream").and_then(Value::as_str).map(str::to_owned) {
            self.count(user, &name, &mut envelope["offset"]);
        }
    }

    fn count(&self, user: &str, name: &str, real: &mut Value) {
        let counted = real.as_u64().unwrap().checked_sub(self.beginning(user, name));
        *real = counted.expect("an offset before the beginning").into();
    }
}

const MAX_NUMBER: u64 = (1 << 53) - 1;
