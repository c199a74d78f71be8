"""Folding results into states: pure functions on frozen values, the one place that decides what happened."""

from probe.state.fold import Ended, Fold, fold, one_shot, opened, reloaded
from probe.state.values import Board, LimitState, Past, State, Strip, SurveyState, Tally

__all__ = [
    "Board",
    "Ended",
    "Fold",
    "LimitState",
    "Past",
    "State",
    "Strip",
    "SurveyState",
    "Tally",
    "fold",
    "one_shot",
    "opened",
    "reloaded",
]
