"""The user's own keys: `keys.yaml` in the user's configuration folder, one action a line.

    queue.cancel: d
    everywhere.help: "?, f1"

The names are those of the action table (`?` shows them); Textual puts the keys in the place of ours.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from typing import TYPE_CHECKING

from console import keys
from worker.places import APP

if TYPE_CHECKING:
    from pathlib import Path

FILE = "keys.yaml"
# Keys as people write them, and as Textual names them.
WRITTEN = {
    "?": "question_mark", "/": "slash", ":": "colon", "esc": "escape", "pgdn": "pagedown", "pgup": "pageup",
    "space": "space", "*": "asterisk", ".": "full_stop", "-": "minus", "+": "plus", "!": "exclamation_mark",
    "[": "left_square_bracket", "]": "right_square_bracket", "return": "enter", "del": "delete",
}  # fmt: skip
_NAMED = {
    "escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", *WRITTEN.values(), *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
_MODIFIERS = {"ctrl", "shift", "alt", "meta", "super"}


def keys_file() -> Path:
    """Where the user's keys are."""
    from platformdirs import user_config_path  # noqa: PLC0415 - the commands have no keys

    return user_config_path(APP, appauthor=False) / FILE


def load_keymap(path: Path) -> dict[str, str]:
    """The user's keys by the name of the action, as Textual wants them; none where there is no file.

    Raises:
        ConfigError: an action is unknown, a key is none, or a key would mean two things on a screen.
    """
    if not path.exists():
        return {}
    from worker.config import ConfigError, read_yaml  # noqa: PLC0415 - brings pydantic, for a file that few have

    file = read_yaml(path)
    known = {action.bound: action for action in keys.ACTIONS}
    keymap, faults = {}, []
    for name, wish in file.data.items():
        pressed = [_textual(part) for part in str(wish).split(",")] if isinstance(wish, str | int) else [""]
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; perhaps {near[0]}?" if near else ""
            faults.append(file.fault((name,), f"there is no such action{hint}"))
        elif not all(_is_key(key) for key in pressed):
            faults.append(file.fault((name,), f"expected a key such as d, f5 or ctrl+g, found {wish!r:.40}"))
        else:
            keymap[name] = ",".join(pressed)
    if not faults:
        faults = [file.fault((name,), text) for name, text in _clashes(keymap)]
    if faults:
        raise ConfigError(*faults)
    return keymap


def _textual(written: str) -> str:
    *modifiers, key = written.strip().rsplit("+", 1) if len(written.strip()) > 1 else [written.strip()]
    return "+".join([*modifiers, WRITTEN.get(key, key)])


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    return set(modifiers) <= _MODIFIERS and (last in _NAMED or (len(last) == 1 and last.isprintable()))


def _clashes(keymap: dict[str, str]) -> list[tuple[str, str]]:
    """The user's keys that would mean two things on one screen, with what they mean already."""
    found: dict[str, str] = {}
    shared = (keys.Scope.EVERYWHERE, keys.Scope.LIST, keys.Scope.MOVE)
    for own in [scope for scope in keys.Scope if scope not in shared]:
        pressed: dict[str, list[keys.Action]] = defaultdict(list)
        for scope in (*shared, own):
            for action in keys.of(scope):
                for key in keys.keys_of(action, keymap):
                    pressed[key].append(action)
        for key, actions in pressed.items():
            names = [action.bound for action in actions]
            mine = next((name for name in names if name in keymap), None)
            if len(names) > 1 and mine:
                other = next((name for name in names if name != mine), mine)
                found.setdefault(mine, f"{keys.shown_key(key)} is the key of {other} already")
    return list(found.items())
