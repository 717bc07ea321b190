"""What bench/run does once all is built: starts all parties, measures them, writes it down."""
