// Who is in which cluster, and the label that most of them have, of those that have one.
function grouped(names) {
  const found = new Map();
  names.forEach((name, place) => (found.get(name) ?? found.set(name, []).get(name)).push(place));
  return found;
}

const members = grouped(data.clusters);
const majorities = new Map(data.majorities.map(([cluster, name, classes, share]) => [cluster, { name, classes, share }]));
