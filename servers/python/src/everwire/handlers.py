"""The application's handlers, each with the model of its payload."""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from .frames import MAX_TYPE_BYTES
from .refusal import Refuse

if TYPE_CHECKING:
    from .context import Context

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Registered:
    type: str
    call: Handler
    read: Callable[[dict[str, Any]], Any]
    is_async: bool
    joins: bool
    """Over the rate limit it counts as a ping: a client that comes back joins again only once."""
    per_second: float | None
    """Has a limit of its own while it has no number, so that it costs other messages nothing."""

    async def run(self, ctx: "Context", data: dict[str, Any]) -> dict[str, Any]:
        try:
            payload = self.read(data)
        except ValidationError as error:
            raise Refuse("malformed", _where(error)) from None
        result = self.call(ctx, payload)
        if self.is_async or inspect.isawaitable(result):
            result = await typing.cast(Awaitable[Any], result)
        if result is None:
            return {}
        if isinstance(result, BaseModel):
            return result.model_dump(mode="json")
        if isinstance(result, Mapping):
            return dict(result)
        raise TypeError(f"the handler of {self.type} must return a model, a mapping or None")


def register(kind: str, call: Handler, *, joins: bool = False, per_second: float | None = None) -> Registered:
    if not 0 < len(kind.encode()) <= MAX_TYPE_BYTES:
        raise ValueError(f"a type has 1 to {MAX_TYPE_BYTES} bytes")
    parameters = list(inspect.signature(call).parameters.values())
    if len(parameters) != 2:
        raise TypeError("a handler takes the context and the payload")
    hints = typing.get_type_hints(call)
    model = hints.get(parameters[1].name, dict[str, Any])
    return Registered(kind, call, _reader(model), inspect.iscoroutinefunction(call), joins, per_second)


def _reader(model: Any) -> Callable[[dict[str, Any]], Any]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model.model_validate
    if model in (Any, dict, dict[str, Any]):
        return lambda data: data
    return TypeAdapter(model).validate_python


def _where(error: ValidationError) -> str:
    """Which fields are wrong, without what was in them."""
    problems = [
        f"`{'.'.join(str(part)[:40] for part in problem['loc'][:4])}`: {problem['type']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)[:3]
    ]
    return "; ".join(problems)[:300] or "the payload has the wrong shape"
