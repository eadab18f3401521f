// The labels of each image, and a person's changes, which are kept in the browser's storage.
const data = JSON.parse(document.getElementById("data").textContent);
const n = data.ids.length;
const named = (numbers) => numbers.map((number) => (number < 0 ? "" : data.labels[number]));
const current = named(data.current), suggestion = named(data.suggestion);
const first = named(data.applied), now = [...first]; // corrections of the log, and with the page's changes
const composed = (text) => text.normalize("NFC"), trimmed = (text) => composed(text.trim());
const rowOf = byForm((id) => id), looseRows = [composed, trimmed].map((form) => [form, byForm(form)]);
const PLACE = `labels of run ${data.run}`;
const undoable = [];
const recent = [];
let unkept = false;

// The rows by a form of their id; undefined if two rows have the same form.
function byForm(form) {
  const rows = new Map();
  data.ids.map(form).forEach((id, row) => rows.set(id, rows.has(id) ? undefined : row));
  return rows;
}

const bare = (label) => (label === data.withdrawn ? "" : label); // the sign for "no label" is not a label
const shownLabel = (row) => bare(now[row] || current[row]);
const isChanged = (row) => now[row] !== first[row];
const isUnlabelled = (row) => !now[row] && !current[row];
const isDoubtful = (row) => !now[row] && current[row] !== "" && suggestion[row] !== "" && current[row] !== suggestion[row];
const changed = () => data.ids.map((_, row) => row).filter(isChanged);
const labels = () => [...new Set([...data.labels, ...now.filter(Boolean)])].filter(bare);

function keep() {
  try {
    localStorage.setItem(PLACE, JSON.stringify(changed().map((row) => [data.ids[row], now[row]])));
    unkept = false;
  } catch {
    unkept = true;
  }
}

function restore() {
  let kept = [];
  try {
    kept = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    localStorage.setItem(PLACE, JSON.stringify(kept));
  } catch {
    unkept = true;
  }
  first.forEach((label, row) => (now[row] = label));
  for (const [id, label] of kept) if (rowOf.has(id)) now[rowOf.get(id)] = label;
  return changed().length;
}

// Give each row its label; an empty one takes the change back.
function change(pairs) {
  const before = pairs.map(([row]) => [row, now[row]]);
  for (const [row, label] of pairs) now[row] = label || first[row];
  undoable.push(before);
  keep();
}

function undo() {
  const before = undoable.pop() ?? [];
  for (const [row, label] of before) now[row] = label;
  keep();
  return before.map(([row]) => row);
}

// Without the byte order mark, spreadsheets do not read a file as UTF-8.
function csv() {
  const lines = data.ids.map((id, row) =>
    written([id, data.files[row], String(data.clusters[row]), current[row], now[row], suggestion[row]]));
  const whole = written(COLUMNS) + lines.join("");
  return /[^\0-\x7f]/.test(whole) ? `\ufeff${whole}` : whole;
}

// Return the known label that differs from a spelling only in Unicode form and spaces, or the spelling itself.
function knownAs(label) {
  const known = [data.withdrawn, ...labels()];
  if (!label || known.includes(label)) return label;
  const alike = known.filter((other) => trimmed(other) === trimmed(label));
  return alike.length === 1 ? alike[0] : alike.length ? label : trimmed(label);
}

// Apply the labels of an edited table; return unknown ids instead of guessing.
function taken(text) {
  const found = corrections(text), pairs = [], unknown = [];
  for (const [line, id, label] of found) {
    const row = rowOf.get(id) ?? looseRows.map(([form, rows]) => rows.get(form(id))).find((index) => index !== undefined);
    const meant = knownAs(label);
    if (row === undefined) unknown.push(`line ${line}: ${id}`);
    else if ((meant || first[row]) !== now[row]) pairs.push([row, meant]);
  }
  if (pairs.length) change(pairs);
  return { rows: found.length, pairs, unknown };
}
