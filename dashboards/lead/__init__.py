"""The screens of who leads a team: a team person by person, one click to follow up; the floor by seats."""
