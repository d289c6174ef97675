// Small helpers. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

// Shapes on a 24 x 24 grid, told apart by outline and not by colour alone.
const SHAPES = {
  fine: "M4 12.5l5 5L20 6.5",
  warn: "M12 3L22 21H2zM12 10v5M12 17.5v.5",
  bad: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6",
  wait: "M12 3a9 9 0 1 0 .01 0zM12 7v5l3.5 2",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  battery: "M3 8h15v8H3zM21 11v2M6 11v2M9 11v2",
  pause: "M8.5 5v14M15.5 5v14",
  off: "M12 3v9M6.5 6.8a8 8 0 1 0 11 0",
  eye: "M2 12s4-6.5 10-6.5S22 12 22 12s-4 6.5-10 6.5S2 12 2 12zM12 9.5a2.5 2.5 0 1 0 .01 0",
  back: "M4 4v6h6M4.6 10a8 8 0 1 1-.4 4.5",
  unknown: "M12 3a9 9 0 1 0 .01 0zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .8-1 1.7M12 16.5v.5",
};

export function icon(shape) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[shape]);
  svg.append(path);
  svg.dataset.shape = shape;
  return svg;
}

export function node(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// A figure: a mark, a big number with its unit, a small text under it, and a caption for where there is no table head.
// `room`: how many characters the number has room for; a longer one is drawn smaller, never cut off.
export function cell(name, caption, room) {
  const made = node("div", `cell ${name}`);
  made.room = room;
  made.caption = node("span", "caption", caption);
  made.mark = node("span", "mark");
  made.big = node("span", "big");
  made.unit = node("span", "unit");
  made.small = node("span", "small");
  made.append(made.caption, node("span", "value", made.mark, made.big, made.unit), made.small);
  return made;
}

export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export function setTone(target, tone) {
  if (target.dataset.tone !== tone) target.dataset.tone = tone;
}

export function setIcon(target, shape) {
  const now = target.firstChild ? target.firstChild.dataset.shape : "";
  if (now === shape) return;
  target.textContent = "";
  if (shape) target.append(icon(shape));
}

// A text drawn smaller where it is longer than `room` characters.
export function fit(target, text, room) {
  if (target.textContent === text) return;
  target.textContent = text;
  target.style.setProperty("--fit", text.length > room ? (room / text.length).toFixed(2) : "1");
}

export function fill(made, { tone = "", shape = "", big = "", unit = "", small = "" }) {
  setTone(made, tone);
  setIcon(made.mark, shape);
  fit(made.big, big, made.room);
  setText(made.unit, unit);
  setText(made.small, small);
}

// Facts in a line of their own: {tone, name, text, more} each; what does not fit is left out whole (board.css). How many.
export function fillFacts(line, facts) {
  while (line.children.length < facts.length) {
    line.append(node("span", "fact", node("span", "name"), " ", node("bdi"), node("span", "more")));
  }
  Array.from(line.children).forEach((made, at) => {
    made.hidden = at >= facts.length;
    if (made.hidden) return;
    const { tone, name, text, more = "" } = facts[at];
    setTone(made, tone);
    setText(made.firstChild, name);
    setText(made.lastChild.previousSibling, text);
    setText(made.lastChild, more);
  });
  return facts.length;
}
