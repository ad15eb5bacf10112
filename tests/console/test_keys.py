from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from console import keys
from console.app import TopicConsole
from console.screens.failures import FailuresScreen
from console.screens.listing import ListScreen
from console.screens.overview import OverviewScreen
from console.screens.queue import QueueScreen
from console.screens.schedules import SchedulesScreen
from console.widgets.window_table import WindowTable

BOUND = {
    keys.Scope.EVERYWHERE: (TopicConsole,),
    keys.Scope.MOVE: (WindowTable,),
    keys.Scope.LIST: (QueueScreen, FailuresScreen, SchedulesScreen),
    keys.Scope.OVERVIEW: (OverviewScreen,),
    keys.Scope.QUEUE: (QueueScreen,),
    keys.Scope.FAILURES: (FailuresScreen,),
    keys.Scope.SCHEDULES: (SchedulesScreen,),
}
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("action", keys.ACTIONS, ids=lambda action: f"{action.scope}-{action.id}")
def test_every_action_has_a_help_and_a_method_where_it_is_bound(action):
    assert action.help.endswith((".", "list.", "inverts."))
    assert action.keys
    for owner in BOUND[action.scope]:
        assert callable(getattr(owner, f"action_{action.id}")), owner


@pytest.mark.parametrize("screen", [QueueScreen, FailuresScreen, SchedulesScreen, OverviewScreen])
def test_no_key_means_two_things_on_a_screen(screen):
    scopes = [screen.scope, keys.Scope.EVERYWHERE]
    if issubclass(screen, ListScreen):
        scopes += [keys.Scope.LIST, keys.Scope.MOVE]
    pressed = Counter(key for scope in scopes for action in keys.of(scope) for key in action.keys)
    assert [key for key, times in pressed.items() if times > 1] == []


def test_upper_case_is_dangerous():
    for action in keys.ACTIONS:
        for key in action.keys:
            if len(key) == 1 and key.isupper() and key != "G":
                assert action.changes, action


def test_the_readme_has_the_whole_table():
    assert keys.table() in README.read_text()
