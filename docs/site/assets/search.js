// Search for an option by its name: the search would exclude pages that have a word after "-".
document.querySelector(".md-search__input").addEventListener("input", ({ target }) => {
  const words = target.value.replace(/(^|\s)-+(?=\S|$)/g, "$1");
  if (words !== target.value) target.value = words;
});
