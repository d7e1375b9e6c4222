import pytest

from .conftest import Start, World


async def test_a_user_is_told_who_they_are(world: World) -> None:
    ada = await world.connect("ada")
    assert await ada.heard("connected") == [{"user_id": "ada"}]


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({}, "Missing authentication token"),
        ({"token": ""}, "Missing authentication token"),
        ({"token": 7}, "Missing authentication token"),
        ("a token", "Missing authentication token"),
        ({"token": "none"}, "Invalid authentication token"),
    ],
)
async def test_without_a_token_nobody_is_let_in(world: World, auth: object, why: str) -> None:
    assert await world.refused(auth) == {"message": why, "data": {"code": "unauthorized"}}


async def test_an_old_token_is_refused(world: World) -> None:
    refusal = await world.refused({"token": world.tokens.issue("ada", life_s=-1)})
    assert refusal["message"] == "Authentication token expired"


async def test_partners_see_each_other_come_and_go_over_all_devices(world: World) -> None:
    ben = await world.connect("ben")
    phone = await world.connect("ada")
    assert await ben.heard("user_online_status") == [{"user_id": "ada", "online": True}]
    laptop = await world.connect("ada")
    await phone.io.disconnect()
    assert (await laptop.ask("join_match", {"match_id": "m1"}))["ok"]
    assert len(await ben.heard("user_online_status")) == 1
    await laptop.io.disconnect()
    assert (await ben.heard("user_online_status", 2))[1] == {"user_id": "ada", "online": False}


async def test_who_joins_is_told_whether_the_other_is_there(world: World) -> None:
    ada = await world.joined("ada")
    assert await ada.heard("user_online_status") == [{"user_id": "ben", "online": False}]


async def test_the_development_endpoints_are_there_for_development_only(start: Start) -> None:
    world = await start(dev=False)
    for endpoint in ("token", "match", "drop"):
        assert (await world.dev(endpoint, user_id="ada")).status_code == 404


async def test_a_token_of_the_development_endpoint_lets_its_user_in(world: World) -> None:
    token = (await world.dev("token", user_id="ada")).json()["token"]
    ada = await world.connect("ada", {"token": token})
    assert await ada.heard("connected") == [{"user_id": "ada"}]


async def test_connections_can_be_cut_for_tests(world: World) -> None:
    ada = await world.connect("ada")
    ben = await world.connect("ben")
    assert (await world.dev("drop", user_id="ada")).json() == {"dropped": 1}
    await ada.io.wait()
    assert not ada.io.connected
    assert ben.io.connected
