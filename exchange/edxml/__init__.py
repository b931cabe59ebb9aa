"""edXML letters between this node and document systems that know nothing of our contracts."""
