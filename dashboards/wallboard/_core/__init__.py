"""What a screen may see of a board, and the difference between two boards, as pure functions."""
