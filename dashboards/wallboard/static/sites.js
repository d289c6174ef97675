// The strip of sites: what each one stands on, the worst first.
import { siteIsFine, sitesByUrgency } from "./board.js";
import { fillFacts, fit, node, setIcon, setText, setTone } from "./dom.js";
import { Strip } from "./strips.js";

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
// A line of the site, broadband or phone, by its state; whatever is not here is not known.
const LINE_LOOKS = new Map([
  ["up", { tone: "good", shape: "fine" }],
  ["reachable", { tone: "good", shape: "fine" }],
  ["degraded", { tone: "warn", shape: "warn" }],
  ["lagged", { tone: "warn", shape: "warn" }],
  ["down", { tone: "bad", shape: "bad" }],
  ["unavailable", { tone: "bad", shape: "bad" }],
  ["unreachable", { tone: "bad", shape: "bad" }],
]);
const SHORTLY = new Map([
  ["line_degraded", "line_degraded_short"],
  ["line_down", "line_down_short"],
  ["trunk_lagged", "trunk_lagged_short"],
  ["trunk_unavailable", "trunk_unavailable_short"],
  ["trunk_unreachable", "trunk_unreachable_short"],
]);
const NOT_KNOWN = { tone: "none", shape: "unknown" };
const LINE_ORDER = ["bad", "warn", "none", "good"];
// What the lines, or the state of the site, tell already.
const TOLD_BY_LINES = ["line_down", "line_degraded", "phone_line_down", "phone_line_degraded"];
const TOLD_BY_STATE = ["mains_lost", "site_power_lost", "site_silent", "site_isolated"];
const TOLD_ALREADY = new Set([...TOLD_BY_LINES, ...TOLD_BY_STATE]);
const STATE_ROOM = 12; // Layout: characters of a state beside a name; a longer word is drawn smaller
const WORDS_OF = 2; // Layout: lines with something wrong have room for words beside their names
const SHOWN = { people: 3, shops: 2 }; // Layout: names of those behind a site
const UNHEARD = new Set(["isolated", "silent", "power_lost"]);
const NO_UPS = { word: "no_ups", tone: "none", shape: "unknown" };

const hasSeats = (site) => site.seats_expected !== null && site.seats_present !== null;

export const siteLook = (state) => STATE_LOOKS.get(state) || UNKNOWN;

export class Sites extends Strip {
  constructor(section, tools) {
    super(section, tools, { title: "site", empty: "no_sites", widthRem: 15, heightRem: 8.4, phone: 12 });
  }

  render(sites, now) {
    this.renderItems(sitesByUrgency(sites), now);
  }

  // For a reader of no site: that there are none is not known here. `address`: of a page that tells, "" = nowhere.
  lead(address) {
    if (address === "") this.section.hidden = true;
    if (this.link === undefined) {
      this.link = node("a", "card rest", this.tools.w("portal_site"));
      this.cards.replaceWith(this.link);
    }
    this.link.href = address;
  }

  trouble(site) {
    const { tone } = siteLook(site.state);
    return tone === "bad" || tone === "warn" ? tone : "";
  }

  make() {
    const { w } = this.tools;
    const card = node("article", "card site-card");
    card.name = node("bdi", "title");
    card.probes = node("p", "under probes");
    card.state = node("p", "state", node("span", "mark"), node("span"));
    card.since = node("p", "under since", node("span", "word", `${w("since")} `), node("span"));
    card.power = node("p", "power", node("span", "mark"), node("span"));
    card.lines = node("p", "lines");
    card.behind = node("p", "behind");
    card.append(node("div", "who", card.name, card.probes), card.state, card.since, card.power, card.lines, card.behind);
    return card;
  }

  show(card, site, now) {
    const { w, format } = this.tools;
    const look = siteLook(site.state);
    setText(card.name, this.tools.nameOf(site));
    setTone(card, look.tone);
    setTone(card.state, look.tone);
    setIcon(card.state.firstChild, look.shape);
    fit(card.state.lastChild, w(look.word), STATE_ROOM);
    card.since.hidden = site.since === 0; // never heard
    setText(card.since.lastChild, format.since(site.since, now));
    setText(card.probes, this.reporters(site).join(" "));
    if (UNHEARD.has(site.state)) this.showLastPower(card, site);
    else this.showPower(card, site);
    this.showLines(card, site);
    card.behind.hidden = fillFacts(card.behind, this.behind(site)) === 0;
    return 0;
  }

  // Each line by its name with its look; the word where something is wrong with it. The worst first; all are seen (board.css).
  showLines(card, site) {
    const { w } = this.tools;
    const unheard = UNHEARD.has(site.state);
    const look = (line) => (unheard ? NOT_KNOWN : LINE_LOOKS.get(line.state) || NOT_KNOWN);
    const lines = [...site.lines, ...site.phone_lines]
      .map((line) => ({ line, ...look(line) }))
      .sort((a, b) => LINE_ORDER.indexOf(a.tone) - LINE_ORDER.indexOf(b.tone));
    while (card.lines.children.length < lines.length) {
      card.lines.append(node("span", "line", node("span", "mark"), node("bdi"), node("span", "line-word")));
    }
    Array.from(card.lines.children).forEach((made, at) => {
      made.hidden = at >= lines.length;
      if (made.hidden) return;
      const { line, tone, shape } = lines[at];
      const [mark, name, word] = made.children;
      setTone(made, tone);
      setIcon(mark, shape);
      setText(name, line.name);
      setText(word, tone === "good" || unheard ? "" : this.shortly(line.word));
    });
    card.lines.hidden = lines.length === 0;
    const wrong = lines.filter(({ tone }) => tone === "bad" || tone === "warn").length;
    card.lines.classList.toggle("two-wrong", wrong === WORDS_OF);
    card.lines.classList.toggle("many-wrong", wrong > WORDS_OF);
  }

  // What is wrong with a line, beside its name: what it is a line of is said by that.
  shortly(word) {
    const { w } = this.tools;
    const short = SHORTLY.get(word) || word;
    return w.has(short) ? w(short) : "";
  }

  // The teams, clients and shops behind it, and what is wrong beside the state, of how many things.
  behind(site) {
    const { w, format } = this.tools;
    const said = site.troubles
      .filter(({ what }) => w.has(`incident_${what}`) && ![what, `incident_${what}`].includes(site.reason) && !TOLD_ALREADY.has(what))
      .map((trouble) => w(`incident_${trouble.what}`) + (trouble.count > 1 ? ` \u00d7${format.number(trouble.count)}` : ""));
    const names = site.clients.map((id) => this.tools.clientName(id)).filter((name) => name !== "");
    return [
      ...this.seats(site),
      { tone: "", name: w("behind_it"), ...this.some([...site.teams.map((id) => this.tools.teamName(id)), ...names], SHOWN.people) },
      { tone: "", name: w("shop"), ...this.some(Object.values(this.tools.shopsOf(site)).flat(), SHOWN.shops) },
      { tone: "", name: "", text: said.join("  \u00b7  ") },
    ].filter(({ text }) => text !== "");
  }

  // The first of them, and how many more.
  some(names, shown) {
    const more = names.length - shown;
    return { text: names.slice(0, shown).join(", "), more: more > 0 ? ` +${this.tools.format.number(more)}` : "" };
  }

  // Of a site at fault, where the queues leave no room for them beside its name.
  seats(site) {
    const isTold = this.onPhone.matches || siteLook(site.state).tone === "good" || !document.body.classList.contains("dense");
    if (isTold || !hasSeats(site)) return [];
    const [name, text] = this.reporters(site);
    return [{ tone: "", name, text }];
  }

  // Seats that are there, of those that are to be; a site without seats shows its probes.
  reporters(site) {
    const { w, format } = this.tools;
    const seated = hasSeats(site);
    const there = seated ? site.seats_present : site.probes_reporting;
    const all = seated ? site.seats_expected : site.probes_known;
    const planned = site.is_planned ? `  ·  ${w("planned")}` : "";
    // where nobody is expected, between shifts, there is nothing to hold those against who are there
    const of = seated && all === 0 ? "" : `/${format.number(all)}`;
    return [w(seated ? "seats_present" : "probes"), `${format.number(there)}${of}${planned}`];
  }

  // Nothing is heard from the site: what its UPS said last is history, and must not look like a reading.
  showLastPower(card, site) {
    const { w, format } = this.tools;
    const look = site.power === null ? NO_UPS : POWER_LOOKS.get(site.power) || UNKNOWN;
    setTone(card.power, "none");
    setIcon(card.power.firstChild, look.shape);
    const charge = site.charge_percent === null ? "" : ` ${format.number(site.charge_percent)}%`;
    const parts = site.power === null ? [w(look.word)] : [`${w("last_known")} ${w(look.word)}${charge}`];
    if (site.reason !== site.state && w.has(site.reason)) parts.push(w(site.reason));
    setText(card.power.lastChild, parts.join("  ·  "));
  }

  showPower(card, site) {
    const { w, format } = this.tools;
    const trusted = site.comms === "ok" || site.comms === null;
    const look = site.power === null ? NO_UPS : POWER_LOOKS.get(site.power) || UNKNOWN;
    setTone(card.power, trusted ? look.tone : "none");
    setIcon(card.power.firstChild, look.shape);
    // What the state of the site says already is not said again.
    const parts = look.word === siteLook(site.state).word ? [] : [w(look.word)];
    // A reading that cannot be trusted is named, not shown.
    const comms = `comms_${site.comms}`;
    if (!trusted) parts.push(w(w.has(comms) ? comms : "unknown"));
    if (trusted && site.charge_percent !== null) parts.push(`${format.number(site.charge_percent)}%`);
    if (trusted && site.runtime_ms !== null) {
      const minutes = `${format.number(Math.floor(site.runtime_ms / 60000))} ${w("minutes")}`;
      parts.push(site.runtime_is_estimate ? `${minutes} (${w("estimated")})` : minutes);
    }
    if (!siteIsFine(site) && site.reason !== site.state && w.has(site.reason)) parts.push(w(site.reason));
    setText(card.power.lastChild, parts.join("  ·  "));
  }
}

