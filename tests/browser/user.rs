//! A user of a test's own, so that tests do not disturb each other.

use everwire::client::{Client, ClientEvent, Options};
use everwire::proto::{Config, Phase};

use crate::waiting::{Log, until};
use crate::{faults, page, server};

pub struct User {
    pub id: String,
    pub token: String,
}

impl User {
    /// On a healthy network.
    pub async fn new() -> Self {
        faults::heal().await;
        let id = page::random_name();
        let token = server::token(&id, 600).await;
        Self { id, token }
    }

    /// Options that connect as this user, and reconnect without delay.
    pub fn options(&self) -> Options {
        Options::new().url(faults::URL).token(&*self.token).config(quick())
    }

    /// A client with those options that is not connected.
    pub fn client(&self) -> Client {
        Client::new(self.options()).unwrap()
    }

    /// A client of the reliable mode that is connected.
    pub async fn reliable(&self) -> Client {
        let client = Client::new(self.options().config(quick_and_reliable())).unwrap();
        client.connect().unwrap();
        client.connected().await.unwrap();
        client
    }

    /// A client that is connected.
    pub async fn online(&self) -> Client {
        let client = self.client();
        client.connect().unwrap();
        client.connected().await.unwrap();
        client
    }
}

/// The defaults with waits that suit tests.
pub fn quick() -> Config {
    hurried(Config::default())
}

/// The same in the reliable mode.
pub fn quick_and_reliable() -> Config {
    hurried(Config::reliable())
}

fn hurried(mut config: Config) -> Config {
    config.reconnect.initial_delay_ms = 20;
    config.reconnect.max_delay_ms = 100;
    config
}

/// Keeps everything that `client` tells, for as long as it lives.
pub fn listen(client: &Client) -> Log<ClientEvent> {
    let log = Log::new();
    let told = log.clone();
    client.on_event(move |event| told.add(event.clone())).forget();
    log
}

pub async fn until_phase(client: &Client, phase: Phase) {
    until(&format!("the phase is {phase:?}"), || client.phase() == phase).await;
}

impl Log<ClientEvent> {
    /// How many of the events `is` holds for.
    pub fn count(&self, is: impl Fn(&ClientEvent) -> bool) -> usize {
        self.all().iter().filter(|event| is(event)).count()
    }

    /// Waits until the server has processed every message up to this one.
    pub async fn acknowledges(&self, seq: u64) {
        let is_told = |event: &ClientEvent| matches!(event, ClientEvent::Acknowledged { seq: told } if *told == seq);
        until(&format!("{seq} is acknowledged"), || self.count(is_told) > 0).await;
    }

    /// The codes of the errors among the events.
    pub fn errors(&self) -> Vec<&'static str> {
        let code = |event: &ClientEvent| match event {
            ClientEvent::Error(error) => Some(error.code()),
            _ => None,
        };
        self.all().iter().filter_map(code).collect()
    }

    /// The codes of the closes among the events.
    pub fn closes(&self) -> Vec<u16> {
        let code = |event: &ClientEvent| match event {
            ClientEvent::Closed(close) => Some(close.code),
            _ => None,
        };
        self.all().iter().filter_map(code).collect()
    }
}
