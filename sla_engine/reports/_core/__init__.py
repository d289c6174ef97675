"""Reports as pure functions over events, facts and instants: no clock, no file, no zone database."""
