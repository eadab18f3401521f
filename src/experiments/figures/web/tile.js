// The markup of a row's image; the browser decodes its sprite on first use.
function tile(row) {
  if (!TILES.per) return "";
  const within = row % TILES.per, column = within % TILES.columns;
  return `<i class="s${Math.floor(row / TILES.per)} x${column} y${Math.floor(within / TILES.columns)}"></i>`;
}
