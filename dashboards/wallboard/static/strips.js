// Rows of cards: clients, teams, sites. As many as fit, the worst first, and a last card that says how many more.
import { siteIsFine, sitesByUrgency } from "./board.js";
import { cell, fill, node, setIcon, setText, setTone } from "./dom.js";
import { attainment, average, noData, readyPeople, waitingNow } from "./figures.js";

class Strip {
  // `empty`: key of the word shown when there is nothing. `widthRem`: how narrow a card may get. `phone`: how many on one.
  constructor(section, tools, { title, empty, widthRem, phone }) {
    this.section = section;
    this.tools = tools;
    this.empty = empty;
    this.widthRem = widthRem;
    this.cards = node("div", "cards");
    this.more = node("p", "card rest");
    this.pool = [];
    this.phone = phone;
    this.onPhone = matchMedia("(max-width: 700px)");
    section.append(node("h2", "", tools.w(title)), this.cards);
  }

  capacity() {
    if (this.onPhone.matches) return this.phone;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return Math.max(1, Math.floor(this.cards.getBoundingClientRect().width / rem / this.widthRem));
  }

  // `items` in their order; `urgent` of them are.
  render(items, now) {
    const { w, format } = this.tools;
    const room = this.capacity();
    const shown = items.length > room ? items.slice(0, Math.max(1, room - 1)) : items;
    while (this.pool.length < shown.length) {
      const card = this.make();
      this.pool.push(card);
      this.cards.append(card);
    }
    this.pool.forEach((card, at) => {
      card.hidden = at >= shown.length;
      if (at < shown.length) this.show(card, shown[at], now);
    });
    const hidden = items.length - shown.length;
    if (hidden > 0) setText(this.more, w("more", format.number(hidden)));
    else setText(this.more, items.length === 0 ? w(this.empty) : "");
    if (this.cards.lastChild !== this.more) this.cards.append(this.more);
    this.more.hidden = hidden === 0 && items.length > 0;
  }
}

export class Clients extends Strip {
  constructor(section, tools) {
    super(section, tools, { title: "client", empty: "no_data", widthRem: 21, phone: 4 });
  }

  make() {
    const { w } = this.tools;
    const card = node("article", "card client-card");
    card.name = node("bdi", "title");
    card.verdict = node("p", "verdict");
    card.attainment = cell("attainment", w("attainment"), 6);
    card.average = cell("average_response", w("average_response"), 5);
    card.waiting = cell("waiting", w("waiting"), 3);
    const head = node("div", "pair", card.name, card.verdict);
    card.append(head, node("div", "figures", card.attainment, card.average, card.waiting));
    return card;
  }

  show(card, tile) {
    setText(card.name, tile.name);
    const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
    fill(card.attainment, kept);
    setText(card.verdict, kept.verdict);
    setTone(card.verdict, kept.tone || "");
    fill(card.average, average(tile.day.average_response, tile, this.tools));
    fill(card.waiting, this.waiting(tile));
  }

  waiting(tile) {
    const { w, format } = this.tools;
    const shown = waitingNow(tile, this.tools);
    if (tile.feed === "daily") return { ...shown, small: w("t_plus_1_only") };
    if (tile.live === null) return shown;
    if (tile.live.overdue === 0) return { ...shown, small: w("waiting") };
    return { ...shown, tone: "bad", shape: "bad", small: `${w("overdue")} ${format.number(tile.live.overdue)}` };
  }
}

const UNASSIGNED = "unassigned"; // the team of an account that no roster maps

export class Teams extends Strip {
  constructor(section, tools) {
    super(section, tools, { title: "team", empty: "no_teams", widthRem: 12.1, phone: 6 });
  }

  make() {
    const { w } = this.tools;
    const card = node("article", "card team-card");
    card.name = node("bdi", "title");
    card.verdict = node("p", "verdict");
    card.attainment = cell("attainment", w("attainment"), 6);
    card.average = cell("average_response", w("average_response"), 5);
    card.people = cell("people", w("agents"), 3);
    card.client = node("bdi", "client");
    const head = node("div", "pair", node("span", "named", card.name, card.client), card.verdict);
    card.append(head, node("div", "figures", card.attainment, card.average, card.people));
    return card;
  }

  show(card, tile) {
    const { w, format } = this.tools;
    setText(card.name, tile.id === UNASSIGNED ? w("unassigned") : tile.name);
    setText(card.client, this.tools.clientName(tile.client));
    const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
    fill(card.attainment, kept);
    const surges = tile.surge !== null;
    setText(card.verdict, surges ? `${w("surge")} ${format.number(tile.surge.conversations)}` : kept.verdict);
    setTone(card.verdict, surges ? "warn" : kept.tone || "");
    fill(card.average, average(tile.day.average_response, tile, this.tools));
    if (tile.agents.length === 0) fill(card.people, noData(this.tools));
    else fill(card.people, { big: format.number(readyPeople(tile.agents)), small: w("ready") });
  }
}

const UNKNOWN = { word: "unknown", tone: "none", shape: "unknown" };

// Maps, not objects: a key comes from outside and may be the name of something every object has.
const STATE_LOOKS = new Map([
  ["ok", { word: "ok", tone: "good", shape: "fine" }],
  ["degraded", { word: "degraded", tone: "warn", shape: "warn" }],
  ["redundancy_lost", { word: "redundancy_lost", tone: "warn", shape: "warn" }],
  ["on_battery", { word: "on_battery", tone: "warn", shape: "battery" }],
  ["power_lost", { word: "power_lost", tone: "bad", shape: "bad" }],
  ["isolated", { word: "isolated", tone: "bad", shape: "bad" }],
  ["silent", { word: "silent", tone: "bad", shape: "unknown" }],
]);

// Key of the word for a UPS's power state, and its look.
const POWER_LOOKS = new Map([
  ["mains", { word: "mains", tone: "good", shape: "plug" }],
  ["battery", { word: "on_battery", tone: "warn", shape: "battery" }],
  ["critical", { word: "power_critical", tone: "bad", shape: "battery" }],
  ["bypass", { word: "power_bypass", tone: "warn", shape: "plug" }],
  ["mains_discharging", { word: "power_mains_discharging", tone: "warn", shape: "battery" }],
  ["conflict", { word: "power_conflict", tone: "warn", shape: "unknown" }],
  ["load_off", { word: "power_load_off", tone: "bad", shape: "bad" }],
  ["off", { word: "power_off", tone: "bad", shape: "bad" }],
  ["starting", { word: "power_starting", tone: "none", shape: "wait" }],
]);
const UNHEARD = new Set(["isolated", "silent", "power_lost"]);
const NO_UPS = { word: "no_ups", tone: "none", shape: "unknown" };

export class Sites extends Strip {
  constructor(section, tools) {
    super(section, tools, { title: "site", empty: "no_sites", widthRem: 15, phone: 12 });
  }

  render(sites, now) {
    super.render(sitesByUrgency(sites), now);
  }

  make() {
    const card = node("article", "card site-card");
    card.name = node("bdi", "title");
    card.probes = node("p", "under");
    card.state = node("p", "state", node("span", "mark"), node("span"));
    card.since = node("p", "under");
    card.power = node("p", "power", node("span", "mark"), node("span"));
    const head = node("div", "pair", card.name, card.probes);
    card.append(head, node("div", "pair", card.state, card.since), card.power);
    return card;
  }

  show(card, site, now) {
    const { w, format } = this.tools;
    const look = STATE_LOOKS.get(site.state) || UNKNOWN;
    setText(card.name, site.name);
    setTone(card, look.tone);
    setTone(card.state, look.tone);
    setIcon(card.state.firstChild, look.shape);
    setText(card.state.lastChild, w(look.word));
    setText(card.since, `${w("since")} ${format.since(site.since, now)}`);
    setText(card.probes, `${w("probes")} ${format.number(site.probes_reporting)}/${format.number(site.probes_known)}`);
    if (UNHEARD.has(site.state)) this.showLastPower(card, site);
    else this.showPower(card, site);
  }

  // Nothing is heard from the site: what its UPS said last is history, and must not look like a reading.
  showLastPower(card, site) {
    const { w, format } = this.tools;
    const look = site.power === null ? NO_UPS : POWER_LOOKS.get(site.power) || UNKNOWN;
    setTone(card.power, "none");
    setIcon(card.power.firstChild, look.shape);
    const charge = site.charge_percent === null ? "" : ` ${format.number(site.charge_percent)}%`;
    const parts = site.power === null ? [w(look.word)] : [`${w("last_known")} ${w(look.word)}${charge}`];
    if (site.reason !== site.state && w.has(site.reason)) parts.unshift(w(site.reason));
    setText(card.power.lastChild, parts.join("  ·  "));
  }

  showPower(card, site) {
    const { w, format } = this.tools;
    const trusted = site.comms === "ok" || site.comms === null;
    const look = site.power === null ? NO_UPS : POWER_LOOKS.get(site.power) || UNKNOWN;
    setTone(card.power, trusted ? look.tone : "none");
    setIcon(card.power.firstChild, look.shape);
    const parts = [w(look.word)];
    // A reading that cannot be trusted is named, not shown.
    const comms = `comms_${site.comms}`;
    if (!trusted) parts.push(w(w.has(comms) ? comms : "unknown"));
    if (trusted && site.charge_percent !== null) parts.push(`${format.number(site.charge_percent)}%`);
    if (trusted && site.runtime_ms !== null) parts.push(`${format.number(Math.floor(site.runtime_ms / 60000))} ${w("minutes")}`);
    if (!siteIsFine(site) && site.reason !== site.state && w.has(site.reason)) parts.push(w(site.reason));
    setText(card.power.lastChild, parts.join("  ·  "));
  }
}

