// Rows of cards: as many as fit, page by page, and a last one that says how many more and how many of those are urgent.
import { byTrouble, inPlace, overdueNow, tileTrouble, turned } from "./board.js";
import { cell, fill, fillFacts, node, setIcon, setText, setTone } from "./dom.js";
import { clientFacts, followedFacts, loadFacts } from "./facts.js";
import { attainment, average, noData, readyPeople, waitingNow } from "./figures.js";
import { Turns } from "./turning.js";

// Layout: sizes of text that are tried, the largest first.
const SCALES = [2.4, 2, 1.7, 1.4, 1.2, 1];
const TIGHT_SCALES = [1, 0.85]; // cards no wider than they must be; smaller than that cannot be read from afar
const GAP_REM = 0.5;
const FACTS_REM = 1.2; // what a card is lower by where nobody has facts
const AIR_REM = 4; // where cards may be as wide as they like, numbers of five digits have room
const HEAD_REM = 4.1; // what the strip is called, with its gap
const MORE_REM = 6; // the last card, with its gap

export class Strip {
  // `empty`: key of the word shown when there is nothing. `widthRem`: how narrow a card may get. `phone`: how many on one.
  // `heightRem`: how tall it is where a page of a layout has rows of them.
  constructor(section, tools, { title, empty, widthRem, heightRem, phone }) {
    this.section = section;
    this.tools = tools;
    this.empty = empty;
    this.widthRem = widthRem;
    this.heightRem = heightRem;
    this.cards = node("div", "cards");
    this.more = node("p", "card rest", node("span"), node("span", "urgent"));
    this.more.addEventListener("click", () => {
      this.turns.count += 1;
    });
    this.pool = [];
    this.turns = new Turns(section);
    this.phone = phone;
    this.onPhone = matchMedia("(max-width: 700px)");
    section.append(node("h2", "", tools.w(title)), this.cards);
  }

  // How many of `count` cards fit.
  capacity(count) {
    const isFull = this.section.classList.contains("full") && !this.onPhone.matches;
    if (!isFull) this.cards.style.zoom = "";
    if (this.onPhone.matches) return Math.min(count, this.phone);
    if (isFull) return this.capacityOfRows(count);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = this.cards.getBoundingClientRect().width / rem;
    const fit = (available) => Math.max(1, Math.floor(available / this.widthRem));
    return fit(width) >= count ? count : fit(width - MORE_REM);
  }

  // On a page of their own: as large as all of them fit.
  capacityOfRows(count) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const { width, height } = this.section.getBoundingClientRect();
    const tall = this.heightRem - (this.section.classList.contains("plain") ? FACTS_REM : 0);
    const down = (scale) => Math.max(1, Math.floor(height / rem / (tall * scale)));
    const across = (scale, air) => {
      return Math.max(1, Math.floor((width / rem - HEAD_REM) / ((this.widthRem + air) * scale)));
    };
    const sizes = [
      ...SCALES.map((scale) => ({ scale, columns: across(scale, AIR_REM) })),
      ...TIGHT_SCALES.map((scale) => ({ scale, columns: across(scale, GAP_REM) })),
    ];
    const fits = ({ scale, columns }) => columns * down(scale) >= count;
    const { scale, columns } = sizes.find(fits) || { scale: 1, columns: across(1, GAP_REM) };
    this.cards.style.zoom = String(scale);
    this.cards.style.setProperty("--across", String(Math.min(columns, Math.max(1, count))));
    return fits({ scale, columns }) ? count : Math.max(1, columns * down(scale) - 1);
  }

  // A phone is turned by hand only: its page scrolls.
  turnPage() {
    if (!this.onPhone.matches) this.turns.count += 1;
  }

  // `make` gives an empty card, `show` fills one and tells how many facts it has, `trouble` says how bad an item is.

  // Tiles stay in their place where all fit; else trouble comes first.
  renderTiles(tiles, now) {
    const all = inPlace(tiles);
    this.renderItems(this.capacity(all.length) < all.length ? byTrouble(tiles, now) : all, now);
  }

  renderItems(items, now) {
    const room = this.capacity(items.length);
    const urgent = items.filter((item) => this.trouble(item, now) !== "");
    const calm = items.filter((item) => this.trouble(item, now) === "");
    const shown = room < items.length ? turned(urgent, calm, room, this.turns.count) : items;
    while (this.pool.length < shown.length) {
      const card = this.make();
      this.pool.push(card);
      this.cards.append(card);
    }
    let facts = 0;
    this.pool.forEach((card, at) => {
      card.hidden = at >= shown.length;
      if (card.hidden) return;
      card.whose = `${shown[at].client}|${shown[at].id}`;
      facts += this.show(card, shown[at], now);
    });
    this.section.classList.toggle("plain", facts === 0);
    this.section.classList.toggle("roomy", items.length < 3);
    this.tellMore(items, shown, urgent.filter((item) => !shown.includes(item)), now);
  }

  tellMore(items, shown, urgent, now) {
    const { w, format } = this.tools;
    const [count, troubled] = this.more.children;
    const hidden = items.length - shown.length;
    if (hidden > 0) setText(count, w("more", format.number(hidden)));
    else setText(count, items.length === 0 ? w(this.empty) : "");
    setText(troubled, urgent.length > 0 ? w("of_which_urgent", format.number(urgent.length)) : "");
    setTone(troubled, urgent.some((item) => this.trouble(item, now) === "bad") ? "bad" : "warn");
    if (this.cards.lastChild !== this.more) this.cards.append(this.more);
    this.more.hidden = hidden === 0 && items.length > 0;
  }
}

// Cards of tiles: whose, how the promise is kept, three figures, facts.
class TileStrip extends Strip {
  render(tiles, now) {
    this.renderTiles(tiles, now);
  }

  trouble(tile, now) {
    return tileTrouble(tile, now);
  }

  // `verdict`: what its line is made of. `average`: characters of that figure. `third`: the one beside it.
  card(kind, { verdict = [], average, third }) {
    const { w } = this.tools;
    const card = node("article", `card ${kind}`);
    card.name = node("bdi", "title");
    card.verdict = node("p", "verdict", ...verdict);
    card.attainment = cell("attainment", w("attainment"), 6);
    card.average = cell("average_response", w("average_response"), average);
    card.third = third;
    card.facts = node("p", "facts");
    card.head = node("div", "pair", card.name, card.verdict);
    card.append(card.head, node("div", "figures", card.attainment, card.average, third), card.facts);
    return card;
  }

  // The verdict on what was `kept`, or since when nothing is heard: as a queue's row, such a card is grey.
  heard(card, tile, kept, now) {
    card.classList.toggle("silent", tile.stale_since !== null);
    if (tile.stale_since === null) return kept;
    return { verdict: `${this.tools.w("stale")} ${this.tools.format.since(tile.stale_since, now)}`, tone: "warn" };
  }
}

export class Clients extends TileStrip {
  constructor(section, tools) {
    // Layout: of a card, in rem.
    super(section, tools, { title: "client", empty: "no_data", widthRem: 24, heightRem: 9, phone: 4 });
  }

  make() {
    return this.card("client-card", { average: 5, third: cell("waiting", this.tools.w("waiting"), 5) });
  }

  show(card, tile, now) {
    setText(card.name, this.tools.nameOf(tile));
    const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
    fill(card.attainment, kept);
    const heard = this.heard(card, tile, kept, now);
    setText(card.verdict, heard.verdict);
    setTone(card.verdict, heard.tone || "");
    fill(card.average, average(tile.day.average_response, tile, this.tools));
    const third = this.waiting(tile, now);
    setText(card.third.caption, third.caption || this.tools.w("waiting"));
    fill(card.third, third);
    return fillFacts(card.facts, clientFacts(tile, this.tools));
  }

  waiting(tile, now) {
    const { w, format } = this.tools;
    const shown = waitingNow(tile, this.tools);
    if (tile.feed === "daily") return { ...shown, small: w("t_plus_1_only") };
    const late = overdueNow(tile, now);
    if (late === 0) return shown;
    // what one must act on is what is read from afar
    const small = `${w("waiting")} ${shown.big}`;
    return { tone: "bad", shape: "bad", caption: w("overdue"), big: format.number(late), small };
  }
}

export class Teams extends TileStrip {
  constructor(section, tools) {
    super(section, tools, { title: "team", empty: "no_teams", widthRem: 14.6, heightRem: 6.4, phone: 6 });
  }

  make() {
    const verdict = [node("span", "mark"), node("span")];
    const card = this.card("team-card", { verdict, average: 4, third: cell("people", this.tools.w("agents"), 3) });
    card.client = node("bdi", "client");
    // where a card has no room for facts
    card.followed = node("span", "followed", node("span", "mark"), node("span", "word"), node("span"));
    card.head.prepend(node("span", "named", card.name, card.client, card.followed));
    return card;
  }

  show(card, tile, now) {
    const { w, format } = this.tools;
    setText(card.name, this.tools.teamName(tile.id));
    setText(card.client, this.tools.clientName(tile.client));
    const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
    fill(card.attainment, kept);
    this.tellVerdict(card, tile, this.heard(card, tile, kept, now), now);
    fill(card.average, average(tile.day.average_response, tile, this.tools));
    if (tile.agents.length === 0) fill(card.third, noData(this.tools));
    else fill(card.third, { big: format.number(readyPeople(tile.agents)), small: w("ready") });
    const followed = followedFacts(tile, this.tools);
    this.tellFollowed(card.followed, followed);
    return fillFacts(card.facts, [...followed, ...loadFacts(tile, this.tools)]);
  }

  // What one must act on before what was promised: many at once, then who is overdue.
  tellVerdict(card, tile, heard, now) {
    const { w, format } = this.tools;
    const surges = tile.surge !== null;
    const late = surges ? 0 : overdueNow(tile, now);
    card.classList.toggle("surges", surges);
    card.classList.toggle("late", late > 0);
    const [says, tone] = surges
      ? [`${w("surge")} ${format.number(tile.surge.conversations)}`, "warn"]
      : [`${w("overdue")} ${format.number(late)}`, "bad"];
    const isUrgent = surges || late > 0;
    setText(card.verdict.lastChild, isUrgent ? says : heard.verdict);
    setIcon(card.verdict.firstChild, isUrgent ? tone : "");
    setTone(card.verdict, isUrgent ? tone : heard.tone || "");
  }

  tellFollowed(told, [fact]) {
    const [mark, word, number] = told.children;
    setIcon(mark, fact === undefined ? "" : "eye");
    setText(word, fact === undefined ? "" : `${fact.name} `);
    setText(number, fact === undefined ? "" : fact.text);
  }
}
