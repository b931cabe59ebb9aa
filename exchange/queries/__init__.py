"""What pages and commands read: frozen types of `dossier`, only what the reader may see."""
