"""The integrator's tools: check, rehearse, compare and begin procedure folders, without a node."""
