from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from console import keys
from console.app import TopicConsole
from console.screens import screen_class
from console.screens.listing import ListScreen
from console.widgets.window_table import WindowTable

SCREENS = {action.screen: screen_class(action.screen) for action in keys.to_screens()}
LISTS = tuple(screen for screen in SCREENS.values() if issubclass(screen, ListScreen))
BOUND = {
    keys.Scope.EVERYWHERE: (TopicConsole,),
    keys.Scope.MOVE: (WindowTable,),
    keys.Scope.LIST: LISTS,
    **{screen.scope: (screen,) for screen in SCREENS.values()},
}
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("action", keys.ACTIONS, ids=lambda action: f"{action.scope}-{action.id}")
def test_every_action_has_a_help_and_a_method_where_it_is_bound(action):
    assert action.help.endswith((".", "list.", "inverts."))
    assert action.keys
    for owner in BOUND[action.scope]:
        assert callable(getattr(owner, f"action_{action.method}")), owner


@pytest.mark.parametrize("action", keys.to_screens(), ids=lambda action: action.id)
def test_every_screen_says_which_it_is(action):
    screen = SCREENS[action.screen]
    assert (screen.here, str(screen.scope)) == (action.id, action.title)


@pytest.mark.parametrize("screen", SCREENS.values())
def test_no_key_means_two_things_on_a_screen(screen):
    scopes = [screen.scope, keys.Scope.EVERYWHERE]
    if issubclass(screen, ListScreen):
        scopes += [keys.Scope.LIST, keys.Scope.MOVE]
    pressed = Counter(key for action in keys.nearest(*scopes) for key in action.keys)
    assert [key for key, times in pressed.items() if times > 1] == []


def test_upper_case_is_dangerous():
    for action in keys.ACTIONS:
        for key in action.keys:
            if len(key) == 1 and key.isupper() and key not in {"G", "E"}:
                assert action.changes, action


def test_the_readme_has_the_whole_table():
    assert keys.table() in README.read_text()
