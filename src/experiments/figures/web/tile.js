// The markup of the image at a place; what it is drawn on is decoded when it is first seen.
function tile(place) {
  if (!TILES.per) return "";
  const within = place % TILES.per, at = (index) => `calc(var(--size) * ${-index * TILES.step})`;
  const [x, y] = [at(within % TILES.columns), at(Math.floor(within / TILES.columns))];
  return `<i class="s${Math.floor(place / TILES.per)}" style="background-position:${x} ${y}"></i>`;
}
