"""The agent: runs are folded into a board, and everybody who looks reads that board."""

from probe.agent.agent import Agent
from probe.agent.following import Following
from probe.agent.running import VERSION, RunOptions, StartError, run_agent

__all__ = ["VERSION", "Agent", "Following", "RunOptions", "StartError", "run_agent"]
