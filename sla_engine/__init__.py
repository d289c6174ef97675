"""From entries to facts, announcements and live numbers: a pure core, and the runners around it."""
