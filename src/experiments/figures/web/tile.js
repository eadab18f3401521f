// The markup of a row's image; the browser decodes its sprite on first use.
function tile(row) {
  if (!TILES.per) return "";
  const tileNumber = row % TILES.per, at = (index) => `calc(var(--size) * ${-index * TILES.step})`;
  const [x, y] = [at(tileNumber % TILES.columns), at(Math.floor(tileNumber / TILES.columns))];
  return `<i class="s${Math.floor(row / TILES.per)}" style="background-position:${x} ${y}"></i>`;
}
