//! Subprotocols, and tokens that travel elsewhere than in the query.

use everwire::client::{Client, ClientError, ClientEvent, Options, TokenPlace};
use everwire::proto::Phase;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::user::{User, listen, quick, quick_and_reliable, until_phase};
use crate::waiting::{until, until_async};
use crate::{faults, server};

#[wasm_bindgen_test]
async fn a_token_as_first_message_goes_out_before_the_hello() {
    let user = User::new().await;
    // The reference server knows tokens of the query alone.
    let options = Options::new().url(format!("{}?token={}", faults::URL, user.token)).config(quick_and_reliable());
    let options = options.token("secret").token_in(TokenPlace::FirstMessage).token_param("jwt").auth_event("login");
    let client = Client::new(options).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    until_async("both have arrived", async || server::received_types(&user.id).await == ["login", "hello"]).await;
    assert_eq!(server::received(&user.id).await[0].data, serde_json::json!({ "jwt": "secret" }));
}

#[wasm_bindgen_test]
async fn the_tokens_query_parameter_may_have_any_name() {
    let user = User::new().await;
    let client = Client::new(user.options().token_param("access token")).unwrap();
    client.connect().unwrap();
    until_phase(&client, Phase::Fatal).await;
    assert_eq!(server::connections(&user.id).await.accepted, 0);
    assert_eq!(
        arguments(user.options().token_param("access token").token("a&b")).0.split_once('?').unwrap().1,
        "access%20token=a%26b"
    );
}

#[wasm_bindgen_test]
fn subprotocols_are_offered_in_their_order_and_a_token_comes_last() {
    let options = || Options::new().url("ws://server.test/ws").path("").token("abc").protocols(["chat.v2", "chat.v1"]);
    assert_eq!(arguments(options()), ("ws://server.test/ws?token=abc".into(), "chat.v2,chat.v1".into()));
    let as_protocol = options().token_in(TokenPlace::Subprotocol);
    assert_eq!(arguments(as_protocol), ("ws://server.test/ws".into(), "chat.v2,chat.v1,abc".into()));
}

#[wasm_bindgen_test]
async fn a_token_that_no_subprotocol_can_be_is_an_error_without_the_token() {
    let options = Options::new().config(quick()).token("not/fit=").token_in(TokenPlace::Subprotocol);
    let client = Client::new(options).unwrap();
    let log = listen(&client);
    client.connect().unwrap();
    until("it is told", || log.errors() == ["token_failed"]).await;
    let text = format!("{:?}", log.all());
    assert!(!text.contains("not/fit="), "{text}");
    let told = log.all().into_iter().find_map(|event| match event {
        ClientEvent::Error(ClientError::TokenFailed { cause }) => Some(format!("{cause:?}")),
        _ => None,
    });
    assert!(told.unwrap().contains("subprotocol"));
    assert_eq!(client.phase(), Phase::Waiting);
}

/// What a client makes its socket of.
fn arguments(options: Options) -> (String, String) {
    let seen = Array::new();
    let global = js_sys::global();
    let native = Reflect::get(&global, &"WebSocket".into()).unwrap();
    let body = "return class { constructor(...parts) { seen.push(...parts.map(String)); throw new Error('no'); } }";
    let class = Function::new_with_args("seen", body).call1(&JsValue::UNDEFINED, &seen).unwrap();
    Reflect::set(&global, &"WebSocket".into(), &class).unwrap();
    Client::new(options).unwrap().connect().unwrap();
    Reflect::set(&global, &"WebSocket".into(), &native).unwrap();
    (seen.get(0).as_string().unwrap(), seen.get(1).as_string().unwrap())
}
