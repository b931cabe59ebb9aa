"""What people and partners reach over HTTP: pages, REST, and the mount of the SOAP endpoint."""
