"""HTTP requests and replies, client authentication, faults."""
