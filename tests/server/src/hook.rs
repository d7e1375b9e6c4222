//! A hook for error trackers.

use std::{collections::BTreeMap, fmt};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Something that the server has failed at. What clients do wrong is no incident.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Where in the program.
    pub target: &'static str,
    /// What, in words that are the same each time.
    pub message: String,
    /// The particulars, such as `error`; no tokens and no payloads.
    pub fields: BTreeMap<&'static str, String>,
}

/// A layer for a subscriber of `tracing` that hands each incident on. It is called where the failure is noticed, so it must not wait.
pub fn error_hook<S: Subscriber>(tell: impl Fn(Incident) + Send + Sync + 'static) -> impl Layer<S> {
    Hook(tell)
}

struct Hook<F>(F);

impl<S: Subscriber, F: Fn(Incident) + Send + Sync + 'static> Layer<S> for Hook<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() == Level::ERROR && is_ours(metadata.target()) {
            let mut incident = Incident { target: metadata.target(), message: String::new(), fields: BTreeMap::new() };
            event.record(&mut incident);
            (self.0)(incident);
        }
    }
}

/// Whether it is of the server, or of the library that it stands on.
fn is_ours(target: &str) -> bool {
    [env!("CARGO_CRATE_NAME"), "everwire_axum"].into_iter().any(|ours| target.starts_with(ours))
}

impl Visit for Incident {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.fields.insert(field.name(), format!("{value:?}"));
        }
    }
}
