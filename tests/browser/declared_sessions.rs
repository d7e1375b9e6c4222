//! Events that an application declares as joining and leaving sessions.

use everwire::client::{Client, SessionRule};
use everwire::proto::Phase;
use js_sys::JSON;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::server;
use crate::user::User;
use crate::waiting::{until, until_async};

fn data(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

#[wasm_bindgen_test]
async fn a_declared_session_is_joined_again_before_what_waited_until_it_is_left() {
    let user = User::new().await;
    let rule = SessionRule::new("enter_room", "room_id").leave("exit_room");
    let client = Client::new(user.options().sessions([rule])).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    client.send_raw("enter_room", &data(r#"{"room_id":7}"#)).unwrap();
    client.send_raw("enter_room", &data(r#"{"room_id":8}"#)).unwrap();
    client.send_raw("exit_room", &data(r#"{"room_id":"7"}"#)).unwrap();
    until_async("all have arrived", async || server::received(&user.id).await.len() == 3).await;
    server::close(&user.id, 1001).await;
    until("the connection is lost", || client.phase() != Phase::Open).await;
    client.send_raw("echo", &JsValue::UNDEFINED).unwrap();
    client.connected().await.unwrap();
    until_async("what waited arrives", async || server::received(&user.id).await.len() == 5).await;
    let again = server::received(&user.id).await.split_off(3);
    assert_eq!([&*again[0].kind, &*again[1].kind], ["enter_room", "echo"]);
    assert_eq!(again[0].data, serde_json::json!({ "room_id": 8 }));
}
