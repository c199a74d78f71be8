"""`python -m tests.state.simulate [HISTORIES]`: what the simulator finds; `... tell NUMBER`: one history, told."""

import sys
import time
from functools import partial

from tests.state.findings import SETTLES_IN, Findings, findings, simulated
from tests.state.histories import SHAPES, history, numbers, shape_of
from tests.state.onlooker import ALERT_FOR

say = partial(print, flush=True)


def count(histories: int) -> None:
    """Print how many histories of each shape show what, and the numbers of the first of them."""
    say(f"{'':26}{'histories':>10}" + "".join(f"{name:>11}" for name in Findings._fields))
    for shape in SHAPES:
        began = time.process_time()
        found: dict[str, list[int]] = {name: [] for name in Findings._fields}
        for number in numbers(shape, histories):
            for name, what in simulated(number)._asdict().items():
                if what:
                    found[name].append(number)
        played = len(numbers(shape, histories))
        counts = "".join(f"{len(some):>11}" for some in found.values())
        say(f"{shape:26}{played:>10}{counts}   {(time.process_time() - began) / played * 1000:.0f} ms each")
        for name, some in found.items():
            if some:
                say(f"{'':28}{name}: {' '.join(map(str, some[:10]))}")


def tell(number: int) -> None:
    """Print a history: its configs, what was in trouble, each change of verdict, who was called, what is found."""
    story = history(number)
    say(f"history {number}: {shape_of(number)}")
    for at, checks in story.configs:
        for check in checks.values():
            fields = check.model_dump(exclude_defaults=True, exclude={"name"})
            say(f"{at:8.1f}  config   {check.name}: " + ", ".join(f"{key} {value}" for key, value in fields.items()))
    for name, troubles in story.truth.items():
        for one in troubles:
            say(f"{one.begins:8.1f}  trouble  {name}, by {one.root}, until {one.ends:.1f}, {one.takes:g} s a run")
    for restart in story.restarts:
        say(f"{restart.at:8.1f}  killed   {restart.lost:.1f} s lost, back after {restart.away:.1f} s")
    world = story.play(SETTLES_IN)
    for at, change in world.changes:
        after, roots = change.after, ", ".join(change.roots) or "nobody"
        say(f"{at:8.1f}  change   {change.check}: {after.health} {after.reason}, by {roots}")
    for call in world.onlooker.calls:
        say(f"{call.at + ALERT_FOR:8.1f}  called   for {call.check}")
    for name, what in findings(story, world.board, world.onlooker)._asdict().items():
        if what:
            say(f"          found    {name}: {what}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["tell"]:
        tell(int(sys.argv[2]))
    else:
        count(int(sys.argv[1]) if sys.argv[1:] else 10_000)
