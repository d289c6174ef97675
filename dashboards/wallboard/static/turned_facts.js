// Facts that do not all fit where they stand take turns: none of them is for ever one too many.

const LINES = "#rows .under, #rows .facts, .card .facts, .site-card .behind";
const LATER = "99"; // Layout: behind every line of a page

// Pure: on which line each of these `widths` stands, from the first on; each goes where there is room for it. `pinned`
// stands first on every page, which has so many `lines`.
export function linesOf(widths, room, lines, pinned) {
  const used = [];
  return widths.map((width) => {
    let at = used.findIndex((sum) => sum + width <= room);
    if (at === -1) at = used.push(used.length % lines === 0 ? pinned : 0) - 1;
    used[at] += width;
    return at;
  });
}

const turned = new WeakMap(); // line -> what it was turned for
const visits = new Map(); // whose line it is -> at which turn it was last seen, and how many it was seen at before that

// How often whoever `line` is of has come by. By the clock alone, a queue that is on every second page and a fact that is
// there at every second turn would never meet. It outlives a turn to a screen of its own.
function visitOf(line, turn) {
  const whose = [line.closest("main, section").id, line.closest(".row, .card").whose, line.className].join(" ");
  const last = visits.get(whose);
  if (last !== undefined && last.turn === turn) return { whose, count: last.count };
  const kept = sessionStorage.getItem(whose);
  const count = kept === null ? 0 : Number(kept) + 1;
  visits.set(whose, { turn, count });
  sessionStorage.setItem(whose, String(count));
  return { whose, count };
}

const isSeen = (made) => made.offsetWidth > 0;
const isFacts = (made) => made.classList.contains("facts");
const isLoose = (made) => isFacts(made) && getComputedStyle(made).display === "contents";
// In a row of one line the name of the client takes its turn, too: there the facts have no box of their own.
const itemsOf = (line) => [...line.children].flatMap((made) => (isLoose(made) ? [...made.children] : [made])).filter(isSeen);
// Rounded up: a line that is taken for wider than it is hides nothing.
const widthOf = (made) => made.offsetWidth + 1 + parseFloat(getComputedStyle(made).marginRight);

// Beside what is wrong with a queue, which stays, half of the line at least is left to the others.
const leftBeside = (room, taken) => room - Math.min(taken, room / 2);

// By which part `made` is to be drawn smaller: a number longer than its room, 1 where it fits.
function partOf(made, beside, isPinned) {
  const natural = made.scrollWidth > made.clientWidth + 1 ? made.clientWidth / made.scrollWidth : 1;
  return isPinned ? natural * Math.min(1, beside / widthOf(made)) : natural;
}

// Where the items of `line` stand, or null where all are seen or nothing has changed but numbers: nothing moves for these.
function measured(line, turn) {
  if (line.scrollHeight <= line.clientHeight + 1 && !turned.has(line)) return null;
  const all = itemsOf(line);
  if (all.length === 0) return null;
  const { whose, count } = visitOf(line, turn);
  const key = [whose, count, ...all.map((made) => (made.firstElementChild || made).textContent)].join("|");
  if (turned.get(line) === key) return null;
  turned.set(line, key);
  for (const made of all) {
    made.style.fontSize = "";
    made.style.maxWidth = "";
  }
  const room = line.clientWidth;
  const badges = all.find((made) => made.classList.contains("badges"));
  const items = all.filter((made) => made !== badges);
  const lines = Math.max(1, Math.floor((line.clientHeight + 1) / all[0].offsetHeight));
  const taken = badges === undefined ? 0 : widthOf(badges);
  const beside = leftBeside(room, taken);
  const widths = items.map((made) => (taken > 0 ? Math.min(widthOf(made), beside) : widthOf(made)));
  const narrowed = items.filter((made) => made.classList.contains("fact")).map((made) => [made, partOf(made, beside, taken > 0)]);
  const cut = taken === 0 ? [] : items.filter((made) => !made.classList.contains("fact") && widthOf(made) > beside);
  return { items, lines, narrowed, cut, beside, badges, taken, room, widths, count, at: linesOf(widths, room, lines, room - beside) };
}

// A number longer than its room is drawn smaller; a name is cut off at its end, and so are badges while a fact stands beside.
function turnLine({ items, lines, narrowed, cut, beside, badges, taken, room, widths, count, at }) {
  for (const [made, part] of narrowed) if (part < 1) made.style.fontSize = `${part.toFixed(3)}em`;
  for (const made of cut) made.style.maxWidth = `${beside - parseFloat(getComputedStyle(made).marginRight)}px`;
  const alone = taken > room / 2 ? 1 : 0; // a page on which what is wrong is told to its end
  const pages = 1 + Math.floor(Math.max(0, ...at) / lines) + alone;
  const isNow = items.map((_, number) => Math.floor(at[number] / lines) === count % pages);
  items.forEach((made, number) => {
    made.style.order = isNow[number] ? String(at[number] % lines) : LATER;
  });
  const left = widths.reduce((sum, width, number) => (isNow[number] ? sum - width : sum), room);
  if (taken > 0 && left < taken) badges.style.maxWidth = `${left - parseFloat(getComputedStyle(badges).marginRight)}px`;
}

// Everything is measured before anything is moved.
export function turnFacts(turn) {
  const lines = [...document.querySelectorAll(LINES)].filter((line) => line.offsetHeight > 0);
  const changed = lines.map((line) => measured(line, turn)).filter((line) => line !== null);
  for (const line of changed) turnLine(line);
}
