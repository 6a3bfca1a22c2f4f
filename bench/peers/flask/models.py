"""The tables, and a session a request."""

import os

from flask import Flask
from sqlalchemy import create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker


class Base(DeclarativeBase):
    pass


class Place(Base):
    __tablename__ = "place"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    def to_dict(self):
        return {"id": self.id, "name": self.name}


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_alive: Mapped[bool]
    is_king: Mapped[bool]
    place_id: Mapped[int | None]

    def to_dict(self):
        return {
            "id": self.id,
            "name": self.name,
            "isAlive": self.is_alive,
            "placeId": self.place_id,
            "isKing": self.is_king,
        }


engine = create_engine("sqlite:///" + os.environ["DATABASE"])


@event.listens_for(engine, "connect")
def tune(connection, _record):
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


session = scoped_session(sessionmaker(engine))


def create_app():
    app = Flask(__name__)
    app.json.sort_keys = False
    app.json.compact = True

    @app.teardown_appcontext
    def end(_error):
        session.remove()

    return app
