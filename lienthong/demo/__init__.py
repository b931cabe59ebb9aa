"""The demo's command: start two nodes, let their people work over HTTP, verify the evidence."""
