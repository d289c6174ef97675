// The table of queues: a pool of rows, paged when there are more queues than rows.
import { OVER, WARN, byUrgency, inPlace, urgency } from "./board.js";
import { cell, fill, fillFacts, fit, node, setText, setTone } from "./dom.js";
import { briefSecondFacts, budgetFacts, followedFacts, intervalFacts, loadFacts, saturationFacts, secondFacts, targetFacts } from "./facts.js";
import { NOTHING } from "./format.js";
import {
  AGENT_STATES,
  agentsByState,
  attainment,
  average,
  nobodyOnline,
  oldest,
  toBreach,
  waitingNow,
} from "./figures.js";
import { Turns } from "./turning.js";

// Layout: of a page, in rows.
const PHONE_ROWS = 20;
const LATE_ROOM = 3; // characters of how many are late
// A row is as tall as there is room for, between these, gap included; its text grows with it up to `text`.
const LINE_REM = { least: 2.5, most: 5.6, text: 3.5 };
// Few queues get rows of two storeys, each figure under its name.
const TALL_REM = { least: 6.4, most: 14, text: 11 };
// In half the width figures have less room.
const COLUMN_TEXT_REM = 2.7;
const AIRY_REM = 4.4; // from here on a row has a line for the client and one for facts under its name
const HEAD_REM = 1.6; // over lines; under them, the line that says how many more there are
const MORE_REM = 1.3;

export class Queues {
  constructor(main, tools) {
    this.tools = tools;
    this.main = main;
    this.rows = main.querySelector("#rows");
    this.more = main.querySelector("#more");
    this.pool = [];
    this.turns = new Turns(main);
    this.phone = matchMedia("(max-width: 700px)");
    this.heads = main.querySelector(".heads");
    this.columns = 0;
    this.more.addEventListener("click", () => {
      this.turns.count += 1;
      this.turnedByHand = true;
    });
  }

  // A page of a layout may have them in columns, each under a head of its own; a phone has one.
  setColumns(columns) {
    const wanted = this.phone.matches ? 1 : columns;
    if (wanted === this.columns) return;
    this.columns = wanted;
    this.heads.textContent = "";
    for (let at = 0; at < wanted; at += 1) this.heads.append(this.head());
    this.main.classList.toggle("columned", wanted > 1);
  }

  head() {
    const { w } = this.tools;
    const row = node("div", "row head");
    const titles = ["queue", "waiting", "oldest_wait", "to_breach", "attainment", "average_response"];
    row.append(...titles.map((key) => node("div", `cell ${key}`, w(key))));
    row.append(node("div", "agents", ...AGENT_STATES.map((state) => node("span", "", w(state)))));
    return row;
  }

  // How many fit; sets how tall their rows are.
  capacity(all) {
    if (this.phone.matches) {
      this.main.classList.remove("tall");
      return PHONE_ROWS;
    }
    const count = Math.ceil(all / this.columns);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = this.main.getBoundingClientRect().height / rem;
    const tall = this.columns === 1 && count > 0 && height / count >= TALL_REM.least;
    const size = tall ? TALL_REM : LINE_REM;
    const fit = (room) => Math.max(1, Math.floor(room / size.least));
    let room = height - (tall ? 0 : HEAD_REM);
    if (fit(room) < count) room -= MORE_REM;
    const rows = Math.min(count, fit(room));
    const row = Math.min(size.most, room / Math.max(1, rows));
    this.main.classList.toggle("tall", tall);
    this.main.classList.toggle("airy", row >= AIRY_REM);
    this.rows.style.setProperty("--row", `${row.toFixed(3)}rem`);
    const text = Math.min(size.text, row, this.columns === 1 ? row : COLUMN_TEXT_REM);
    this.rows.style.setProperty("--text", `${text.toFixed(3)}rem`);
    return Math.max(1, rows) * this.columns;
  }

  turnPage() {
    if (!this.turnedByHand) this.turns.count += 1;
    this.turnedByHand = false;
  }

  render(view, now, columns) {
    this.setColumns(columns);
    const count = Object.keys(view.queues).length;
    const rows = this.capacity(count);
    const pages = Math.max(1, Math.ceil(count / rows));
    const tiles = pages === 1 && !this.phone.matches ? inPlace(view.queues) : byUrgency(view.queues, now);
    const urgent = tiles.filter((tile) => urgency(tile, now).rank <= WARN).length;
    const page = this.turns.count % this.turning(pages, rows, urgent);
    const shown = tiles.slice(page * rows, page * rows + rows);
    while (this.pool.length < shown.length) this.addRow();
    this.pool.forEach((row, at) => {
      row.hidden = at >= shown.length;
      if (at < shown.length) this.show(row, shown[at], now);
    });
    this.tellMore(count, shown, tiles, page, pages, urgent, now);
  }

  // How many pages turn: where something is urgent, only those that have it.
  turning(pages, rows, urgent) {
    if (urgent === 0 || this.turnedByHand || this.phone.matches) return pages;
    if (urgent <= rows) this.turns.count = 0;
    return Math.min(pages, Math.ceil(urgent / rows));
  }

  tellMore(count, shown, tiles, page, pages, urgent, now) {
    const { w, format } = this.tools;
    const hidden = count - shown.length;
    const urgentHidden = urgent - shown.filter((tile) => urgency(tile, now).rank <= WARN).length;
    const overdue = (some) => some.filter((tile) => urgency(tile, now).rank === OVER).length;
    let text = count === 0 ? w("no_queues") : "";
    if (hidden > 0) text = `${w("more", format.number(hidden))}  ·  ${w("page", page + 1, pages)}`;
    if (urgentHidden > 0) text += `  ·  ${w("of_which_urgent", format.number(urgentHidden))}`;
    setText(this.more, text);
    setTone(this.more, urgentHidden === 0 ? "none" : overdue(tiles) > overdue(shown) ? "bad" : "warn");
    this.main.classList.toggle("empty", count === 0);
    this.main.classList.toggle("paged", hidden > 0);
  }

  addRow() {
    const { w } = this.tools;
    const row = node("div", "row");
    row.name = node("bdi", "title");
    row.client = node("bdi", "client");
    row.badges = node("span", "badges");
    row.facts = node("span", "facts");
    row.beside = node("span", "facts beside");
    row.plain = node("div", "cell t-plus-1", w("t_plus_1_only"));
    row.cells = {
      waiting: cell("waiting", w("waiting"), 4),
      oldest_wait: cell("oldest_wait", w("oldest_wait"), 6),
      to_breach: cell("to_breach", w("to_breach"), 5),
      attainment: cell("attainment", w("attainment"), 6),
      average_response: cell("average_response", w("average_response"), 5),
    };
    row.late = node("bdi", "count");
    row.cells.to_breach.big.parentElement.append(row.late);
    row.agents = AGENT_STATES.map((state) => cell(state, w(state), 4));
    const name = node("div", "cell queue", row.name, node("span", "under", row.badges, row.client, row.facts));
    row.append(name, row.plain, ...Object.values(row.cells), node("div", "agents", ...row.agents, row.beside));
    this.pool.push(row);
    this.rows.append(row);
  }

  show(row, tile, now) {
    const { w, format } = this.tools;
    const { cells } = row;
    row.whose = `${tile.client}|${tile.id}`;
    setText(row.name, this.tools.nameOf(tile));
    setText(row.client, this.tools.clientName(tile.client));
    if (row.title !== tile.definition) row.title = tile.definition;
    this.tellBadges(row, tile, now);
    this.tellFacts(row, tile);
    const daily = tile.feed === "daily";
    row.classList.toggle("daily", daily);
    row.classList.toggle("silent", tile.stale_since !== null);
    row.dataset.rank = String(daily || tile.stale_since !== null ? "" : Math.min(urgency(tile, now).rank, WARN + 1));
    row.plain.hidden = !daily;
    for (const name of ["waiting", "oldest_wait", "to_breach"]) cells[name].hidden = daily;
    if (!daily) {
      fill(cells.waiting, waitingNow(tile, this.tools));
      fill(cells.oldest_wait, oldest(tile, now, this.tools));
      const due = toBreach(tile, now, this.tools);
      fill(cells.to_breach, due);
      fit(row.late, due.late > 0 ? `\u00d7${format.number(due.late)}` : "", LATE_ROOM);
    }
    const kept = attainment(tile.day.attainment, tile.attainment_target, this.tools);
    fill(cells.attainment, { ...kept, small: `${kept.small} ${kept.verdict}`.trim() });
    fill(cells.average_response, average(tile.day.average_response, tile, this.tools));
    const people = agentsByState(tile.agents);
    row.agents.forEach((made, at) => {
      const number = people.get(AGENT_STATES[at]);
      const big = tile.agents.length === 0 ? NOTHING : format.number(number);
      fill(made, { big, tone: number === 0 ? "none" : "" });
    });
  }

  // A row of one line has its percentages under the people, where there is room for their counts; what it may still miss
  // stands under its name. In columns nobody sees the people.
  tellFacts(row, tile) {
    const told = (...kinds) => kinds.flatMap((facts) => facts(tile, this.tools));
    const tall = this.main.classList.contains("tall") || this.phone.matches;
    const isLine = !tall && this.columns === 1;
    fillFacts(row.beside, isLine ? told(intervalFacts, briefSecondFacts, saturationFacts) : []);
    if (isLine) fillFacts(row.facts, told(followedFacts, budgetFacts, targetFacts));
    else fillFacts(row.facts, told(followedFacts, intervalFacts, budgetFacts, targetFacts, secondFacts, ...(tall ? [loadFacts] : [])));
  }

  // What is wrong with the queue beside its figures; red where somebody waits and nobody is there.
  tellBadges(row, tile, now) {
    const { w, format } = this.tools;
    const badges = [];
    const nobody = nobodyOnline(tile);
    if (nobody) badges.push(w("nobody_online"));
    if (tile.stale_since !== null) badges.push(`${w("stale_since")} ${format.since(tile.stale_since, now)}`);
    if (tile.unsequenced) badges.push(w("unsequenced"));
    setText(row.badges, badges.join("  ·  "));
    setTone(row.badges, nobody && tile.live !== null && tile.live.waiting > 0 ? "bad" : "warn");
  }
}
