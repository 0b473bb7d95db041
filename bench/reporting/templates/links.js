// The address after the # says what is shown: a run, a state of the leaderboard, or a place.
function follow() {
  const hash = decodeURIComponent(location.hash.slice(1));
  if (hash.startsWith("run-") && showRun(hash.slice(4))) return;
  if (dialog.open) dialog.close();
  const [name, query] = hash.split("?");
  if (name !== "leaderboard" || query === undefined) return;
  const wanted = { ...start, ...Object.fromEntries(new URLSearchParams(query)) };
  if (Object.keys(start).every((key) => wanted[key] === state[key])) return;
  state = wanted;
  showBoard();
  at("leaderboard").scrollIntoView();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#run-"]');
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (link && plain && showRun(link.getAttribute("href").slice(5))) event.preventDefault();
});
addEventListener("hashchange", follow);
showBoard();
follow();
await drawAll(); // after that nothing moves any more
if (!dialog.open && scrollY) document.getElementById(location.hash.slice(1).split("?")[0])?.scrollIntoView();
