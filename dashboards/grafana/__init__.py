"""Grafana boards, generated: what they show is the catalogue's, what they say is the glossary's."""
