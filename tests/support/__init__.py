"""What several test modules share: engines, records to begin with, the running application."""
