"""Processes killed, Redis emptied, connections cut; then the books must balance."""
