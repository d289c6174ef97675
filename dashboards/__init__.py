"""What people look at: wallboard and client portal, Grafana boards, Prometheus rules and the metric catalogue."""
