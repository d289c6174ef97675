"""A site's broadband lines: link, address, reachability and quality of each, and which of them the traffic takes."""
