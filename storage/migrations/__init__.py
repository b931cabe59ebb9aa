"""Schema changes, written by Django."""
