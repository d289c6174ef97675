// Every word on the screen comes from the server's glossary; there is none in this folder.

export function wantedLanguage() {
  return new URLSearchParams(location.search).get("lang") || "";
}

// {language, languages, w}: w(key, n, m) is the word with {n} and {m} filled in, or the key itself if there is none.
export async function loadWords(language) {
  const answer = await fetch(`/words.json?lang=${encodeURIComponent(language)}`);
  if (!answer.ok) throw new Error(`words.json: ${answer.status}`);
  const { language: spoken, languages, words } = await answer.json();
  document.documentElement.lang = spoken;
  const known = new Map(Object.entries(words));
  const w = (key, n, m) => (known.has(key) ? known.get(key) : key).replace("{n}", n).replace("{m}", m);
  w.has = (key) => known.has(key);
  return { language: spoken, languages, w };
}
