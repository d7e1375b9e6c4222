from everwire import Everwire, Tokens

SECRET = "for this page only, and known to everyone"


async def friends_of(user: str) -> list[str]:
    return []


