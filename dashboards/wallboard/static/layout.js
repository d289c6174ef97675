// Which panels of what the wallboard shows, page by page; a page may be a screen of its own.
import { setText } from "./dom.js";
import { Leaving, pageAsked, steer, tellPage, turnerOf } from "./turning.js";

const LISTS = { queues: "queue", clients: "client", teams: "team", sites: "site" };

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

// What any of `pages` shows: for the figures on top and for alarms, which do not turn. Screens of their own have theirs.
export function union(view, pages) {
  const cuts = pages.filter((page) => page.screen === "").map((page) => cut(view, page));
  const made = { ...view };
  for (const kind of Object.keys(LISTS)) made[kind] = Object.assign({}, ...cuts.map((one) => one[kind]));
  return made;
}

// By page, whether it has what an alarm is about; of pages that have it, those that show teams come first.
export function alarmed(view, pages, alarming) {
  const has = pages.map((page) => page.screen === "" && alarming.some((key) => key in cut(view, page).teams));
  const seen = pages.map((page, at) => has[at] && page.panels.includes("teams"));
  return seen.includes(true) ? seen : has;
}

// Screens of their own know no past: what is live must not come in turn with what is not.
export function ofThePast(spec) {
  const pages = spec === null ? [] : spec.pages.filter((page) => page.screen === "");
  return pages.length === 0 ? null : { ...spec, pages };
}

export class Layout {
  // `parts`: panel -> its element. Without a layout everything is on one page, as index.html has it.
  constructor({ spec: given, unknown }, parts, title, tools, isPast) {
    const spec = isPast ? ofThePast(given) : given;
    this.spec = spec;
    this.parts = parts;
    this.tools = tools;
    this.title = title;
    if (unknown) setText(title.nextElementSibling, tools.w("layout_unknown"));
    if (spec === null) return;
    this.turner = turnerOf(spec, pageAsked(spec) || 0);
    this.leaving = new Leaving(spec, this.turner);
    document.body.classList.add("arranged");
    steer(this.turner);
  }

  // Everything this screen may ever show.
  whole(view) {
    return this.spec === null ? view : union(view, this.spec.pages);
  }

  // What the page of this moment shows of `view`. `alarming`: keys of teams nobody has acknowledged.
  page(view, alarming) {
    if (this.spec === null) return view;
    const { pages } = this.spec;
    const at = this.turner.turn(performance.now(), alarmed(view, pages, alarming));
    if (pages[at].screen === "") this.shown = at;
    else this.leaving.to(at);
    // until a screen of its own has taken the place, what was there stays; before there was anything, everything
    if (this.shown === undefined) return view;
    this.arrange(pages[this.shown]);
    setText(this.title, pages[this.shown].title || this.tools.w("wallboard"));
    tellPage(this.title.nextElementSibling, this.turner, this.shown, this.tools);
    return cut(view, pages[this.shown]);
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
}
