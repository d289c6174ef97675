"""Who is called: the configuration made into a pager, and into the files that Prometheus and Alertmanager read."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from aiohttp import web

from dashboards.alerting._core.message import Reader
from dashboards.alerting._core.pager import Holds, PagerSettings
from dashboards.alerting.acknowledge_page import AcknowledgePage, Duty, Take
from dashboards.alerting.acknowledging import Links, LinkSettings
from dashboards.alerting.alertmanager import TICKETS, RouteSettings, configuration, duty_receiver
from dashboards.alerting.bridge import Besides, Bridge, BridgeSettings, PagerNow
from dashboards.alerting.channels import Channel, Channels, ChannelSettings, ClipSettings, RateSettings
from dashboards.alerting.news import NewsSettings
from dashboards.alerting.on_call import DetailsNow, OnCall, OnCallSettings, no_details
from dashboards.alerting.rules import RuleSettings, rule_groups
from dashboards.alerting.told_before import FILE as TOLD_BEFORE
from dashboards.alerting.told_before import ToldBefore
from dashboards.alerting.vendors import Address
from dashboards.alerting.watchdog import WatchdogPassage
from dashboards.alerting.yaml_text import yaml_text
from dashboards.runbooks.server import first_steps
from seatwatch import glossary
from seatwatch.config import Config
from seatwatch.on_call_config import ChannelSection
from seatwatch.server.seen_twice import seen_twice
from seatwatch.settings import Defaults

Clock: TypeAlias = Callable[[], int]
LANGUAGES: Final[tuple[glossary.Language, ...]] = ("zh", "en")
"""As annotations name them: summary_zh, summary_en."""


def annotation_words() -> dict[str, dict[str, str]]:
    """The glossary by the language of an annotation."""
    return {name: {key: word.text(name) for key, word in glossary.words().items()} for name in LANGUAGES}


def tiers(config: Config) -> int:
    """How many are called one after the other."""
    return max(1, len(config.duty))


def on_call(config: Config, defaults: Defaults, clock_ms: Clock, details_now: DetailsNow = no_details) -> OnCall:
    """The pager of a server. details_now: what an incident tells of itself when it is asked."""
    holds = defaults.fill(Holds, "paging", prefix="hold_")
    pager = defaults.fill(PagerSettings, "paging", holds=holds, tiers=tiers(config))
    settings = defaults.fill(OnCallSettings, "paging", pager=pager, runbooks=config.alerting.runbooks_at)
    urls, words, names = config.alerting.alertmanager_urls, annotation_words(), config.names()
    return OnCall(urls, settings=settings, words=words, names=names, clock_ms=clock_ms, details_now=details_now)


def rules_text(config: Config, defaults: Defaults) -> str:
    """The rule file for Prometheus."""
    settings = defaults.fill(
        RuleSettings,
        "paging",
        scrape_job=config.alerting.scrape_job,
        runbooks=config.alerting.runbooks_at,
        tiers=tiers(config),
        record_ahead_max_s=defaults.seconds("board.record_ahead_max"),
    )
    heading = "Written by `seatwatch alerting rules`; write it again after an update of Seatwatch."
    return yaml_text(rule_groups(annotation_words(), settings), heading=heading)


def alertmanager_text(config: Config, defaults: Defaults, token_file: Path) -> str:
    """The configuration for Alertmanager. token_file: where Alertmanager finds the bridge's token."""
    alerting = config.alerting
    settings = defaults.fill(
        RouteSettings,
        "paging",
        tiers=tiers(config),
        bridge_url=alerting.bridge_url,
        token_file=str(token_file),
        has_deadman=bool(alerting.deadman_url),
    )
    heading = "Written by `seatwatch alerting alertmanager`; write it again after a change of the duty list."
    return yaml_text(configuration(settings), heading=heading)


def secret_file(data: Path, name: str) -> Path:
    """A secret of this data directory, made on first use: the bridge's token, the key of acknowledge links."""
    file = data / "keys" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(secrets.token_urlsafe() + "\n", encoding="utf-8")
    return file


def channels(sections: Sequence[ChannelSection], base: Path, defaults: Defaults, clock_ms: Clock) -> Channels:
    """The configured channels. base: the folder of the configuration, which names files from there."""
    clip = defaults.fill(ClipSettings, "paging", prefix="clip_")
    rate = defaults.fill(RateSettings, "paging", prefix="rate_")
    settings = defaults.fill(ChannelSettings, "paging", clip=clip, rate=rate)
    return Channels([_channel(section, base) for section in sections], settings=settings, clock_ms=clock_ms)


def readers(config: Config, defaults: Defaults) -> dict[str, Reader]:
    """Whom messages are for, by the language of their channel."""
    zone = ZoneInfo(defaults.text("contract.time_zone"))
    names, words = config.names(), annotation_words()
    found = {}
    for tag, language in (("zh-CN", "zh"), ("en", "en")):
        told = names.told_in(language)
        found[tag] = Reader(language, words[language], zone, told.sites, told.clients, first_steps(tag))
    return found


def language_names(config: Config, defaults: Defaults) -> dict[str, str]:
    """What each language of messages calls itself, by its tag."""
    return {tag: reader.texts["language_name"] for tag, reader in readers(config, defaults).items()}


def links(config: Config, data: Path, defaults: Defaults, clock_ms: Clock) -> Links:
    """The acknowledge links of a data directory."""
    return Links(
        config.alerting.public_url,
        secret_file(data, "acknowledge.key").read_bytes().strip(),
        settings=defaults.fill(LinkSettings, "paging"),
        clock_ms=clock_ms,
    )


def acknowledge_page(config: Config, ways: Links, pager: OnCall, defaults: Defaults, take: Take) -> AcknowledgePage:
    """What the links open."""
    duty = Duty(
        names=[duty.name for duty in config.duty],
        languages={channel.id: channel.language for channel in config.channel},
        readers=readers(config, defaults),
        runbooks=config.alerting.runbooks,
    )
    return AcknowledgePage(
        ways,
        duty,
        standing=pager.standing,
        ready=lambda: pager.is_ready,
        take=take,
        settings=defaults.fill(LinkSettings, "paging"),
    )


def bridge(
    config: Config,
    data: Path,
    ways: Channels,
    defaults: Defaults,
    ways_back: Links,
    clock_ms: Clock,
    pager: PagerNow | None = None,
) -> Bridge:
    """The notification bridge over the duty list. pager: where it is of the same process."""
    receivers = {duty_receiver(tier): duty.channels for tier, duty in enumerate(config.duty, start=1)}
    return Bridge(
        ways,
        receivers | {TICKETS: config.alerting.tickets},
        readers=readers(config, defaults),
        besides=Besides(ways_back.link, seen_twice(data, defaults), pager),
        token=secret_file(data, "notify.token").read_text(encoding="utf-8").strip(),
        settings=defaults.fill(
            BridgeSettings, "paging", news=defaults.fill(NewsSettings, "paging"), tiers=tiers(config)
        ),
        told=ToldBefore(data / TOLD_BEFORE),
        clock_ms=clock_ms,
    )


def watchdog(
    config: Config, base: Path, data: Path, ways: Channels, defaults: Defaults, clock_ms: Clock
) -> list[web.AbstractRouteDef]:
    """The bridge's door for the watchdog, to be added before the bridge's own; none without a dead man's switch."""
    alerting = config.alerting
    if not alerting.deadman_url:
        return []
    named = alerting.deadman_token_file
    passage = WatchdogPassage(
        alerting.deadman_url,
        (base / named).read_text(encoding="utf-8").strip() if named else "",
        bridge_token=secret_file(data, "notify.token").read_text(encoding="utf-8").strip(),
        timeout_s=defaults.seconds("paging.send_timeout"),
        silent_ms=defaults.ms("paging.watchdog_timeout"),
        results=ways.results,
        clock_ms=clock_ms,
    )
    return passage.routes()


def _channel(section: ChannelSection, base: Path) -> Channel:
    url, secret = (
        "" if name is None else (base / name).read_text(encoding="utf-8").strip()
        for name in (section.url_file, section.secret_file)
    )
    address = Address(url=url, secret=secret, mention=tuple(section.mention))
    return Channel(
        id=section.id,
        kind=section.kind,
        language=section.language,
        address=address,
        command=tuple(section.command),
        fallback=section.fallback,
    )
