"""Template tags; Django finds them in this package."""
