// The selection of images with mouse and keyboard.
const selected = new Set();
const bar = document.getElementById("selection");
let anchor = -1;

const visible = () => order.filter((row) => !tileOf(row).hidden);

function mark(row, on) {
  if (on) selected.add(row);
  else selected.delete(row);
  tileOf(row).setAttribute("aria-selected", String(on));
}

function showSelection() {
  bar.hidden = !selected.size;
  bar.firstElementChild.textContent = `${selected.size.toLocaleString("en")} selected`;
}

function unselect() {
  for (const row of [...selected]) mark(row, false);
  showSelection();
}

function toggle(row) {
  mark(row, !selected.has(row));
  anchor = row;
  showSelection();
}

function selectTo(row) {
  const seen = visible(), [one, other] = [seen.indexOf(anchor < 0 ? row : anchor), seen.indexOf(row)];
  for (const each of [...selected]) mark(each, false);
  for (const each of seen.slice(Math.min(one, other), Math.max(one, other) + 1)) mark(each, true);
  if (one < 0) anchor = row;
  showSelection();
}

// Make this image the one of its sheet that Tab reaches.
function focusable(row) {
  const tile = tileOf(row);
  for (const each of tile.parentElement.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
  tile.tabIndex = 0;
}

function focusOn(row) {
  focusable(row);
  tileOf(row).focus();
}

// The step of each key in images; up and down move by a row of the sheet.
function step(tile, key) {
  const across = getComputedStyle(tile.parentElement).gridTemplateColumns.split(" ").length;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, Home: -Infinity, End: Infinity }[key];
}

// Move inside a sheet, and at its ends to the next one.
function move(tile, key, extend) {
  const seen = visible(), row = rowAt(tile), here = seen.indexOf(row);
  const inside = seen.filter((each) => data.clusters[each] === data.clusters[row]);
  const [low, high] = [seen.indexOf(inside[0]), seen.indexOf(inside.at(-1))];
  let to = here + step(tile, key);
  if (!Number.isFinite(to)) to = to < 0 ? low : high;
  else if (to > high) to = here < high && key === "ArrowDown" ? high : high + 1;
  else if (to < low) to = here > low && key === "ArrowUp" ? low : low - 1;
  const next = seen[Math.min(Math.max(to, 0), seen.length - 1)];
  if (extend) {
    if (anchor < 0 || !selected.size) anchor = row;
    selectTo(next);
  }
  focusOn(next);
}

function pressed(event, tile) {
  const row = rowAt(tile), modified = event.ctrlKey || event.metaKey;
  if (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End") move(tile, event.key, event.shiftKey);
  else if (event.key === " ") toggle(row);
  else if (event.key === "Enter" && event.repeat) return;
  else if (event.key === "Enter") ask(selected.size ? [...selected] : [row]);
  else if (event.key === "Delete" || event.key === "Backspace") assign(selected.size ? [...selected] : [row], "");
  else if (event.key === "Escape") unselect();
  else if (modified && event.key.toLowerCase() === "a") {
    for (const each of members.get(data.clusters[row])) if (!tileOf(each).hidden) mark(each, true);
    showSelection();
  } else if (!modified && !event.altKey && event.key.length === 1) ask(selected.size ? [...selected] : [row], event.key);
  else return;
  event.preventDefault();
}

function clicked(event, tile) {
  const row = rowAt(tile);
  focusOn(row);
  if (event.shiftKey) selectTo(row);
  else if (event.ctrlKey || event.metaKey || several.getAttribute("aria-pressed") === "true") toggle(row);
  else {
    unselect();
    anchor = row;
    ask([row]);
  }
}
