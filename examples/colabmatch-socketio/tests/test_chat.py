import pytest

from .conftest import Start, World


async def test_a_message_reaches_both_and_is_stored(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    answer = await ada.ask("send_message", {"match_id": "m1", "content": "hello"})
    [for_ada], [for_ben] = await ada.heard("new_message"), await ben.heard("new_message")
    assert for_ada == for_ben
    assert answer == {"ok": True, "id": for_ada["id"]}
    assert {name: for_ada[name] for name in ("matchId", "senderId", "content", "readAt")} == {
        "matchId": "m1",
        "senderId": "ada",
        "content": "hello",
        "readAt": None,
    }
    history = await world.http.get(
        "/api/matches/m1/messages", headers={"authorization": f"Bearer {world.tokens.issue('ben')}"}
    )
    assert history.json() == {"messages": [for_ada], "next_before": None}


async def test_messages_keep_their_order(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    for number in range(25):
        await ada.io.emit("send_message", {"match_id": "m1", "content": str(number)})
    messages = await ben.heard("new_message", 25)
    assert [message["content"] for message in messages] == [str(number) for number in range(25)]


async def test_a_message_that_is_sent_again_is_stored_once(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    message = {"match_id": "m1", "content": "hello", "client_id": "c1"}
    first, again = await ada.ask("send_message", message), await ada.ask("send_message", message)
    assert first == again
    assert len(await ada.heard("new_message", 2)) == 2
    await ada.ask("send_message", {"match_id": "m1", "content": "another"})
    assert [message["content"] for message in await ben.heard("new_message", 2)] == ["hello", "another"]


async def test_strangers_are_refused_as_if_there_were_no_match(world: World) -> None:
    eve = await world.connect("eve")
    refusal = {"ok": False, "code": "not_allowed", "message": "Not a match of yours", "about": "join_match"}
    for match_id in ("m1", "none"):
        assert await eve.ask("join_match", {"match_id": match_id}) == refusal
    assert len(await eve.heard("error", 2)) == 2


async def test_a_match_must_be_joined_before_it_is_written_to(world: World) -> None:
    ada = await world.connect("ada")
    answer = await ada.ask("send_message", {"match_id": "m1", "content": "hello"})
    assert answer["code"] == "not_joined"


async def test_a_match_that_has_ended_takes_no_messages(world: World) -> None:
    ada = await world.joined("ada")
    await world.dev("match/status", match_id="m1", active=False)
    answer = await ada.ask("send_message", {"match_id": "m1", "content": "hello"})
    assert answer["code"] == "not_active"


async def test_messages_and_typing_are_limited_apart(start: Start) -> None:
    world = await start(messages_per_minute=2, typing_per_second=1)
    await world.match("ada", "ben")
    ada = await world.joined("ada")
    message, typing = {"match_id": "m1", "content": "hello"}, {"match_id": "m1", "is_typing": True}
    answers = [await ada.ask("send_message", message) for _ in range(3)]
    assert [answer.get("code") for answer in answers] == [None, None, "rate_limited"]
    assert answers[2]["message"] == "Rate limit exceeded"
    typed = [await ada.ask("typing", typing) for _ in range(2)]
    assert [answer.get("code") for answer in typed] == [None, "rate_limited"]


async def test_typing_is_shown_to_the_other_and_ends_by_itself(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    await ada.io.emit("typing", {"match_id": "m1", "is_typing": True})
    assert await ben.heard("user_typing") == [{"match_id": "m1", "user_id": "ada"}]
    assert await ben.heard("typing_stopped") == [{"match_id": "m1", "user_id": "ada"}]
    assert not [event for event in ada.events if "typing" in event[0]]


async def test_who_sends_or_goes_has_stopped_typing(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    typing = {"match_id": "m1", "is_typing": True}
    await ada.io.emit("typing", typing)
    await ada.io.emit("send_message", {"match_id": "m1", "content": "hello"})
    await ben.heard("new_message")
    assert [event for event, _ in ben.events if "typing" in event] == ["user_typing", "typing_stopped"]
    await ada.io.emit("typing", typing)
    await ben.heard("user_typing", 2)
    await ada.io.disconnect()
    assert len(await ben.heard("typing_stopped", 2)) == 2


async def test_reading_a_message_reads_all_before_it_and_moves_forward_only(world: World) -> None:
    ada, ben = await world.joined("ada"), await world.joined("ben")
    ids = [(await ada.ask("send_message", {"match_id": "m1", "content": "hello"}))["id"] for _ in range(3)]
    for message_id in (ids[1], ids[0], ids[1], "999"):
        assert (await ben.ask("read_message", {"match_id": "m1", "message_id": message_id}))["ok"]
    # One's own messages cannot be read.
    await ada.ask("read_message", {"match_id": "m1", "message_id": ids[2]})
    await ben.ask("read_message", {"match_id": "m1", "message_id": ids[2]})
    receipts = await ada.heard("message_read", 2)
    assert [receipt["message_id"] for receipt in receipts] == [ids[1], ids[2]]
    assert all(receipt["up_to"] and receipt["match_id"] == "m1" for receipt in receipts)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("join_match", None),
        ("join_match", {"match_id": ""}),
        ("send_message", {"match_id": "m1"}),
        ("send_message", {"match_id": "m1", "content": 7}),
        ("typing", {"match_id": "m1", "is_typing": "yes"}),
        ("read_message", {"match_id": "m1", "message_id": "-1"}),
    ],
)
async def test_what_does_not_fit_is_named_and_the_connection_stays(world: World, event: str, data: object) -> None:
    ada = await world.joined("ada")
    answer = await ada.ask(event, data)
    assert (answer["code"], answer["about"]) == ("invalid", event)
    assert (await ada.ask("send_message", {"match_id": "m1", "content": "hello"}))["ok"]


async def test_a_message_has_at_most_10_240_bytes(world: World) -> None:
    ada = await world.joined("ada")
    for content, code in (("é" * 5120, None), ("é" * 5121, "too_large")):
        answer = await ada.ask("send_message", {"match_id": "m1", "content": content})
        assert answer.get("code") == code


async def test_the_history_comes_in_pages_and_only_to_the_two(world: World) -> None:
    ada = await world.joined("ada")
    for number in range(5):
        await ada.ask("send_message", {"match_id": "m1", "content": str(number)})
    headers = {"authorization": f"Bearer {world.tokens.issue('ben')}"}
    page = (await world.http.get("/api/matches/m1/messages?limit=2", headers=headers)).json()
    earlier = await world.http.get(f"/api/matches/m1/messages?limit=3&before={page['next_before']}", headers=headers)
    contents = [message["content"] for message in earlier.json()["messages"] + page["messages"]]
    assert contents == ["0", "1", "2", "3", "4"]
    eve = {"authorization": f"Bearer {world.tokens.issue('eve')}"}
    assert (await world.http.get("/api/matches/m1/messages", headers=eve)).status_code == 403
    assert (await world.http.get("/api/matches/m1/messages")).status_code == 401


async def test_what_is_stored_outlives_the_server(start: Start) -> None:
    first = await start()
    await first.match("ada", "ben")
    ada = await first.joined("ada")
    await ada.ask("send_message", {"match_id": "m1", "content": "hello"})
    second = await start()
    headers = {"authorization": f"Bearer {second.tokens.issue('ben')}"}
    history = (await second.http.get("/api/matches/m1/messages", headers=headers)).json()
    assert [message["content"] for message in history["messages"]] == ["hello"]
