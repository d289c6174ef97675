// The floor as it stands: every seat in its place by colour and shape, and never who sits there.
import { cell, fill, node, setIcon, setText, setTone } from "/static/dom.js";
import { NOTHING } from "/static/format.js";
import { Shell, by } from "/static/shell.js";
import { siteLook } from "/static/sites.js";
import { Stream } from "/static/stream.js";
import { promiseOf, together } from "./people.js";
import { LOOKS, blocksOf, lookOf, sizeFor } from "./seats.js";
import { offerBeside, openScreen } from "./turned.js";

// Layout: px of a seat, and parts of the page in rem.
const SIZE = { least: 18, most: 72 };
const PHONE_SIZE = { least: 18, most: 38 };
const TEXT_FROM = 34; // px of a seat from which on the wait is written into it
const HEAD_REM = 2.1;
const GAP_REM = 1.1;
const NAMES_REM = 1.7;

class MapScreen extends Shell {
  constructor(words) {
    super(words, (onBoard) => new Stream(onBoard, "/map/events"));
    offerBeside("/", "wallboard", words);
    const { w } = this.tools;
    setText(by("title"), w("seat_map"));
    document.title = `${w("seat_map")} - Seatwatch`;
    this.phone = matchMedia("(max-width: 700px)");
    this.plan = "";
    this.seats = new Map();
    this.blocks = new Map();
    this.cells = {
      waiting: cell("waiting", w("waiting"), 6),
      oldest_wait: cell("oldest_wait", w("oldest_wait"), 6),
      overdue: cell("overdue", w("overdue"), 5),
    };
    by("now").append(...Object.values(this.cells));
    this.legend = Object.entries(LOOKS).map(([name, { tone, shape, word }]) => {
      const count = node("b");
      const mark = node("span", `mark ${name}`);
      const entry = node("span", "look", mark, w(word), " ", count);
      setTone(entry, tone);
      setIcon(mark, shape);
      by("legend").append(entry);
      return { name, entry, count };
    });
  }

  show(view, now) {
    const { format } = this.tools;
    const seats = Object.values(view.seats);
    this.build(seats, view.sites);
    const promises = promisesOf(Object.values(view.teams));
    const onSeat = new Map();
    for (const person of Object.values(view.people)) {
      if (!onSeat.has(person.seat)) onSeat.set(person.seat, []);
      onSeat.get(person.seat).push(person);
    }
    const counts = new Map();
    for (const seat of seats) {
      const people = onSeat.get(seat.id) || [];
      const promise = people.length === 0 ? null : promises(people[0].team);
      const look = lookOf(seat, people, promise, now);
      counts.set(look, (counts.get(look) || 0) + 1);
      this.showSeat(this.seats.get(seat.id), seat, look, people, now);
    }
    for (const { name, count } of this.legend) setText(count, format.number(counts.get(name) || 0));
    this.showTogether(together(view.people, null, Infinity, now), now);
  }

  showTogether(all, now) {
    const { format } = this.tools;
    const tone = all.waiting === 0 ? "none" : "";
    const late = all.overdue > 0;
    fill(this.cells.waiting, { tone, big: format.number(all.waiting) });
    fill(this.cells.oldest_wait, { tone, big: all.oldest === null ? NOTHING : format.elapsed(now - all.oldest) });
    fill(this.cells.overdue, { tone: late ? "bad" : "none", shape: late ? "bad" : "fine", big: format.number(all.overdue) });
  }

  // Draws the places anew only when the roster or the room for them changed.
  build(seats, sites) {
    const floor = by("floor");
    const { width, height } = floor.getBoundingClientRect();
    const plan = JSON.stringify([width, height, seats.map(({ id, site, row, column }) => [id, site, row, column])]);
    if (plan !== this.plan) {
      this.plan = plan;
      this.seats.clear();
      this.blocks.clear();
      floor.textContent = "";
      const blocks = blocksOf(seats);
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      // a block has half a gap on either side, the first and the last one too
      const gap = GAP_REM * rem;
      const room = { width: width - gap, height, head: HEAD_REM * rem, gap, names: NAMES_REM * rem, ...SIZE };
      const size = this.phone.matches ? sizeFor(blocks, { ...room, height: Infinity, ...PHONE_SIZE }) : sizeFor(blocks, room);
      floor.style.setProperty("--seat", `${size}px`);
      floor.classList.toggle("told", size >= TEXT_FROM);
      for (const block of blocks) floor.append(this.block(block));
      if (seats.length === 0) floor.append(node("p", "nothing", this.tools.w("no_seats")));
    }
    for (const [id, { name, state }] of this.blocks) {
      const site = sites[id];
      const look = site === undefined ? null : siteLook(site.state);
      setText(name, site === undefined ? id : this.tools.nameOf(site));
      setTone(state, look === null ? "none" : look.tone);
      setIcon(state.firstChild, look === null ? "" : look.shape);
      setText(state.lastChild, look === null ? "" : this.tools.w(look.word));
    }
  }

  block({ site, columns, rows }) {
    const name = node("bdi", "title");
    const state = node("span", "at-site", node("span", "mark"), node("span"));
    this.blocks.set(site, { name, state });
    const grid = node("div", "seats");
    grid.style.gridTemplateColumns = `${NAMES_REM}rem repeat(${columns}, var(--seat))`;
    rows.forEach((row, at) => {
      const label = node("bdi", "row-name", row.name);
      label.style.gridRow = String(at + 1);
      grid.append(label, ...row.seats.map((place) => this.seat(place, at + 1)));
    });
    return node("section", "block", node("h2", "", name, state), grid);
  }

  seat({ seat, column }, row) {
    const made = node("div", "seat", node("span", "mark"), node("span", "wait"));
    made.setAttribute("role", "img");
    made.style.gridRow = String(row);
    made.style.gridColumn = String(column + 1);
    this.seats.set(seat.id, made);
    return made;
  }

  showSeat(made, seat, look, people, now) {
    const { w, format } = this.tools;
    const { tone, shape, word } = LOOKS[look];
    if (made.dataset.look !== look) {
      made.dataset.look = look;
      setTone(made, tone);
      setIcon(made.firstChild, shape);
      const told = `${seat.id} ${w(word)}`;
      made.setAttribute("aria-label", told);
      made.title = told;
    }
    const waits = look === "over" || look === "warn" || look === "wait";
    const since = people.map((person) => person.oldest_since).filter((instant) => instant !== null);
    setText(made.lastChild, waits && since.length > 0 ? format.elapsed(now - Math.min(...since)) : "");
  }
}

// What the contracts promise, by team.
function promisesOf(teams) {
  const known = new Map();
  return (team) => {
    if (!known.has(team)) known.set(team, promiseOf(teams.filter((tile) => tile.id === team)));
    return known.get(team);
  };
}

openScreen(MapScreen);
