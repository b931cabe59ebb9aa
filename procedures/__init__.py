"""The procedures that come with the product: one folder each, data only."""
