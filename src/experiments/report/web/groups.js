// Who is in which cluster, and which label most of them have, of those that have one.
function grouped(names) {
  const found = new Map();
  names.forEach((name, place) => (found.get(name) ?? found.set(name, []).get(name)).push(place));
  return found;
}

function majority(places) {
  const labels = places.map((place) => data.labels[place]).filter(Boolean);
  if (!labels.length) return { label: "", share: 0, of: 0 };
  const [label, own] = [...grouped(labels)].reduce((best, each) => (each[1].length > best[1].length ? each : best));
  return { label, share: own.length / labels.length, of: labels.length };
}

const members = grouped(data.clusters);
const majorities = new Map([...members].map(([cluster, places]) => [cluster, majority(places)]));
