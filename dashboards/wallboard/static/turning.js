// How the pages of a layout turn: by themselves, never away from an alarm, by keys, and to screens of their own and back.
import { setText } from "./dom.js";
import { setting } from "./settings.js";

// The layout of this screen or null; `unknown` where its name is nobody's. Fails where the server does not say (boot.js).
export function loadLayout() {
  const query = new URLSearchParams(location.search);
  // The portal has none, and /map and /team/N have one only where a layout turned to them.
  if (location.pathname !== "/" && !query.has("page")) return Promise.resolve({ spec: null, unknown: false });
  const name = query.get("layout") || "";
  return fetch(`/layout.json?name=${encodeURIComponent(name)}`, { cache: "no-store" })
    .then((answer) => {
      if (answer.status === 401) location.assign(`/${location.search}`);
      if (answer.status >= 500) throw new Error(`layout.json: ${answer.status}`);
      return answer.ok ? answer.json() : null;
    })
    .then((spec) => ({ spec, unknown: spec === null && name !== "" }));
}

const pathOf = (page) => {
  const [kind, name] = page.screen.split(/\/(.*)/);
  return name === undefined ? `/${kind}` : `/${kind}/${encodeURIComponent(name)}`;
};

// The place of the page that the address names among those of `spec`; null where it names none that is shown here.
export function pageAsked(spec) {
  const at = Number(new URLSearchParams(location.search).get("page")) - 1;
  return spec.pages[at] !== undefined && pathOf(spec.pages[at]) === location.pathname ? at : null;
}

// Pure: which page is to be seen. Instants are ms of a clock that does not jump.
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

// How often `panel` has turned while it was seen, on each page of a layout that has it. By the clock alone, what turns
// together with the layout would never be seen. It outlives a turn to a screen of its own.
export class Turns {
  constructor(panel) {
    this.panel = panel;
    this.layoutPage = 0;
  }

  get isSeen() {
    return !this.panel.hidden;
  }

  get key() {
    return `turns ${this.panel.id} ${this.layoutPage}`;
  }

  get count() {
    return Number(sessionStorage.getItem(this.key));
  }

  set count(count) {
    if (count !== this.count) sessionStorage.setItem(this.key, String(count));
  }
}

// Of the pages of `spec`, from page `at` on, standing still if they did before this screen was loaded.
export function turnerOf(spec, at) {
  const turner = new Turner(spec.pages.length, spec.turn_ms);
  turner.at = at;
  turner.turnedAt = performance.now();
  turner.isPaused = new URLSearchParams(location.search).has("paused");
  return turner;
}

// Enter and the space bar stop the pages and let them go on; arrows turn them. Enter is the alarm's while there is one.
export function steer(turner) {
  addEventListener("keydown", (event) => {
    const now = performance.now();
    if (event.target !== document.body) return;
    if (event.key === " " || (event.key === "Enter" && !document.body.classList.contains("alarmed"))) {
      turner.isPaused = !turner.isPaused;
    } else if (event.key === "ArrowRight") turner.by(1, now);
    else if (event.key === "ArrowLeft") turner.by(-1, now);
  });
}

// Says which page of how many is to be seen, or that they stand.
export function tellPage(where, turner, at, { w }) {
  const told = turner.pages > 1 ? w("page", at + 1, turner.pages) : "";
  setText(where, turner.isPaused ? w("page_paused") : told);
}

// Loads a page that is a screen of its own, or the wallboard again: only once the server has answered, as a browser
// that found nobody would show a page of its own and stay there. Until then, and if it does not, the next one is tried.
export class Leaving {
  constructor(spec, turner) {
    this.spec = spec;
    this.turner = turner;
    this.isUnderWay = false;
  }

  to(at) {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    const address = this.addressOf(at);
    fetch(address, { method: "HEAD", cache: "no-store" })
      .then((answer) => answer.ok)
      .catch(() => false)
      .then((isThere) => {
        if (isThere) {
          location.replace(address);
          return;
        }
        this.isUnderWay = false;
        if (this.turner.at === at) this.turner.by(1, performance.now());
      });
  }

  addressOf(at) {
    const query = new URLSearchParams(location.search);
    query.set("page", String(at + 1));
    if (this.turner.isPaused) query.set("paused", "1");
    else query.delete("paused");
    return `${pathOf(this.spec.pages[at])}?${query}`;
  }
}

// On a screen that a layout has turned to: looks after the pages' turn while `alarmedOf()` says whose alarm it is.
export class Rotation {
  constructor(spec, where, tools, alarmedOf) {
    this.own = pageAsked(spec);
    this.turner = turnerOf(spec, this.own);
    this.leaving = new Leaving(spec, this.turner);
    this.alarmedOf = alarmedOf;
    this.where = where;
    this.tools = tools;
    steer(this.turner);
    setInterval(() => this.look(), setting("pageLookMs"));
  }

  look() {
    const at = this.turner.turn(performance.now(), this.alarmedOf());
    tellPage(this.where, this.turner, this.own, this.tools);
    if (at !== this.own) this.leaving.to(at);
  }
}
