"""Who may see what. Every read path takes a Scope; there is no unscoped query."""

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader may see. None = all; an empty set = nothing."""

    clients: frozenset[str] | None = None
    sites: frozenset[str] | None = None
    teams: frozenset[str] | None = None

    def sees_client(self, client: str) -> bool:
        """Whether this reader may see `client`."""
        return self.clients is None or client in self.clients

    def sees_site(self, site: str) -> bool:
        """Whether this reader may see `site`."""
        return self.sites is None or site in self.sites

    def sees_sites(self) -> bool:
        """Whether there is any site that this reader may see."""
        return self.sites is None or bool(self.sites)

    def sees_team(self, team: str) -> bool:
        """Whether this reader may see `team`, of the clients it may see."""
        return self.teams is None or team in self.teams


EVERYTHING = Scope()
