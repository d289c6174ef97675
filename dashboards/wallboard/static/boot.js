// Loads a page anew that did not come up, since a file of it was lost on the way: nobody stands at a TV to do that.
const againMs = Number(document.documentElement.dataset.loadAgainMs);

// Scripts have come or failed by then; a screen that came up says in which state it is.
addEventListener("load", () => {
  setInterval(() => {
    if (document.body.dataset.state !== undefined) return;
    fetch(location.href, { cache: "no-store" })
      .then((answer) => answer.ok && location.reload())
      .catch(() => false);
  }, againMs);
});
