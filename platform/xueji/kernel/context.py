"""What an installation is made of, opened once per process and handed to whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.events import Events
from xueji.kernel.groupcommit import Handler
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store


@dataclass(frozen=True)
class Context:
    settings: Settings
    database: Database
    store: Store
    keyring: Keyring
    events: Events = field(default_factory=Events)
    outside: dict[type, object] = field(default_factory=dict, compare=False)
    """Things that are slow to open (the face engine), by interface: opened at first use, or put here by a test."""
    reports: dict[type, Handler] = field(default_factory=dict, compare=False)
    """What the process that writes does with each kind of report; a part adds its own in its manifest."""

    def __post_init__(self) -> None:
        # Every session can seal what it keeps: whoever writes a personal value does not have to ask for the keys.
        self.database.info["keyring"] = self.keyring

    @classmethod
    def open(cls, settings: Settings) -> Context:
        """Raises FileNotFoundError when the installation was never set up (`xueji setup`)."""
        return cls(settings, Database(settings), Store.open(settings), Keyring.load(settings.keys))

    def close(self) -> None:
        self.database.dispose()
