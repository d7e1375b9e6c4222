SECRET = "for this page only, and known to everyone"


async def analyse(text: str) -> None: ...


