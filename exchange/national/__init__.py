"""The national public-service portal is told how dossiers stand: a queue for each destination."""
