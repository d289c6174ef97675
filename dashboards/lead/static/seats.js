// Pure: where seats stand on the screen, and how each of them looks.
import { BLIND, OVER, WAIT, WARN, urgency } from "./people.js";

// The looks of a seat, the gravest first: {tone, shape, word}. Told apart by shape and word as well as by colour.
export const LOOKS = {
  over: { tone: "bad", shape: "bad", word: "overdue" },
  warn: { tone: "warn", shape: "warn", word: "due_soon" },
  wait: { tone: "", shape: "wait", word: "waiting" },
  ready: { tone: "good", shape: "fine", word: "ready" },
  on_break: { tone: "ok", shape: "pause", word: "on_break" },
  silent: { tone: "none", shape: "plug", word: "silent" },
  offline: { tone: "none", shape: "off", word: "offline" },
  unknown: { tone: "none", shape: "unknown", word: "unknown" },
  free: { tone: "none", shape: "", word: "seat_free" },
};
const NAMES = Object.keys(LOOKS);
const natural = (a, b) => a.localeCompare(b, "en", { numeric: true });

// How a seat looks: that of the person there who is worst off; who is away counts only where nobody else sits.
export function lookOf(seat, people, promise, now) {
  const found = people.map((person) => lookOfPerson(person, promise, now));
  const name = found.length === 0 ? "free" : NAMES[Math.min(...found.map((look) => NAMES.indexOf(look)))];
  const nobody = name === "free" || name === "offline" || name === "unknown";
  return nobody && seat.reports === false ? "silent" : name;
}

function lookOfPerson(person, promise, now) {
  const { rank } = urgency(person, promise, now);
  if (rank === BLIND) return "unknown";
  if (rank === OVER) return "over";
  if (rank === WARN) return "warn";
  if (rank === WAIT) return "wait";
  return person.presence in LOOKS ? person.presence : "unknown";
}

// Blocks to draw, one for each site: {site, columns, rows: [{name, seats: [{seat, column}]}]}; columns from 1.
export function blocksOf(seats) {
  const sites = new Map();
  for (const seat of seats) {
    if (!sites.has(seat.site)) sites.set(seat.site, []);
    sites.get(seat.site).push(seat);
  }
  return [...sites].sort(([a], [b]) => natural(a, b)).map(([site, there]) => block(site, there));
}

function block(site, seats) {
  const named = seats.some((seat) => seat.row !== "");
  const rows = named ? byRow(seats) : inLines(seats);
  const columns = Math.max(...rows.map((row) => Math.max(...row.seats.map((place) => place.column))));
  return { site, columns, rows };
}

// As the roster has it. Columns that are numbers keep their gaps, which are aisles; others stand side by side.
function byRow(seats) {
  const rows = new Map();
  for (const seat of seats) {
    if (!rows.has(seat.row)) rows.set(seat.row, []);
    rows.get(seat.row).push(seat);
  }
  const numbers = seats.every((seat) => /^[1-9]\d{0,2}$/.test(seat.column));
  const first = numbers ? Math.min(...seats.map((seat) => Number(seat.column))) : 0;
  return [...rows]
    .sort(([a], [b]) => natural(a, b))
    .map(([name, there]) => {
      there.sort((a, b) => natural(a.column, b.column) || natural(a.id, b.id));
      const place = (seat, at) => ({ seat, column: numbers ? Number(seat.column) - first + 1 : at + 1 });
      return { name, seats: there.map(place) };
    });
}

const WIDE = 1.6; // Layout: of a block without rows: how much wider than tall

function inLines(seats) {
  const ordered = [...seats].sort((a, b) => natural(a.id, b.id));
  const width = Math.max(1, Math.ceil(Math.sqrt(ordered.length * WIDE)));
  const lines = [];
  for (let at = 0; at < ordered.length; at += width) {
    lines.push({ name: "", seats: ordered.slice(at, at + width).map((seat, column) => ({ seat, column: column + 1 })) });
  }
  return lines;
}

// The size of a seat, px, from `least` to `most`, at which all `blocks` fit into width x height, side by side and in shelves.
// `head`: height over a block; `gap`: between blocks; a block has room for the names of its rows.
export function sizeFor(blocks, { width, height, least, most, head, gap, names }) {
  for (let size = most; size > least; size -= 1) {
    let x = 0;
    let y = 0;
    let shelf = 0;
    for (const { columns, rows } of blocks) {
      const wide = columns * size + names;
      const tall = rows.length * size + head;
      if (x > 0 && x + wide > width) {
        y += shelf + gap;
        x = 0;
        shelf = 0;
      }
      x += wide + gap;
      shelf = wide > width ? Infinity : Math.max(shelf, tall);
    }
    if (y + shelf <= height && y + shelf < Infinity) return size;
  }
  return least;
}
