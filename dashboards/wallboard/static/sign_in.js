// The form that lets a screen in, in the words of the glossary.
import { loadWords, wantedLanguage } from "./words.js";

loadWords(wantedLanguage()).then(({ language, w }) => {
  const refused = new URLSearchParams(location.search).has("refused");
  document.querySelector("form").action = `/sign-in?lang=${encodeURIComponent(language)}`;
  document.getElementById("token-label").textContent = w("access_token");
  document.querySelector("button").textContent = w("sign_in");
  document.getElementById("refused").textContent = refused ? w("token_refused") : "";
});
