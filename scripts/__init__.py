"""The developer's own commands behind the Makefile; no part of the product or its wheel."""
