from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from everwire import Everwire, SqliteStore, Tokens

wire = Everwire(store=SqliteStore("app.db"), tokens=Tokens("for this page only, and known to everyone"))
engine = create_async_engine("sqlite+aiosqlite:///app.db")


class Base(DeclarativeBase): ...


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str]


