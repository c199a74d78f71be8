"""From an immutable board to Prometheus' text: a state is rendered once, when its run is folded; a scrape joins."""

from probe.exporter.agent import AGENT_FAMILIES, Figures, Reloads, agent_registry
from probe.exporter.exposition import Format, exposition
from probe.exporter.families import FAMILIES, Described, Family
from probe.exporter.render import Rendered, render

__all__ = [
    "AGENT_FAMILIES",
    "FAMILIES",
    "Described",
    "Family",
    "Figures",
    "Format",
    "Reloads",
    "Rendered",
    "agent_registry",
    "exposition",
    "render",
]
