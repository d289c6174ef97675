// Every threshold of a page stands on its root element, where the server has put it; there is none in this folder.

// `loadAgainMs` is data-load-again-ms.
export const setting = (name) => Number(document.documentElement.dataset[name]);
