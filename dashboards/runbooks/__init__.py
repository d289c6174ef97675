"""The runbooks, a page for each alert, served by the hub itself: a link in a message opens at any hour."""
