"""What a browser measures of any page: texts that are covered, faint or outside of their place."""

from playwright.sync_api import Page

COVERED = """() => {
  const both = (a, b) => ({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
    top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  const isSeen = (box) => box.right - box.left > 1 && box.bottom - box.top > 1;
  const known = new Map([[null, { left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity }]]);
  const room = (made) => {
    if (!known.has(made)) {
      const around = room(made.parentElement);
      const isOpen = getComputedStyle(made).overflow === "visible";
      known.set(made, isOpen ? around : both(around, made.getBoundingClientRect()));
    }
    return known.get(made);
  };
  const seen = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return Array.from((node.data ? range : node).getClientRects(), ({ left, right, top, bottom }) => {
      const air = (bottom - top) * 0.28; // above and below the letters
      const box = both({ left, right, top: top + air, bottom: bottom - air }, room(node.parentElement));
      return { ...box, node, text: node.data || node.localName };
    });
  };
  const nodes = [...document.querySelectorAll("img")];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (walk.currentNode.data.trim()) nodes.push(walk.currentNode);
  const boxes = nodes.flatMap(seen).filter(isSeen).sort((a, b) => a.top - b.top);
  const covered = [];
  boxes.forEach((a, at) => {
    for (let next = at + 1; next < boxes.length && boxes[next].top < a.bottom; next += 1) {
      const b = boxes[next];
      if (a.node !== b.node && isSeen(both(a, b))) covered.push(`${a.text} lies over ${b.text}`);
    }
  });
  return covered;
}"""
"""Texts and pictures of which one covers a part of another."""

FAINT = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const known = new Map();
  const ground = (node) => {
    if (!known.has(node)) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      const hides = colour.length === 3 || colour[3] === 1 || node.parentElement === null;
      known.set(node, hides ? colour : ground(node.parentElement));
    }
    return known.get(node);
  };
  // in a picture a text has a fill, and may stand on the cell that was drawn before it
  const cell = (node) => {
    const under = node.previousElementSibling;
    const [at, box] = [node, under || node].map((made) => made.getBoundingClientRect());
    const outside = (a, b) => a.left < b.left || a.right > b.right || a.bottom > b.bottom;
    if (under === null || under.localName !== "rect" || outside(at, box)) return ground(node);
    const { fill, fillOpacity } = getComputedStyle(under);
    const below = ground(node);
    return channels(fill).map((value, part) => value * fillOpacity + below[part] * (1 - fillOpacity));
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode;
    const node = text.parentElement;
    if (!text.data.trim() || node.getClientRects().length === 0) continue;
    const style = getComputedStyle(node);
    const drawn = node.localName === "text";
    const colours = drawn ? [channels(style.fill), cell(node)] : [channels(style.color), ground(node)];
    const [a, b] = colours.map(light).sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(`${node.className}: ${text.data} ${contrast.toFixed(2)}`);
  }
  return faint;
}"""
"""Texts whose contrast is below 4.5, what WCAG AA asks of them."""


def misfits(page: Page) -> list[str]:
    """Numbers that stick out of their cell or card, whatever covers something else or is wider than the screen."""
    found: list[str] = page.evaluate(
        """() => {
          const wrong = [];
          for (const value of document.querySelectorAll(".value")) {
            const range = document.createRange();
            range.selectNodeContents(value);
            const box = range.getBoundingClientRect();
            if (box.width === 0) continue;
            for (const around of [value.closest(".cell"), value.closest(".card, .row, #now")]) {
              const limit = around.getBoundingClientRect();
              const aside = box.right - limit.right > 1 || box.left - limit.left < -1;
              const below = value.getBoundingClientRect().bottom - limit.bottom > 1;
              if (aside || below) wrong.push(`${around.className}: ${value.textContent}`);
            }
          }
          const page = document.documentElement;
          if (page.scrollWidth > innerWidth) wrong.push(`page is ${page.scrollWidth} wide`);
          return wrong;
        }"""
    )
    covered: list[str] = page.evaluate(COVERED)
    return found + covered
