// The form that lets a screen in, in the words of the glossary.
import { loadWords, wantedLanguage } from "./words.js";

loadWords(wantedLanguage()).then(({ language, w }) => {
  const query = new URLSearchParams(location.search);
  const refused = query.has("refused");
  const to = query.has("to") ? `&to=${encodeURIComponent(query.get("to"))}` : "";
  document.querySelector("form").action = `/sign-in?lang=${encodeURIComponent(language)}${to}`;
  document.getElementById("token-label").textContent = w("access_token");
  document.querySelector("button").textContent = w("sign_in");
  document.getElementById("refused").textContent = refused ? w("token_refused") : "";
});
