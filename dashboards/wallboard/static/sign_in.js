// The form that lets a screen in, in the words of the glossary. `#token=...` fills it in: what follows a # is sent to nobody.
import { loadWords, wantedLanguage } from "./words.js";

loadWords(wantedLanguage()).then(({ language, w }) => {
  const query = new URLSearchParams(location.search);
  const why = query.has("withdrawn") ? w("access_withdrawn") : query.has("refused") ? w("token_refused") : "";
  document.body.classList.toggle("withdrawn", query.has("withdrawn"));
  for (const name of ["refused", "withdrawn"]) query.delete(name);
  query.set("lang", language);
  document.querySelector("form").action = `/sign-in?${query}`;
  document.getElementById("token-label").textContent = w("access_token");
  document.querySelector("button").textContent = w("sign_in");
  document.getElementById("refused").textContent = why;
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector("[name=token]").value = token;
  document.querySelector("form").submit();
});
