// Which panels of what a screen shows, and how its pages turn: by themselves, never away from an alarm, and by keys.
import { setText } from "./dom.js";

const LISTS = { queues: "queue", clients: "client", teams: "team", sites: "site" };

// The layout of this screen or null; `unknown` where its name is nobody's.
export function loadLayout() {
  if (location.pathname !== "/") return Promise.resolve({ spec: null, unknown: false }); // the portal has none
  const name = new URLSearchParams(location.search).get("layout") || "";
  return fetch(`/layout.json?name=${encodeURIComponent(name)}`, { cache: "no-store" })
    .then((answer) => {
      if (answer.status === 401) location.assign(`/${location.search}`);
      return answer.ok ? answer.json() : null;
    })
    .then((spec) => ({ spec, unknown: spec === null && name !== "" }))
    .catch(() => ({ spec: null, unknown: false }));
}

const own = {
  queues: (tile) => `${tile.client}/${tile.id}`,
  clients: (tile) => tile.id,
  teams: (tile) => tile.id,
  sites: (site) => site.id,
};

// Pure: `view` with only what `page` shows, each with its place in the page's own order.
export function cut(view, page) {
  const ofClient = (tile) => page.clients === null || page.clients.includes(tile.client);
  const made = { ...view };
  for (const kind of Object.keys(LISTS)) {
    const listed = page[kind];
    const kept = Object.entries(view[kind])
      .filter(([, tile]) => (listed === null ? kind === "sites" || ofClient(tile) : listed.includes(own[kind](tile))))
      .map(([key, tile]) => [key, listed === null ? tile : { ...tile, place: listed.indexOf(own[kind](tile)) }]);
    made[kind] = Object.fromEntries(kept);
  }
  return made;
}

// What any of `pages` shows: for the figures on top and for alarms, which do not turn.
export function union(view, pages) {
  const cuts = pages.map((page) => cut(view, page));
  const made = { ...view };
  for (const kind of Object.keys(LISTS)) made[kind] = Object.assign({}, ...cuts.map((one) => one[kind]));
  return made;
}

// Pure: which page is to be seen. `now`: ms of a clock that does not jump.
export class Turner {
  constructor(pages, turnMs) {
    this.pages = pages;
    this.turnMs = turnMs;
    this.at = 0;
    this.turnedAt = 0;
    this.isPaused = false;
  }

  // `alarmed`: by page, whether it has what an alarm is about. While there is one, its page stays.
  turn(now, alarmed) {
    const held = alarmed.includes(true);
    if (held && !alarmed[this.at]) this.at = alarmed.indexOf(true);
    if (held || this.isPaused) this.turnedAt = now;
    else if (now - this.turnedAt >= this.turnMs) this.by(1, now);
    return this.at;
  }

  by(step, now) {
    this.at = (this.at + step + this.pages) % this.pages;
    this.turnedAt = now;
  }
}

export class Layout {
  // `parts`: panel -> its element. Without a layout everything is on one page, as index.html has it.
  constructor({ spec, unknown }, parts, title, tools) {
    this.spec = spec;
    this.parts = parts;
    this.tools = tools;
    this.title = title;
    if (unknown) setText(title.nextElementSibling, tools.w("layout_unknown"));
    if (spec === null) return;
    this.turner = new Turner(spec.pages.length, spec.turn_ms);
    this.turner.turnedAt = performance.now();
    document.body.classList.add("arranged");
    addEventListener("keydown", (event) => this.press(event));
  }

  // Enter and the space bar stop the pages and let them go on; arrows turn them. Enter is the alarm's while there is one.
  press(event) {
    const { turner } = this;
    const now = performance.now();
    if (event.target !== document.body) return;
    if (event.key === " " || (event.key === "Enter" && !document.body.classList.contains("alarmed"))) {
      turner.isPaused = !turner.isPaused;
    } else if (event.key === "ArrowRight") turner.by(1, now);
    else if (event.key === "ArrowLeft") turner.by(-1, now);
  }

  // Everything this screen may ever show.
  whole(view) {
    return this.spec === null ? view : union(view, this.spec.pages);
  }

  // What the page of this moment shows of `view`. `alarming`: keys of teams nobody has acknowledged.
  page(view, alarming) {
    if (this.spec === null) return view;
    const { pages } = this.spec;
    const cuts = pages.map((page) => cut(view, page));
    const has = (page, at) => alarming.some((key) => key in cuts[at].teams);
    const seen = pages.map((page, at) => has(page, at) && page.panels.includes("teams"));
    const at = this.turner.turn(performance.now(), seen.includes(true) ? seen : pages.map(has));
    this.arrange(pages[at]);
    this.tell(pages[at], at);
    return cuts[at];
  }

  // Of queues, on the page of this moment.
  columns() {
    return this.arranged === undefined ? 1 : this.arranged.columns;
  }

  arrange(page) {
    const isFull = !page.panels.includes("queues");
    const rows = page.panels.map((panel) => (panel === "queues" || isFull ? "minmax(0, 1fr)" : "auto"));
    const bands = ["past", "alarm"].filter((id) => !document.getElementById(id).hidden).map(() => "auto");
    document.body.style.gridTemplateRows = ["auto", ...bands, ...rows].join(" ");
    if (this.arranged === page) return;
    this.arranged = page;
    document.body.style.setProperty("--columns", String(page.columns));
    for (const [panel, part] of Object.entries(this.parts)) {
      part.hidden = !page.panels.includes(panel);
      part.classList.toggle("full", isFull);
    }
    const footer = document.getElementById("record");
    for (const panel of page.panels) document.body.insertBefore(this.parts[panel], footer);
  }

  tell(page, at) {
    const { w } = this.tools;
    const { length } = this.spec.pages;
    setText(this.title, page.title || w("wallboard"));
    const where = length > 1 ? w("page", at + 1, length) : "";
    setText(this.title.nextElementSibling, this.turner.isPaused ? w("page_paused") : where);
  }
}
