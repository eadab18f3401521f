// The table of labels.py: RFC 4180, with cells escaped that a spreadsheet would run as formulas.
const COLUMNS = ["image_id", "file", "cluster", "current_label", "applied_label", "suggestion"];
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const RUNS = /^'*[=+\-@\t\r\n]/; // formulas, and texts that look escaped

const guarded = (text) => (RUNS.test(text) && !NUMBER.test(text) ? `'${text}` : text);
const plain = (text) => text.replace(/^'(?='*[=+\-@\t\r\n])/, ""); // without the escape
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const written = (cells) => cells.map((cell) => quoted(guarded(cell))).join(",") + "\n";

// Spreadsheets save with the encoding of the system and the separator of the locale.
function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

const SEPARATOR_LINE = /^"?sep=(.)"?\r?\n/i; // Excel's own first line

function separator(text) {
  if (SEPARATOR_LINE.test(text)) return text.match(SEPARATOR_LINE)[1];
  const first = text.slice(0, text.search(/[\r\n]|$/));
  return [",", ";", "\t"].reduce((best, each) => (first.split(each).length > first.split(best).length ? each : best));
}

// Return all records, each with the line on which it begins.
function records(text) {
  const found = [], comma = separator(text);
  let cells = [], cell = "", inside = false, line = 1, began = 1;
  const end = () => {
    cells.push(cell);
    if (cells.length > 1 || cells[0] !== "") found.push({ line: began, cells });
    cells = [], cell = "";
  };
  const skipped = text.match(SEPARATOR_LINE)?.[0].length ?? 0;
  if (skipped) line = began = 2;
  for (let at = skipped; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\n") line += 1;
    if (inside && letter === '"' && text[at + 1] === '"') cell += text[at += 1];
    else if (letter === '"' && (inside || cell === "")) inside = !inside;
    else if (inside) cell += letter;
    else if (letter === comma) cells.push(cell), cell = "";
    else if (letter === "\n") end(), began = line;
    else if (letter !== "\r") cell += letter;
  }
  if (inside) throw new Error(`line ${began} opens a quotation mark that nothing closes`);
  if (cell !== "" || cells.length) end();
  return found;
}

// Return [line, image_id, applied_label] of each row of a table.
function corrections(text) {
  const [head, ...rest] = records(text);
  const names = (head?.cells ?? []).map((name) => name.trim());
  const id = names.indexOf("image_id"), label = names.indexOf("applied_label");
  if (id < 0 || label < 0) throw new Error("it has no columns image_id and applied_label; import a CSV from this page or from labels.py template");
  return rest.map(({ line, cells }) => {
    if (cells.length <= Math.max(id, label)) throw new Error(`line ${line} has ${cells.length} cells, where the first has ${names.length}`);
    return [line, plain(cells[id]), plain(cells[label].trim() && cells[label])];
  });
}
