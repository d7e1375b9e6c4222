"""What is logged about an exception: its kind and its place. Its words are left out, because they may quote a payload."""


class MisuseError(Exception):
    """The application uses this library otherwise than it can be used. Its words quote no payload, and are logged."""


def describe(error: BaseException) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
    words = f": {error}" if isinstance(error, MisuseError) else ""
    return f"{type(error).__name__}{where}{words}"
