"""Django models and queries; functions take and return `dossier` types, never a model."""
