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

const isSeen = (made) => made.offsetWidth > 0;
const isFacts = (made) => made.classList.contains("facts");
const isLoose = (made) => isFacts(made) && getComputedStyle(made).display === "contents";
// In a row of one line the name of the client takes its turn, too: there the facts have no box of their own.
const itemsOf = (line) => [...line.children].flatMap((made) => (isLoose(made) ? [...made.children] : [made])).filter(isSeen);
// Rounded up: a line that is taken for wider than it is hides nothing.
const widthOf = (made) => made.offsetWidth + 1 + parseFloat(getComputedStyle(made).marginRight);

// Where the items of `line` stand, or null where all are seen or nothing has changed but numbers: nothing moves for these.
function measured(line, turn) {
  if (line.scrollHeight <= line.clientHeight + 1) return null;
  const all = itemsOf(line);
  const key = [turn, ...all.map((made) => (made.firstElementChild || made).textContent)].join("|");
  if (turned.get(line) === key) return null;
  turned.set(line, key);
  for (const made of all) made.style.fontSize = "";
  const pinned = all.filter((made) => made.classList.contains("badges"));
  const items = all.filter((made) => !pinned.includes(made));
  const lines = Math.max(1, Math.floor((line.clientHeight + 1) / all[0].offsetHeight));
  const taken = pinned.reduce((sum, made) => sum + widthOf(made), 0);
  const wide = items.filter((made) => made.scrollWidth > made.clientWidth + 1 && made.classList.contains("fact"));
  const narrowed = wide.map((made) => [made, made.clientWidth / made.scrollWidth]);
  return { items, lines, narrowed, at: linesOf(items.map(widthOf), line.clientWidth, lines, taken) };
}

// A number longer than its room is drawn smaller.
function turnLine({ items, lines, narrowed, at }, turn) {
  for (const [made, part] of narrowed) made.style.fontSize = `${part.toFixed(3)}em`;
  const pages = 1 + Math.floor(Math.max(0, ...at) / lines);
  items.forEach((made, number) => {
    const isNow = Math.floor(at[number] / lines) === turn % pages;
    made.style.order = isNow ? String(at[number] % lines) : LATER;
  });
}

// Everything is measured before anything is moved.
export function turnFacts(turn) {
  const lines = [...document.querySelectorAll(LINES)].filter((line) => line.offsetHeight > 0);
  const changed = lines.map((line) => measured(line, turn)).filter((line) => line !== null);
  for (const line of changed) turnLine(line, turn);
}
