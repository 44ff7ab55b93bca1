"""What an audit bundle carries so that it can be checked without this software."""
