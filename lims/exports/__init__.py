"""What leaves the system as a file."""
