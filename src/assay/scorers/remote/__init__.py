"""Reward models behind an HTTP endpoint as Scorers: vLLM, sglang, TEI and OpenRLHF."""
