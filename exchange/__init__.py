"""The use cases: each is one function and one transaction. Importing this package does nothing."""
