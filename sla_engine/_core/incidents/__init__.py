"""What stands behind a site's verdict, and its incidents: one per cause, said as revisions. Pure."""
