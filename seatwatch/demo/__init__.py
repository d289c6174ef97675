"""`seatwatch demo`: a server process, a simulated floor that talks to it, a script of mishaps, and an honest count."""
