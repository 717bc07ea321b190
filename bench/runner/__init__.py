"""What bench/run does once everything is built: starts all parties, measures them, writes it down."""
